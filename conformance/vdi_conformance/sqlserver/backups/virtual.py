"""Backups over virtual devices: runs of the emulator's statements, and what these do with the devices of a set."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Final

from vdi_conformance.emulator.statement import Plan, StatementRun, reading, require_one_backup, writing
from vdi_conformance.sqlserver.backups.media import MediaFailure, Place
from vdi_conformance.sqlserver.backups.reader import FamilyReader
from vdi_conformance.sqlserver.messages import is_logged, message, with_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from typing import Literal

    from vdi_conformance.emulator.messages import Message as Cause
    from vdi_conformance.emulator.server import EmulatorServer
    from vdi_conformance.emulator.statement import Sizes, Work
    from vdi_conformance.emulator.transfers import Script
    from vdi_conformance.sqlserver.backups.media import MakeStreams
    from vdi_conformance.sqlserver.backups.reader import Wish
    from vdi_conformance.tds.answers import Message
    from vdi_conformance.vdi.structures import VDConfig

_OPERATING_SYSTEM: Final = "Operating system error "
_NOT_READY: Final = "21(The device is not ready.)"
_INITIALIZE: Final = 7
"""The state of an error 3201 of a virtual device that could not be initialized."""


class VirtualMedia:
    """The devices of one virtual device set, whose client is asked for everything (backups.media.Media)."""

    type_name = "VIRTUAL_DEVICE"
    device_type = 7

    def __init__(self, names: Sequence[str], instance: str | None, make_server: Callable[[], EmulatorServer]) -> None:
        self.names = tuple(names)
        self._instance = instance
        self._make_server = make_server
        self._run: StatementRun | None = None
        self._cancelled = False

    def held(self) -> AbstractContextManager[None]:
        """Hold nothing: only one server has a set."""
        return nullcontext()

    def place(self, overwrites: bool, skips: bool) -> Place:
        """Begin new media: what a client had before is its own affair."""
        return Place()

    def write(self, sizes: Sizes, snapshot: bool, make: MakeStreams) -> None:
        """Write the streams of a backup."""
        plan = Plan("backup", self._instance, self.names, sizes, snapshot)
        self._do(plan, _Writing(plan, make))

    def read(self, sizes: Sizes, snapshot: bool, wish: Wish, position: int) -> Sequence[FamilyReader]:
        """Read the streams of a backup, or their labels."""
        if position != 1:
            raise MediaFailure((message(4038, position=position, device=self.names[0]),))
        plan = Plan("restore", self._instance, self.names, sizes, snapshot)
        work = _Reading(plan, wish)
        self._do(plan, work)
        return work.readers

    def positions(self, sizes: Sizes, wish: Wish) -> Sequence[Sequence[FamilyReader]]:
        """Read the label of the one backup set that there is."""
        return (self.read(sizes, False, wish, 1),)

    def cancel(self) -> None:
        """Abort the set."""
        self._cancelled = True
        if self._run is not None:
            # Without its broker the set is gone already.
            with suppress(ConnectionError):
                self._run.cancel()

    def _do(self, plan: Plan, work: Work) -> None:
        self._run = run = StatementRun(self._make_server(), plan, work)
        if self._cancelled:
            run.cancel()
        try:
            causes = run.run()
        except ConnectionError as error:
            raise MediaFailure((message(3201, _INITIALIZE, device=self.names[0], error=_NOT_READY),)) from error
        if causes:
            raise MediaFailure(*self._explained(plan.operation, causes, run.was_opened))

    def _explained(
        self, operation: Literal["backup", "restore"], causes: Sequence[Cause], was_opened: bool
    ) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
        """Give what the client is told, and what the error log is."""
        device = self.names[0]
        if self._cancelled:
            return (message(3204, text=f"The {operation} was aborted, since it was cancelled."),), ()
        logged = tuple(with_text(*cause) for cause in causes if is_logged(cause[0]))
        told = tuple(with_text(*cause) for cause in causes if not is_logged(cause[0]))
        if told:
            return told, logged
        error = causes[0][1].partition(_OPERATING_SYSTEM)[2].rstrip(".")
        if not was_opened:
            return (message(3201, _INITIALIZE, device=device, error=error),), logged
        text = f"An I/O error that cannot be recovered from occurred on '{device}': {_OPERATING_SYSTEM}{error}."
        return (message(3271, text=text),), logged


class _Writing:
    """What a BACKUP does (emulator.statement.Work)."""

    def __init__(self, plan: Plan, make: MakeStreams) -> None:
        self._plan = plan
        self._make = make

    def scripts(self, config: VDConfig) -> dict[str, Script]:
        """Write a stream to each device."""
        return writing(self._plan, self._make(config.block_size, config.max_transfer_size), config)

    def conclude(self) -> None:
        """Be content."""


class _Reading:
    """What a RESTORE does, of data or of a label alone."""

    def __init__(self, plan: Plan, wish: Wish) -> None:
        self._plan = plan
        self._wish = wish
        self.readers: list[FamilyReader] = []

    def scripts(self, config: VDConfig) -> dict[str, Script]:
        """Read the stream of each device."""
        count = len(self._plan.devices)
        self.readers = [FamilyReader(index, count, self._wish, config.block_size) for index in range(count)]
        return reading(self._plan, self.readers, config, self._wish.label_only)

    def conclude(self) -> None:
        """Refuse streams that do not belong together."""
        require_one_backup(self.readers)
