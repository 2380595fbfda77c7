"""What a run can be asked for: workers, the stretch of its time limits, seeds, challenges; the rest is a ValueError.

Its text is one sentence without an end, with what would be right.
"""

import os
import re
from typing import Final

MOST_WORKERS: Final = max(32, 8 * (os.cpu_count() or 1))
"""Checks mostly wait, so that more workers than processors help; beyond this they only use up processes."""
MOST_STRETCHED: Final = 1000.0
MOST_SEED: Final = 2**53 - 1
"""The largest whole number that every reader of JSON keeps as it is."""
MOST_SHARDS: Final = 1000
_DIGITS: Final = 20
"""No number that is asked for has more."""
_SHOWN: Final = 60
_CHALLENGE: Final = re.compile("[!-~]{16,128}")


def whole(word: str, least: int, most: int) -> int:
    """Read a whole number between two others, written in the digits 0 to 9."""
    if word.isascii() and word.isdecimal() and len(word) <= _DIGITS and least <= int(word) <= most:
        return int(word)
    raise ValueError(f"{shown(word)} is not a whole number from {least} to {most}")


def seed(word: str) -> int:
    """Read a seed."""
    return whole(word, 0, MOST_SEED)


def stretch(word: str) -> float:
    """Read the factor on every time limit."""
    try:
        factor = float(word)
    except ValueError:
        raise ValueError(f"{shown(word)} is not a number such as 2.5") from None
    if not 1 <= factor <= MOST_STRETCHED:
        raise ValueError(f"time limits can only be stretched by 1 to {MOST_STRETCHED:g}, not {shown(word)}")
    return factor


def shard(word: str) -> tuple[int, int]:
    """Read which shard of how many, such as 3/8."""
    number, _, of = word.partition("/")
    try:
        most = whole(of, 1, MOST_SHARDS)
        return whole(number, 1, most), most
    except ValueError:
        raise ValueError(f"{shown(word)} is no shard such as 3/8, of at most {MOST_SHARDS}") from None


def workers(word: str) -> str:
    """Read how many worker processes there are to be: a number, or a word that has pytest-xdist choose it."""
    if word in ("auto", "logical"):
        return word
    try:
        return str(whole(word, 1, MOST_WORKERS))
    except ValueError as error:
        raise ValueError(f"{error}, nor 'auto'") from None


def challenge(word: str) -> str:
    """Read a text that shows when a run was made: printable characters of ASCII without spaces."""
    if is_challenge(word):
        return word
    raise ValueError(f"{shown(word)} is no challenge: use 16 to 128 printable characters without spaces")


def is_challenge(word: str) -> bool:
    """Whether it is such a text."""
    return _CHALLENGE.fullmatch(word) is not None


def shown(word: str) -> str:
    """Quote a word, cut where it is long."""
    return repr(word if len(word) <= _SHOWN else word[: _SHOWN - 1] + "…")
