"""Servers in trouble, slow ones and clients that lose what comes, all made of the emulator."""

import errno
import os
from types import MappingProxyType

from vdi_conformance.adapters.emulator import Emulator
from vdi_conformance.contract import Capabilities, Outcome, Statement, StatementOutcome, VirtualDeviceSet
from vdi_conformance.emulator.client import EmulatorDeviceSet
from vdi_conformance.emulator.server import EmulatorServer
from vdi_conformance.emulator.statement import EmulatorStatementServer
from vdi_conformance.emulator.transfers import StatementError
from vdi_conformance.vdi.hresult import NOERROR, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import INFINITE, VDConfig
from vdi_fixtures.emulated import Emulated

NUMBER = "TROUBLED_NUMBER"
TEXT = "TROUBLED_TEXT"
"""Environment variables: what a server says; NAME in the text is that of the set."""
TURN = "turn"
"""The set by which a client tells a server that it may go on."""


class _Statements:
    def __init__(self, adapter: "Honest") -> None:
        self.adapter = adapter

    def execute(self, statement: Statement) -> StatementOutcome:
        """Do as the adapter does."""
        return self.adapter.run(statement)


class Honest(Emulator):
    """A server of which nothing is known, and that has no trouble."""

    def capabilities(self) -> Capabilities:
        """Declare what a SQL Server does."""
        return Capabilities(server="statement")

    def statement_server(self) -> _Statements:
        """Make the server."""
        return _Statements(self)

    def run(self, statement: Statement) -> StatementOutcome:
        """Run a statement by the emulator."""
        return self.inner(EmulatorServer).execute(statement)

    def inner(self, kind: type[EmulatorServer]) -> EmulatorStatementServer:
        """Make the emulator's server of statements."""
        return EmulatorStatementServer(lambda: kind(self._linked()), self.environment.seed)


class Refusing(Honest):
    """It says what the environment names, whatever it is asked."""

    def run(self, statement: Statement) -> StatementOutcome:
        """Refuse."""
        text = os.environ[TEXT].replace("NAME", statement.devices[0])
        return StatementOutcome(False, ((int(os.environ[NUMBER]), text), (3013, "terminating abnormally")))


class RefusingRestores(Refusing):
    """A BACKUP runs, and a RESTORE is refused."""

    def run(self, statement: Statement) -> StatementOutcome:
        """Refuse it."""
        return Honest.run(self, statement) if statement.operation == "backup" else super().run(statement)


class _Failing(EmulatorServer):
    sent = 0

    def send_command(self, device: str, code: int, size: int, position: int, buffer: int, tag: int) -> int:
        self.sent += 1
        if self.sent > 3:
            raise StatementError((int(os.environ[NUMBER]), os.environ[TEXT].replace("NAME", device)))
        return super().send_command(device, code, size, position, buffer, tag)


class FailingInTheMiddle(Honest):
    """It ends what it had begun, and says what the environment names."""

    def run(self, statement: Statement) -> StatementOutcome:
        """Fail after three commands."""
        return self.inner(_Failing).execute(statement)


class Dying(Honest):
    """Its process ends."""

    def run(self, statement: Statement) -> StatementOutcome:
        """End it."""
        os._exit(3)


class Slow(Honest):
    """It begins only when the client makes a call for the second time; a real one takes longer than a call waits."""

    def run(self, statement: Statement) -> StatementOutcome:
        """Wait to be told, then do it."""
        turn = EmulatorDeviceSet(self._linked())
        turn.create_ex(None, TURN, VDConfig(device_count=1))
        turn.get_configuration(INFINITE)
        turn.close()
        return super().run(statement)


class _Patient(EmulatorDeviceSet):
    """Its first long wait is over at once, its second one tells the server to begin."""

    longer = 0

    def get_configuration(self, timeout: int, null_out: bool = False) -> Outcome[VDConfig]:
        if timeout:
            self.longer += 1
            if self.longer == 1:
                return Outcome(VD_E_TIMEOUT, VDConfig(*[0] * len(VDConfig._fields)))
            server = EmulatorServer(self._link)
            while server.open(None, TURN) != NOERROR:
                pass
            server.signal_abort()
            server.close()
        return super().get_configuration(timeout, null_out)


class Patient(Emulator):
    """Clients as if there were much time."""

    def virtual_device_set(self) -> VirtualDeviceSet:
        """Make a client object."""
        return _Patient(self._linked())


class _Blind(EmulatorDeviceSet):
    def get_configuration(self, timeout: int, null_out: bool = False) -> Outcome[VDConfig]:
        """Wait, and show nothing."""
        return super().get_configuration(timeout, null_out)._replace(code=VD_E_TIMEOUT)


class Blind(Emulator):
    """Clients that are never shown a configuration."""

    def virtual_device_set(self) -> VirtualDeviceSet:
        """Make a client object."""
        return _Blind(self._linked())


class _Forgetful(EmulatorDeviceSet):
    lost = False

    def get_configuration(self, timeout: int, null_out: bool = False) -> Outcome[VDConfig]:
        """Lose the first answer that is there."""
        outcome = super().get_configuration(timeout, null_out)
        if self.lost or outcome.code != NOERROR:
            return outcome
        self.lost = True
        return outcome._replace(code=VD_E_TIMEOUT)


class Forgetful(Emulator):
    """Clients that are woken too late."""

    def virtual_device_set(self) -> VirtualDeviceSet:
        """Make a client object."""
        return _Forgetful(self._linked())


def _no_space(_descriptor: int, _length: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class NoRoom(Emulated):
    """An emulator that finds no room for any area."""

    parts = MappingProxyType({"segments._allocate": _no_space})
