"""What is tried: a reader of the product, real examples of what it reads, and how these are made hostile."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from random import Random

    Read = Callable[[bytes], bool]
    """Reads an input: true where it was accepted, false where it was refused in words. What it raises is a defect."""
    Mutate = Callable[[Random, Sequence[bytes]], bytes]
    """Makes an input of examples, by the draws of a Random and nothing else."""


class Broken(AssertionError):
    """A reader came to an end, and not to one that is permitted; the text says which rule it broke."""


@dataclass(frozen=True)
class Target:
    """One reader; `opened` gives it for a while, and the directory that it may write to."""

    name: str
    about: str
    examples: Callable[[], Sequence[bytes]]
    mutate: Mutate
    opened: Callable[[Path], AbstractContextManager[Read]]


def alone(read: Read) -> Callable[[Path], AbstractContextManager[Read]]:
    """Open a reader that needs nothing."""
    return lambda _: nullcontext(read)


def refusing(read: Callable[[bytes], object], *refusals: type[Exception]) -> Read:
    """Make a reader of a function that raises one of these, with a sentence, where it refuses."""

    def tried(data: bytes) -> bool:
        try:
            read(data)
        except refusals as error:
            if not str(error).strip():
                raise Broken(f"{type(error).__name__} says nothing") from error
            return False
        return True

    return tried
