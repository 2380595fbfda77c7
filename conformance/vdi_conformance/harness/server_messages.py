"""How statements end, as checks of the server judge it: whether they succeeded, and with which messages."""

from typing import Final

from vdi_conformance.harness.judging import ConformanceFailure
from vdi_conformance.host.messages.server import StatementEnd

TERMINATING: Final = 3013
OF_THE_LOG: Final = (3041, 18210)
"""What goes to the error log alone."""


def numbers_of(end: StatementEnd) -> list[int]:
    """Give the numbers of the messages, in their order."""
    return [message.number for message in end.messages]


def require_failure(end: StatementEnd, cause: str) -> None:
    """Fail the check if the statement succeeded, although `cause`."""
    if end.succeeded:
        raise ConformanceFailure(f"the statement succeeded although {cause}", ("failure",), "success")


def require_message(end: StatementEnd, *numbers: int) -> None:
    """Fail the check unless the statement failed with one of these messages, and 3013 as the last one."""
    require_failure(end, "it had to fail")
    found = numbers_of(end)
    if not set(numbers) & set(found):
        wanted = " or ".join(map(str, numbers))
        raise ConformanceFailure(f"the messages are {_shown(found)}, without {wanted}", (wanted,), _shown(found))
    require_last_word(end)


def require_last_word(end: StatementEnd) -> None:
    """Fail the check unless 3013 is the last of the messages that are not of the error log."""
    found = [number for number in numbers_of(end) if number not in OF_THE_LOG]
    if not found or found[-1] != TERMINATING:
        raise ConformanceFailure(f"the messages are {_shown(found)}: 3013 is not the last", ("3013",), _shown(found))


def require_words(end: StatementEnd, number: int, words: str = "") -> None:
    """Fail the check unless a message of this number has these words in it."""
    texts = [message.text for message in end.messages if message.number == number]
    if not any(words in text for text in texts):
        found = "; ".join(texts) or "missing"
        raise ConformanceFailure(f"message {number} is {found}", (words or str(number),), found)


def _shown(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"
