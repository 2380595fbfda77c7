"""The bytes of a walk: what each buffer that is held must show, to its holder and to whoever mapped it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from vdi_conformance.harness.judging import ConformanceFailure
from vdi_conformance.harness.memory import Stretch, digests_of
from vdi_conformance.vdi import commands as vdc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.device import Fetched
    from vdi_conformance.harness.shared_memory import BufferView
    from vdi_conformance.model.state import ModelCommand
    from vdi_conformance.walks.model_server import WalkingServer


class RememberedContents:
    """What was last stored into each buffer, as a digest, and where it is seen; by the tags of the commands."""

    def __init__(self, server: WalkingServer) -> None:
        self._server = server
        self._digests: dict[int, str] = {}
        self._views: dict[int, list[BufferView]] = {}
        self._sizes: dict[int, int] = {}
        self._stored = 0

    def fetched(self, command: ModelCommand, fetched: Fetched, view: BufferView) -> None:
        """A Write comes with what the server stored; a Read gets something from its holder."""
        self._sizes[command.tag] = command.size
        self._views[command.tag] = [view]
        if fetched.code == vdc.VDC_WRITE:
            self._digests[command.tag] = self._server.digest(command)
            self.check("a Write came with other bytes than the server stored", command.tag)
        else:
            self._store(command.tag, view)

    def mapped(self, command: ModelCommand, view: BufferView) -> None:
        """Another view shows the same, and what is stored through it shows in every other."""
        if command.tag not in self._views:
            return
        self._views[command.tag].append(view)
        self.check("the mapped address shows other bytes than the buffer has", command.tag)
        self._store(command.tag, view)
        self.check("what was stored through a mapped address does not show everywhere", command.tag)

    def check(self, otherwise: str, *tags: int) -> None:
        """Look at buffers that are held, at all of them where none is named."""
        looking = [(tag, view) for tag in tags or self._views for view in self._views[tag]]
        digests = digests_of([Stretch(view.process, view.address, self._sizes[tag]) for tag, view in looking])
        for (tag, view), digest in zip(looking, digests, strict=True):
            if digest != self._digests[tag]:
                raise ConformanceFailure(f"{otherwise}: so {view.process.name} sees at {view.address:#x}")

    def views(self) -> list[tuple[int, int, BufferView]]:
        """Give how each buffer is seen: the tag of its command, its size, and by whom at which address."""
        return [(tag, self._sizes[tag], view) for tag, views in self._views.items() for view in views]

    def store_through(self, process: Client) -> None:
        """Store anew into every buffer that a process sees, through its own address: it must show in every other."""
        for tag, views in self._views.items():
            for view in [view for view in views if view.process is process]:
                self._store(tag, view)
        self.check("what was stored through a mapped address does not show everywhere")

    @contextmanager
    def without(self, process: Client) -> Iterator[None]:
        """Do not look through the eyes of a process for a while."""
        kept = {tag: [view for view in views if view.process is process] for tag, views in self._views.items()}
        self.leave(process)
        yield
        for tag, views in kept.items():
            if tag in self._views:
                self._views[tag] += views

    def forget(self, tag: int) -> None:
        """A buffer is held no longer."""
        self._views.pop(tag, None)

    def leave(self, process: Client) -> None:
        """A process sees nothing any more."""
        for tag, views in self._views.items():
            self._views[tag] = [view for view in views if view.process is not process]

    def _store(self, tag: int, view: BufferView) -> None:
        self._stored += 1
        stretch = Stretch(view.process, view.address, self._sizes[tag])
        (self._digests[tag],) = view.process.fill_and_digest([stretch], self._stored)
