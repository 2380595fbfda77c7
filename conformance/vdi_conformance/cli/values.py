"""The values of options: how a word is read, what it is refused for, and how a shell completes it."""

from collections.abc import Callable, Iterable
from typing import Final

import typer

from vdi_conformance.bounds import MOST_SEED, wrong_stretch, wrong_workers
from vdi_conformance.nearest import meant
from vdi_conformance.requirements import catalogue
from vdi_conformance.requirements.profiles import newest, profiles

ADAPTERS: Final = ("emulator", "sqlserver")
DIGITS: Final = 20
"""No number that is asked for has more."""


def whole(least: int, most: int) -> Callable[[object], int]:
    """Read a whole number between two others, written in the digits 0 to 9."""

    def read(value: object) -> int:
        word = str(value)
        if word.isascii() and word.isdecimal() and len(word) <= DIGITS and least <= int(word) <= most:
            return int(word)
        raise typer.BadParameter(f"{_shown(word)} is not a whole number from {least} to {most}")

    return read


seed: Final = whole(0, MOST_SEED)


def workers(value: str) -> str:
    """Read how many worker processes there are to be: a number, or a word that has pytest-xdist choose it."""
    if value in ("auto", "logical"):
        return value
    if not (value.isascii() and value.isdecimal() and len(value) <= DIGITS):
        raise typer.BadParameter(f"{_shown(value)} is not a number of worker processes, nor 'auto'")
    if sentence := wrong_workers(int(value)):
        raise typer.BadParameter(sentence)
    return value


def stretch(value: object) -> float:
    """Read the factor on every time limit."""
    try:
        factor = float(str(value))
    except ValueError:
        raise typer.BadParameter(f"{_shown(str(value))} is not a number such as 2.5") from None
    if sentence := wrong_stretch(factor):
        raise typer.BadParameter(sentence)
    return factor


def one_of(kind: str, words: Iterable[str]) -> Callable[[str], str]:
    """Read one of a few words; others are refused, and the nearest are named."""
    known = tuple(words)

    def read(value: str) -> str:
        if value in known:
            return value
        raise typer.BadParameter(f"there is no {kind} {_shown(value)}; {meant(value, known)}")

    return read


def completing(words: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Complete to one of these words, or the same in small letters; they are found when they are needed."""

    def complete(incomplete: str) -> list[str]:
        offered = (word.lower() if incomplete.islower() else word for word in words())
        return [word for word in offered if word.startswith(incomplete)]

    return complete


profile_names: Final = completing(lambda: [*(one.name for one in newest()), *profiles()])
topics: Final = completing(lambda: catalogue().topics)
requirement_ids: Final = completing(lambda: [row.id for row in catalogue().rows])
question_ids: Final = completing(lambda: catalogue().questions)
adapters: Final = completing(lambda: ADAPTERS)


def _shown(word: str, most: int = 60) -> str:
    return repr(word if len(word) <= most else word[: most - 1] + "…")
