"""What a verb raises when it cannot do what it was asked to."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from vdi_conformance.untrusted.nearest import meant
from vdi_conformance.untrusted.printable import shown

WORD: Final = 100
"""So many characters of a word that is not known are told."""


class UsageRefusal(Exception):
    """The command line asks for what cannot be done: one sentence with the cause and the remedy.

    `account` has further lines, such as the traceback of an adapter.
    """

    def __init__(self, sentence: str, account: str = "") -> None:
        super().__init__(sentence)
        self.account = account


def unknown(kind: str, word: str, known: Iterable[str]) -> UsageRefusal:
    """Refuse a word that is not known, and name the nearest ones."""
    return UsageRefusal(f"there is no {kind} {shown(repr(word), WORD)}; {meant(word, known)}.")


@contextmanager
def refusing(*errors: type[Exception], with_account: bool = False) -> Iterator[None]:
    """Refuse the command line for errors whose text is a sentence, or its first line where an account follows."""
    try:
        yield
    except errors as error:
        sentence, _, account = str(error).partition("\n") if with_account else (str(error), "", "")
        raise UsageRefusal(f"{sentence.rstrip('.')}.", account) from error
