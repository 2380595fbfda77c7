"""A program that makes the calls of a check, in no language yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY_FAILURE: Final = "a failure"
"""What is permitted where any code will do that says that a call failed."""


class NotReproducible(Exception):
    """No program can be made of a record; the sentence says why, and what to do instead."""


@dataclass(frozen=True)
class Known:
    """A number that an earlier call gave, `distance` further, with the bits of `flipped` turned over."""

    name: str
    distance: int = 0
    flipped: int = 0


Number = int | Known


@dataclass(frozen=True)
class Bytes:
    """Bytes in hexadecimal; the numbers in `words` take 8 of them each, at their offsets."""

    data: str
    words: Mapping[int, Known]


@dataclass(frozen=True)
class Joined:
    """A text of which parts are numbers, in hexadecimal as the host protocol has them."""

    parts: tuple[str | Known, ...]


@dataclass(frozen=True)
class Fields:
    """The members of a structure, in their order."""

    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Sized:
    """An argument of a compiled function, of 4 or 8 bytes."""

    number: Number
    size: int


Argument = str | int | bool | Known | Bytes | Joined | Fields | Sized | None


@dataclass(frozen=True)
class Fact:
    """A member of the answer in the record: a text in which `.` stands for any digit, or the number of that name."""

    key: str
    text: str = ""
    name: str = ""


@dataclass(frozen=True)
class Invocation:
    """What a step does: a function of the machinery, or a method of an object that is known by an id."""

    function: str
    arguments: tuple[Argument, ...] = ()
    kind: Literal["function", "vdi_set", "vdi_device"] = "function"
    object: str = ""


@dataclass(frozen=True)
class Step:
    """One call of the check: who makes it on which thread, what it gives under which names, and what the suite saw.

    `gives` names members of the answer; `data@8` is the number at the offset 8 of bytes that were read. `code` is the
    HRESULT in the record, `seen` the whole answer in words. `patience` is milliseconds that the call itself may wait.
    `facts` are held against the answer where a check judges what all of its calls gave together.
    """

    number: int
    process: str
    thread: str
    invocation: Invocation
    uses: tuple[str, ...]
    gives: Mapping[str, str]
    said: str
    seen: str
    code: int | None = None
    patience: int = 0
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class Process:
    """A process of the check: `function` is its name as languages have names; a server is one of a server host."""

    name: str
    function: str
    is_server: bool


@dataclass(frozen=True)
class Event:
    """What comes next: a call `begins` or `ends`, or a process is `killed`."""

    kind: Literal["begins", "ends", "killed"]
    call: int = 0
    process: str = ""


@dataclass(frozen=True)
class Judged:
    """The call that should have been answered otherwise, and how to tell that it was answered so again.

    `permitted` are codes, and what is no code of them is a failure; where there are none, the answer in the record is
    described by `facts`. `unanswered` says that its process died, or that the call did not return.
    """

    call: int
    permitted: Mapping[str, int]
    any_failure: bool
    facts: tuple[Fact, ...]
    unanswered: Literal["", "died", "hung"]
    expected: str


@dataclass(frozen=True)
class Statement:
    """A statement that a server ran, for whoever runs it on a SQL Server."""

    call: int
    sql: str
    is_backup: bool


@dataclass(frozen=True)
class Program:
    """All of it: what it is about, who takes part, the calls, their order, and how it is judged."""

    check: str
    about: str
    sentence: str
    requirements: tuple[tuple[str, str], ...]
    adapter: str
    server: str
    seed: int
    processes: tuple[Process, ...]
    steps: tuple[Step, ...]
    order: tuple[Event, ...]
    judged: Judged
    statements: tuple[Statement, ...]
    notes: tuple[str, ...]
    is_scripted: bool
