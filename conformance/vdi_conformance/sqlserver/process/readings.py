"""Readings of the documents as switches: those that live in the broker or in the server, and go together."""

from __future__ import annotations

from importlib import import_module
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.contract import Environment
from vdi_conformance.untrusted.nearest import meant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.emulator.server import EmulatorServer

_OF_CLIENTS: Final = ("client.", "records.", "broker_connection.", "segments._map")
"""Where parts begin that a client object brings along; those of a compiled library are its own."""
_OF_STATEMENTS: Final = "statement.EmulatorStatementServer"
_PACKAGE: Final = "vdi_fixtures"


class NotAsked(Exception):
    """A reading cannot be taken; the text is one sentence with the cause and the remedy."""


def take(names: Sequence[str], directory: str, seed: int) -> type[EmulatorServer] | None:
    """Let broker and server of this process read the documents so, and give the servers of statements.

    NotAsked where there is no such reading, or it belongs to the client, or two do not go together.
    """
    if not names:
        return None
    together, compatible, emulated = (_module(name) for name in ("together", "compatible", "emulated"))
    known = compatible.names()
    for name in names:
        if name not in known:
            raise NotAsked(f"there is no reading {name!r} here; {meant(name, known)}")
    for one, other in combinations(names, 2):
        if reason := compatible.why_not(one, other):
            raise NotAsked(f"{one} and {other} do not go together ({reason}): take one of them")
    kinds = [together.module_of(name).Reading for name in names]
    for name, kind in zip(names, kinds, strict=True):
        if not issubclass(kind, emulated.Emulated) or any(place.startswith(_OF_CLIENTS) for place in kind.parts):
            raise NotAsked(
                f"{name} is a reading of the client object, which the library under test brings along: "
                "name one of the broker or the server"
            )
        if _OF_STATEMENTS in kind.parts:
            raise NotAsked(f"{name} is a reading of the suite's own statements, which T-SQL does not go through")
    adapter = together.put_together(Environment(directory, seed, 1.0), kinds)
    return _server_of(adapter, emulated)


def _server_of(adapter: Any, emulated: Any) -> type[EmulatorServer]:
    """Give the class of servers that statements make their calls with."""
    usual = import_module("vdi_conformance.emulator.server").EmulatorServer
    own = getattr(adapter, "server", usual)
    part = adapter.parts.get("statement.EmulatorServer", own)
    made: type[EmulatorServer] = emulated.joined(part, own, usual)
    return made


def _module(name: str) -> Any:
    try:
        return import_module(f"{_PACKAGE}.{name}")
    except ModuleNotFoundError as error:
        raise NotAsked(f"the readings are not installed here ({error}): install the whole wheel") from error
