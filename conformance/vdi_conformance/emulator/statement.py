"""The statement level of the server role: BACKUP and RESTORE over the scripted server interface."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

from vdi_conformance.contract import StatementOutcome
from vdi_conformance.emulator import messages
from vdi_conformance.emulator.exchanges import Aborted, Exchanges
from vdi_conformance.emulator.rules import server_half_is_valid
from vdi_conformance.emulator.stream import Backup, StreamContents, StreamReader
from vdi_conformance.emulator.transfers import StatementError, backup, complete, list_files, restore
from vdi_conformance.vdi.commands import (
    VDF_COMPLETE_ENABLED,
    VDF_READ_MEDIA,
    VDF_REQUEST_COMPLETE,
    VDF_WRITE_MEDIA,
)
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_MEMORY, name_of
from vdi_conformance.vdi.structures import INFINITE, MAX_DEVICES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vdi_conformance.contract import Statement
    from vdi_conformance.emulator.messages import Message
    from vdi_conformance.emulator.server import EmulatorServer
    from vdi_conformance.emulator.stream import Frame, FrameReader
    from vdi_conformance.emulator.transfers import Script
    from vdi_conformance.vdi.structures import VDConfig

_FILE_NOT_FOUND: Final = 0x80070002


class Sizes(NamedTuple):
    """Sizes in bytes and the number of buffers, as a statement names them."""

    block_size: int = 512
    max_transfer_size: int = 65536
    buffer_count: int = 4

    @classmethod
    def named(cls, *named: int | None) -> Sizes:
        """Take what a statement does not name (None) from the defaults."""
        return cls(*(default if one is None else one for one, default in zip(named, DEFAULTS, strict=True)))


DEFAULTS: Final = Sizes()


class Plan(NamedTuple):
    """What a run needs to know of its statement."""

    operation: Literal["backup", "restore"]
    instance: str | None
    devices: tuple[str, ...]
    sizes: Sizes
    snapshot: bool = False


class EmulatorStatementServer:
    """A server that runs one statement after the other (contract.StatementServer)."""

    def __init__(self, make_server: Callable[[], EmulatorServer], seed: int) -> None:
        self._make_server = make_server
        self._seed = seed

    def execute(self, statement: Statement) -> StatementOutcome:
        """Run a statement to its end."""
        words = f"{statement.operation} {statement.subject}".upper()
        plan = _plan(statement)
        causes = _objections(statement, plan.sizes) or self._run(plan, statement)
        if causes:
            return StatementOutcome(False, messages.failed(words, *causes))
        return StatementOutcome(True, () if statement.subject == "filelistonly" else messages.finished(words))

    def _run(self, plan: Plan, statement: Statement) -> tuple[Message, ...]:
        work = _BackupWork(plan, statement, self._seed) if plan.operation == "backup" else _RestoreWork(plan, statement)
        return StatementRun(self._make_server(), plan, work).run()


def _plan(statement: Statement) -> Plan:
    sizes = Sizes.named(statement.block_size, statement.max_transfer_size, statement.buffer_count)
    return Plan(statement.operation, statement.instance, statement.devices, sizes, statement.snapshot)


def _objections(statement: Statement, sizes: Sizes) -> tuple[Message, ...]:
    """Say what is wrong with a statement before anything is done."""
    devices = statement.devices
    if statement.subject == "filelistonly" and (statement.operation == "backup" or statement.snapshot):
        return (messages.incorrect("FILELISTONLY" if statement.operation == "backup" else "SNAPSHOT"),)
    if statement.snapshot and len(devices) != 1:
        return (messages.not_one_device(len(devices)),)
    if len(devices) > MAX_DEVICES:
        return (messages.too_many_devices(len(devices)),)
    if len(set(devices)) != len(devices) or not devices:
        return (messages.unusable("its device names are not one or more different ones"),)
    return size_objections(sizes)


def size_objections(sizes: Sizes) -> tuple[Message, ...]:
    """Say which of the sizes that a statement names cannot be."""
    if sizes.buffer_count < 1:
        return (messages.out_of_range("BUFFERCOUNT", sizes.buffer_count),)
    if not server_half_is_valid(0, sizes.block_size, DEFAULTS.max_transfer_size):
        return (messages.out_of_range("BLOCKSIZE", sizes.block_size),)
    if not server_half_is_valid(0, DEFAULTS.block_size, sizes.max_transfer_size):
        return (messages.out_of_range("MAXTRANSFERSIZE", sizes.max_transfer_size),)
    return ()


class Work(Protocol):
    """What a statement does with the devices of its set, once they are open."""

    def scripts(self, config: VDConfig) -> dict[str, Script]:
        """Give the script of each device."""
        ...

    def conclude(self) -> None:
        """Look at what the scripts came to, once all have ended; a StatementError where they do not fit together."""
        ...


class Streams(Protocol):
    """What a BACKUP writes."""

    def frames(self, device: int) -> Iterable[Frame]:
        """Give the frames of one device, in order."""
        ...


def writing(plan: Plan, streams: Streams, config: VDConfig) -> dict[str, Script]:
    """Give the scripts that write a stream to each device."""
    return {
        device: backup(device, streams.frames(index), config, plan.snapshot)
        for index, device in enumerate(plan.devices)
    }


def reading(plan: Plan, readers: Sequence[FrameReader], config: VDConfig, label_only: bool) -> dict[str, Script]:
    """Give the scripts that read the stream of each device, or its label alone."""
    return {
        device: list_files(device, reader, config) if label_only else restore(device, reader, config, plan.snapshot)
        for device, reader in zip(plan.devices, readers, strict=True)
    }


def require_one_backup(readers: Sequence[FrameReader]) -> None:
    """Refuse streams that do not belong together."""
    if len({reader.backup_id for reader in readers}) != 1:
        raise StatementError(messages.mixed_backups())


class _BackupWork:
    """A BACKUP of a database that is known by seed and size."""

    def __init__(self, plan: Plan, statement: Statement, seed: int) -> None:
        self._plan = plan
        self._database = statement.database
        self._contents = _contents(statement)
        self._backup_id = hashlib.sha256(f"{seed}/{statement}".encode()).digest()[:16]

    def scripts(self, config: VDConfig) -> dict[str, Script]:
        """Write a stream to each device."""
        count, sizes = len(self._plan.devices), (config.block_size, config.max_transfer_size)
        return writing(self._plan, Backup(self._database, count, *sizes, self._backup_id, self._contents), config)

    def conclude(self) -> None:
        """Be content."""


class _RestoreWork:
    """A RESTORE of such a database."""

    def __init__(self, plan: Plan, statement: Statement) -> None:
        self._plan = plan
        self._database = statement.database
        self._label_only = statement.subject == "filelistonly"
        self._contents = None if self._label_only else _contents(statement)
        self._readers: list[StreamReader] = []

    def scripts(self, config: VDConfig) -> dict[str, Script]:
        """Read the stream of each device."""
        count = len(self._plan.devices)
        self._readers = [StreamReader(self._database, index, count, self._contents) for index in range(count)]
        return reading(self._plan, self._readers, config, self._label_only)

    def conclude(self) -> None:
        """Refuse streams that do not belong together."""
        require_one_backup(self._readers)


def _contents(statement: Statement) -> StreamContents:
    return StreamContents(log=statement.subject == "log", snapshot=statement.snapshot)


class StatementRun:
    """One statement on its way, which another thread may cancel; `was_opened` once it has found its set."""

    def __init__(self, server: EmulatorServer, plan: Plan, work: Work) -> None:
        self._server = server
        self._plan = plan
        self._work = work
        self._devices = plan.devices
        self._name = plan.devices[0]
        self.was_opened = False
        self._cancelled = False

    def cancel(self) -> None:
        """End the run soon, by an abort of its set."""
        self._cancelled = True
        if self.was_opened:
            self._server.signal_abort()

    def run(self) -> tuple[Message, ...]:
        """Open the set, transfer, close; give the causes of a failure."""
        code = self._server.open(self._plan.instance, self._name)
        if code != NOERROR:
            return (messages.not_opened(self._name, _FILE_NOT_FOUND if code == VD_E_INVALID else code),)
        self.was_opened = True
        try:
            if self._cancelled:
                raise Aborted
            self._transfer(self._configure())
        except StatementError as error:
            return (error.cause,)
        except Aborted:
            return messages.aborted(self._plan.operation, self._name)
        finally:
            self._server.close()
        return ()

    def _configure(self) -> VDConfig:
        """Agree with the client, and open the devices."""
        requested = self._configuration()
        if requested.device_count != len(self._devices):
            reason = f"it has {requested.device_count} devices, the statement names {len(self._devices)}"
            raise StatementError(messages.unusable(reason))
        features = requested.features | (VDF_WRITE_MEDIA if self._is_backup else VDF_READ_MEDIA)
        # After a snapshot nothing but the close may follow, so Complete does not go with it.
        if features & VDF_REQUEST_COMPLETE and not self._plan.snapshot:
            features |= VDF_COMPLETE_ENABLED
        block_size, max_transfer_size, buffer_count = self._plan.sizes
        self._check(self._server.begin_configuration(features, 0, block_size, max_transfer_size, INFINITE))
        for device in self._devices:
            self._check(self._server.name_device(device))
        self._check(self._server.request_buffers(max_transfer_size, 0, buffer_count))
        self._check(self._server.request_buffers(block_size, 0, len(self._devices)))
        self._check(self._server.end_configuration())
        for device in self._devices:
            self._check(self._server.open_device(device))
        return self._configuration()

    @property
    def _is_backup(self) -> bool:
        return self._plan.operation == "backup"

    def _configuration(self) -> VDConfig:
        code, config = self._server.get_configuration()
        self._check(code)
        if config is None:
            raise StatementError(messages.unusable("it has no configuration"))
        return config

    def _check(self, code: int) -> None:
        """End the statement where a call of the server interface did not succeed."""
        if code == VD_E_ABORT:
            raise Aborted
        if code == VD_E_MEMORY:
            raise StatementError(messages.not_allocated(self._name))
        if code != NOERROR:
            raise StatementError(messages.unusable(name_of(code)))

    def _transfer(self, config: VDConfig) -> None:
        """Run the devices, and close them whether that went well or not."""
        exchanges = Exchanges(self._server, self._devices, config, self._plan.sizes.buffer_count)
        failure = None
        try:
            exchanges.run(self._work.scripts(config))
            self._work.conclude()
            if config.features & VDF_COMPLETE_ENABLED:
                exchanges.run({device: complete(device) for device in self._devices})
        except StatementError as error:
            failure = error
        for device in self._devices:
            self._check(self._server.close_device(device))
        if failure is not None:
            raise failure
