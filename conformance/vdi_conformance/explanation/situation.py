"""Where the calls so far have led: the model, and what it does not know of addresses, handles, bytes and results."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vdi_conformance.model.snapshots import copied, fingerprint

if TYPE_CHECKING:
    from collections.abc import Hashable

    from vdi_conformance.explanation.contents import Contents
    from vdi_conformance.explanation.facts import Facts
    from vdi_conformance.model.state import ModelClient, ModelCommand, ModelDevice, ModelSet, ModelState

SERVER: Final = 0
"""Whose view it is, where it is no client's."""


class Opened(NamedTuple):
    """A device that was opened: by which client object, in which set, at which place there."""

    client: int
    of: int
    place: int


class View(NamedTuple):
    """Where a process sees a buffer: whose view it is, in which set, and the command by which it came, if by any."""

    buffer: int
    size: int
    owner: int
    of: int
    tag: int | None
    mapped: bool


class Result(NamedTuple):
    """What an accepted CompleteCommand said."""

    code: int
    transferred: int
    position: int


@dataclass
class Situation:
    """One that may have been; commands and buffers are named by the numbers of the calls that brought them.

    `handles` has what GetBufferHandle gave, by the set and the number, `given` all such numbers; `excused` are the sets
    whose server may have ended them for reasons of its own; `opaque` are commands whose results nobody saw.
    """

    facts: Facts
    model: ModelState
    devices: dict[tuple[str, str], Opened] = field(default_factory=dict)
    records: dict[tuple[str, int], int] = field(default_factory=dict)
    views: dict[tuple[str, int], View] = field(default_factory=dict)
    handles: dict[tuple[int, int], int] = field(default_factory=dict)
    given: set[int] = field(default_factory=set)
    addresses: set[tuple[str, int]] = field(default_factory=set)
    contents: dict[int, Contents] = field(default_factory=dict)
    results: dict[int, Result] = field(default_factory=dict)
    serving: dict[tuple[str, str], int] = field(default_factory=dict)
    sent: dict[tuple[str, str, int], int] = field(default_factory=dict)
    excused: set[int] = field(default_factory=set)
    opaque: set[tuple[int, int]] = field(default_factory=set)

    def copied(self) -> Situation:
        """Give one of its own that says the same."""
        return Situation(self.facts, copied(self.model), **{name: copy.copy(value) for name, value in self._known()})

    def with_contents(self, buffer: int, contents: Contents) -> Situation:
        """Give one in which a buffer holds something else; nothing else of the two is changed any more."""
        return replace(self, contents=self.contents | {buffer: contents})

    def without_contents(self) -> Situation:
        """Give one in which nothing is known of any bytes; nothing else of the two is changed any more."""
        return replace(self, contents={})

    @property
    def key(self) -> Hashable:
        """What is equal where the same is permitted from now on."""
        known = (value.items() if isinstance(value, dict) else value for _, value in self._known())
        return fingerprint(self.model), tuple(map(frozenset, known))

    def _known(self) -> list[tuple[str, Any]]:
        return [(name, value) for name, value in vars(self).items() if name not in ("facts", "model")]

    def client(self, number: int) -> ModelClient:
        """Give a client object."""
        return self.model.clients[number - 1]

    def device_of(self, opened: Opened) -> ModelDevice | None:
        """Give a device where its client still has it open."""
        client = self.client(opened.client)
        if client.of is None or client.of.index != opened.of:
            return None
        return next((device for device in client.devices if device.index == opened.place), None)

    def latest(self, name: str) -> ModelSet | None:
        """Give the set of a name that is in use, the one that came last where there were several."""
        return next((of for of in reversed(self.model.sets) if of.name == name and of.in_use), None)

    def held(self, tag: int | None) -> tuple[ModelDevice, ModelCommand] | None:
        """Give a command that is held, and the device that it was fetched from."""
        for of in self.model.sets:
            for device in of.devices:
                for command in device.held:
                    if command.tag == tag:
                        return device, command
        return None

    def view_at(self, process: str, address: int, size: int, zone: int) -> tuple[int, View] | None:
        """Give the view that these bytes lie in, and where it begins; a buffer may have a zone before it."""
        for (owner, start), view in self.views.items():
            if owner == process and start - zone <= address and address + size <= start + view.size:
                return start, view
        return None

    def forget_views(self, tag: int) -> None:
        """What clients saw of the buffer of a command is theirs no longer."""
        self.views = {at: view for at, view in self.views.items() if view.tag != tag}
