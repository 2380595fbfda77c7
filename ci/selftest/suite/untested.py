"""Servers that cannot try a statement, each for a reason that says nothing about the client library."""

import os

from vdi_conformance.adapters.emulator import Emulator
from vdi_conformance.contract import Outcome, Statement, StatementOutcome, Unavailable, VirtualDeviceSet
from vdi_conformance.emulator.client import EmulatorDeviceSet
from vdi_conformance.vdi.hresult import VD_E_UNEXPECTED
from vdi_conformance.vdi.structures import VDConfig

REASON = "the server has no space: make room for it"


class _Statements:
    def __init__(self, adapter: "AtOnce") -> None:
        self.adapter = adapter

    def execute(self, statement: Statement) -> StatementOutcome:
        """Refuse."""
        raise Unavailable(REASON)


class _Later(_Statements):
    def execute(self, statement: Statement) -> StatementOutcome:
        """Come to the set, abort it, and say only then why."""
        server = self.adapter.scripted_server()
        server.open(statement.instance, statement.devices[0])
        server.signal_abort()
        raise Unavailable(REASON)


class _Elsewhere(_Statements):
    def execute(self, statement: Statement) -> StatementOutcome:
        """Fail before the set is looked for."""
        return StatementOutcome(False, ((911, "there is no such database"), (3013, "terminating abnormally")))


class _Afterwards(_Statements):
    def execute(self, statement: Statement) -> StatementOutcome:
        """Work with the set, and fail in the end."""
        super(AtOnce, self.adapter).statement_server().execute(statement)
        return StatementOutcome(False, ((3243, "this is no backup of mine"), (3013, "terminating abnormally")))


class AtOnce(Emulator):
    """The emulator, with statements that are refused."""

    statements: type[_Statements] = _Statements

    def statement_server(self) -> _Statements:
        """Make the server."""
        return self.statements(self)


class Later(AtOnce):
    """The emulator, with statements that are given up."""

    statements = _Later


class Elsewhere(AtOnce):
    """The emulator, with statements that fail by themselves."""

    statements = _Elsewhere


class Afterwards(AtOnce):
    """The emulator, with statements that fail when all is done."""

    statements = _Afterwards


class _GivenUp(_Statements):
    def execute(self, statement: Statement) -> StatementOutcome:
        """Fail with a number of one's own where the client goes."""
        outcome = super(AtOnce, self.adapter).statement_server().execute(statement)
        return outcome if outcome.succeeded else StatementOutcome(False, ((1, "the client gave up"),))


class _Unconfigured(EmulatorDeviceSet):
    def get_configuration(self, timeout: int, null_out: bool = False) -> Outcome[VDConfig]:
        """Wait, and fail."""
        super().get_configuration(timeout, null_out)
        return Outcome(VD_E_UNEXPECTED)


class Unconfigured(AtOnce):
    """Clients that no GetConfiguration succeeds for, and a server with numbers of its own."""

    statements = _GivenUp

    def virtual_device_set(self) -> VirtualDeviceSet:
        """Make a client object."""
        return _Unconfigured(self._linked())


class _Dying(EmulatorDeviceSet):
    def get_configuration(self, timeout: int, null_out: bool = False) -> Outcome[VDConfig]:
        """End the process."""
        os._exit(3)


class Dying(AtOnce):
    """Clients that die before they are configured, and a server that could not have tried its statement."""

    def virtual_device_set(self) -> VirtualDeviceSet:
        """Make a client object."""
        return _Dying(self._linked())
