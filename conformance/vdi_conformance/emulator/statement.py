"""The statement level of the server role: BACKUP and RESTORE over the scripted server interface."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

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
    from collections.abc import Callable

    from vdi_conformance.contract import Statement
    from vdi_conformance.emulator.messages import Message
    from vdi_conformance.emulator.server import EmulatorServer
    from vdi_conformance.vdi.structures import VDConfig

_FILE_NOT_FOUND: Final = 0x80070002


class _Sizes(NamedTuple):
    """Sizes in bytes and the number of buffers, as a statement names them."""

    block_size: int
    max_transfer_size: int
    buffer_count: int


_DEFAULTS: Final = _Sizes(block_size=512, max_transfer_size=65536, buffer_count=4)


class EmulatorStatementServer:
    """A server that runs one statement after the other (contract.StatementServer)."""

    def __init__(self, make_server: Callable[[], EmulatorServer], seed: int) -> None:
        self._make_server = make_server
        self._seed = seed

    def execute(self, statement: Statement) -> StatementOutcome:
        """Run a statement to its end."""
        words = f"{statement.operation} {statement.subject}".upper()
        sizes = _sizes(statement)
        causes = _objections(statement, sizes) or _Run(self._make_server(), statement, sizes, self._seed).run()
        if causes:
            return StatementOutcome(False, messages.failed(words, *causes))
        return StatementOutcome(True, () if statement.subject == "filelistonly" else messages.finished(words))


def _sizes(statement: Statement) -> _Sizes:
    named = (statement.block_size, statement.max_transfer_size, statement.buffer_count)
    return _Sizes(*(default if one is None else one for one, default in zip(named, _DEFAULTS, strict=True)))


def _objections(statement: Statement, sizes: _Sizes) -> tuple[Message, ...]:
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
    if sizes.buffer_count < 1:
        return (messages.out_of_range("BUFFERCOUNT", sizes.buffer_count),)
    if not server_half_is_valid(0, sizes.block_size, _DEFAULTS.max_transfer_size):
        return (messages.out_of_range("BLOCKSIZE", sizes.block_size),)
    if not server_half_is_valid(0, _DEFAULTS.block_size, sizes.max_transfer_size):
        return (messages.out_of_range("MAXTRANSFERSIZE", sizes.max_transfer_size),)
    return ()


class _Run:
    """One statement on its way."""

    def __init__(self, server: EmulatorServer, statement: Statement, sizes: _Sizes, seed: int) -> None:
        self._server = server
        self._statement = statement
        self._sizes = sizes
        self._contents = StreamContents(log=statement.subject == "log", snapshot=statement.snapshot)
        self._devices = statement.devices
        self._name = statement.devices[0]
        self._backup_id = hashlib.sha256(f"{seed}/{statement}".encode()).digest()[:16]

    def run(self) -> tuple[Message, ...]:
        """Open the set, transfer, close; give the causes of a failure."""
        code = self._server.open(self._statement.instance, self._name)
        if code != NOERROR:
            return (messages.not_opened(self._name, _FILE_NOT_FOUND if code == VD_E_INVALID else code),)
        try:
            self._transfer(self._configure())
        except StatementError as error:
            return (error.cause,)
        except Aborted:
            return messages.aborted(self._statement.operation, self._name)
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
        if features & VDF_REQUEST_COMPLETE and not self._statement.snapshot:
            features |= VDF_COMPLETE_ENABLED
        block_size, max_transfer_size, buffer_count = self._sizes
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
        return self._statement.operation == "backup"

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
        exchanges = Exchanges(self._server, self._devices, config, self._sizes.buffer_count)
        failure = None
        try:
            if self._is_backup:
                self._back_up(exchanges, config)
            else:
                self._restore(exchanges, config)
            if config.features & VDF_COMPLETE_ENABLED:
                exchanges.run({device: complete(device) for device in self._devices})
        except StatementError as error:
            failure = error
        for device in self._devices:
            self._check(self._server.close_device(device))
        if failure is not None:
            raise failure

    def _back_up(self, exchanges: Exchanges, config: VDConfig) -> None:
        streams = Backup(
            self._statement.database,
            len(self._devices),
            config.block_size,
            config.max_transfer_size,
            self._backup_id,
            self._contents,
        )
        snapshot = self._statement.snapshot
        scripts = enumerate(self._devices)
        exchanges.run({device: backup(device, streams.frames(index), config, snapshot) for index, device in scripts})

    def _restore(self, exchanges: Exchanges, config: VDConfig) -> None:
        label_only, snapshot = self._statement.subject == "filelistonly", self._statement.snapshot
        readers = {
            device: StreamReader(
                self._statement.database, index, len(self._devices), None if label_only else self._contents
            )
            for index, device in enumerate(self._devices)
        }
        exchanges.run(
            {
                device: list_files(device, reader, config) if label_only else restore(device, reader, config, snapshot)
                for device, reader in readers.items()
            }
        )
        if len({reader.backup_id for reader in readers.values()}) != 1:
            raise StatementError(messages.mixed_backups())
