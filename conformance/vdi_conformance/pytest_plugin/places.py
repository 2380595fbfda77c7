"""The places that --tx names, in each of which workers of a run are started, by this computer or by ssh; pure."""

import platform
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from execnet import XSpec

PATIENT: Final = "-o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=15 -o ServerAliveCountMax=4"
"""Options of ssh by which it never asks and never waits without end; what stands before them outranks them."""
_MANY: Final = re.compile(r"(\d+)\*(.*)", re.DOTALL)


class NoPlace(ValueError):
    """What --tx names cannot be a place; one sentence says why."""


@dataclass(frozen=True)
class Place:
    """One place: how --tx specifies it, what people call it, and how many workers it is to have.

    It is `here` where its workers are started as those of -n are: with this interpreter, in this directory.
    """

    spec: str
    name: str
    workers: int
    here: bool


def places_of(words: Sequence[str]) -> tuple[Place, ...]:
    """Give each place once, in the order of their first mention; a NoPlace where a word specifies none."""
    counts: Counter[str] = Counter()
    for word in words:
        many = _MANY.fullmatch(word)
        counts[many[2] if many else word] += int(many[1]) if many else 1
    found = [_place(spec, count) for spec, count in counts.items() if count]
    if not found:
        raise NoPlace("--tx names no place: give one such as ssh=user@host//chdir=directory")
    return tuple(found)


def refuse_socket(word: str) -> None:
    """Refuse a place behind a socket server of execnet, which runs whatever anybody sends to it."""
    if "socket" in (part.partition("=")[0] for part in word.split("//")):
        raise NoPlace(f"{word!r} is behind a port at which everybody may run code: reach it by ssh=")


def make_patient(spec: XSpec) -> None:
    """Keep ssh from asking for a password, and from waiting for a machine that is gone."""
    if spec.ssh and PATIENT not in spec.ssh:
        spec.ssh = f"{spec.ssh} {PATIENT}"


def _place(word: str, workers: int) -> Place:
    try:
        spec = XSpec(word)
    except (ValueError, AttributeError, IndexError) as error:
        raise NoPlace(
            f"--tx: {word!r} specifies no place ({error}): write it as ssh=user@host//chdir=directory"
        ) from error
    refuse_socket(word)
    if not (spec.popen or spec.ssh or spec.vagrant_ssh):
        raise NoPlace(f"--tx: {word!r} does not say how a place is reached: begin it with ssh= or popen")
    if workers > 1 and spec.id:
        raise NoPlace(f"--tx: {workers} workers cannot all be called {spec.id}: leave id= out of {word!r}")
    here = bool(spec.popen) and not (spec.python or spec.chdir or spec.via)
    return Place(word, _name(spec), workers, here)


def _name(spec: XSpec) -> str:
    """Call it what the user does: by its id, else by its address, else by this computer's name."""
    if spec.id:
        return str(spec.id)
    address = spec.ssh or spec.vagrant_ssh
    if address:
        return str(address).split()[-1].rpartition("@")[2]
    return platform.node() or "localhost"
