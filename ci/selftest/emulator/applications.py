"""Client applications of few lines, over the adapter's own classes."""

from __future__ import annotations

import ctypes
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from vdi_conformance.adapters.emulator import Emulator
from vdi_conformance.contract import Command, Database, Environment, Statement
from vdi_conformance.vdi.commands import VDC_READ, VDC_WRITE
from vdi_conformance.vdi.completion import ERROR_HANDLE_EOF, ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vdi_conformance.contract import StatementOutcome, VirtualDevice, VirtualDeviceSet

    Complete = Callable[[Command, int], tuple[int, int]]

DEFAULT = VDConfig()
PATIENCE = 20_000
"""How long a call waits for what is bound to come, in milliseconds."""


def peek(address: int, size: int) -> bytes:
    """Read memory of this process."""
    return ctypes.string_at(address, size)


def poke(address: int, data: bytes) -> None:
    """Write memory of this process."""
    ctypes.memmove(address, data, len(data))


class Tape:
    """A device's stream; `complete` may change what a command is completed with (code and byte count)."""

    def __init__(self, stream: bytes = b"", complete: Complete | None = None) -> None:
        self.stream = stream
        self.commands: list[Command] = []
        self.position = 0
        self._complete = complete or (lambda _command, count: (self._code(_command, count), count))

    def serve(self, device: VirtualDevice) -> int:
        """Be an application on one device until GetCommand fails; give its code."""
        while (fetched := device.get_command(PATIENCE)).value is not None:
            command = fetched.value
            self.commands.append(command)
            code, count = self._complete(command, self._offer(command))
            if command.code == VDC_READ:
                self.position += count
            if device.complete_command(command.address, code, count, 0) != NOERROR:
                break
        return fetched.code

    def _offer(self, command: Command) -> int:
        if command.code == VDC_WRITE:
            self.stream += peek(command.buffer, command.size)
            return command.size
        if command.code == VDC_READ:
            part = self.stream[self.position : self.position + command.size]
            poke(command.buffer, part)
            return len(part)
        return 0

    @staticmethod
    def _code(command: Command, count: int) -> int:
        return ERROR_HANDLE_EOF if command.code == VDC_READ and count < command.size else ERROR_SUCCESS


class Run(NamedTuple):
    """A statement that has ended: its outcome, the codes that ended each device, and that of Close."""

    outcome: StatementOutcome
    ends: list[int]
    close: int

    @property
    def numbers(self) -> list[int]:
        """The numbers of the statement's messages."""
        return [number for number, _ in self.outcome.messages]


class Site:
    """A directory with a broker; every emulator made here counts as a process of its own."""

    def __init__(self, directory: Path) -> None:
        self.environment = Environment(str(directory), seed=7)
        self.threads = ThreadPoolExecutor(max_workers=80)

    def emulator(self) -> Emulator:
        """Make what stands for a further process."""
        return Emulator(self.environment)

    def start(self, statement: Statement) -> Future[StatementOutcome]:
        """Run a statement in the background."""
        return self.threads.submit(self.emulator().statement_server().execute, statement)

    def configured(
        self, statement: Statement, config: VDConfig = DEFAULT
    ) -> tuple[VirtualDeviceSet, Future[StatementOutcome]]:
        """Create the set of a statement, start the statement, and wait for the configuration."""
        primary = self.emulator().virtual_device_set()
        config = config._replace(device_count=len(statement.devices))
        assert primary.create_ex(statement.instance, statement.devices[0], config) == NOERROR
        execution = self.start(statement)
        assert primary.get_configuration(PATIENCE).code == NOERROR
        return primary, execution

    def run(self, statement: Statement, tapes: list[Tape], config: VDConfig = DEFAULT) -> Run:
        """Run a statement with one tape a device, each on its own thread."""
        primary, execution = self.configured(statement, config)
        serving = []
        for name, tape in zip(statement.devices, tapes, strict=True):
            device = primary.open_device(name).value
            assert device is not None
            serving.append(self.threads.submit(tape.serve, device))
        outcome = execution.result(PATIENCE / 1000)
        return Run(outcome, [future.result(PATIENCE / 1000) for future in serving], primary.close())

    def back_up(self, statement: Statement) -> list[bytes]:
        """Run a BACKUP that must succeed, and give its streams."""
        tapes = [Tape() for _ in statement.devices]
        run = self.run(statement, tapes)
        assert run == Run(run.outcome, [VD_E_CLOSE] * len(tapes), NOERROR)
        assert run.outcome.succeeded
        return [tape.stream for tape in tapes]


def backup(*devices: str, size: int = 400_000, **options: Any) -> Statement:
    """Give a BACKUP of a database of that size."""
    return Statement("backup", None, devices or ("set",), Database(3, size), **options)


def restore(*devices: str, size: int = 400_000, **options: Any) -> Statement:
    """Give the RESTORE of such a backup."""
    return backup(*devices, size=size, **options)._replace(operation="restore")
