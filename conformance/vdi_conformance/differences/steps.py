"""Steps of a sequence: who does what, with arguments that are named by what they are to the sequence. Pure.

A line such as `2 get_buffer_handle of=held device=0` is a step of client 2; the server's begin with `server`. A buffer
is `held`, an address `outside`, a handle `last`: what number that is differs from adapter to adapter.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vdi_conformance.differences.wording import ARGUMENTS, CALLED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SERVER: Final = 0
"""Who acts, where it is no client."""


class NotAStep(ValueError):
    """A line that says no step; its sentence says why."""


@dataclass(frozen=True, order=True)
class Step:
    """One step: by which client (SERVER where the server acts), what is done, and with what."""

    by: int
    act: str
    given: tuple[tuple[str, str], ...] = ()

    @property
    def arguments(self) -> Mapping[str, str]:
        """What it is done with, by name."""
        return MappingProxyType(dict(self.given))

    def argument(self, name: str, default: str = "") -> str:
        """Give one argument."""
        return self.arguments.get(name, default)

    def number(self, name: str, default: int = 0) -> int:
        """Give an argument that is a number."""
        found = self.arguments.get(name)
        return default if found is None else int(found, 0)

    def with_argument(self, name: str, value: str) -> Step:
        """Give the same step with one argument changed."""
        return Step(self.by, self.act, tuple((dict(self.given) | {name: value}).items()))

    @property
    def line(self) -> str:
        """How it is written."""
        who = "server" if self.by == SERVER else str(self.by)
        return " ".join([who, self.act, *(f"{name}={value}" for name, value in self.given)])

    @property
    def words(self) -> str:
        """Say who does what, for a reader."""
        who = "server" if self.by == SERVER else f"client {self.by}"
        told = [ARGUMENTS.get((name, value)) or ARGUMENTS.get((name, ""), f"{name} {{}}") for name, value in self.given]
        details = [text.format(value) for text, (_, value) in zip(told, self.given, strict=True)]
        return f"{who}: {CALLED.get(self.act, self.act)}{' ' if details else ''}{', '.join(details)}"


def step(line: str) -> Step:
    """Read a step from its line."""
    who, _, rest = line.strip().partition(" ")
    act, *given = rest.split() or [""]
    if act not in CALLED or not (who == "server" or who.isdigit()):
        raise NotAStep(f"{line!r} is no step: it begins with `server` or the number of a client, and what that does")
    pairs = [one.partition("=")[::2] for one in given]
    return Step(SERVER if who == "server" else int(who), act, tuple(pairs))


def steps(lines: Iterable[str]) -> list[Step]:
    """Read steps, each from a line."""
    return [step(line) for line in lines]
