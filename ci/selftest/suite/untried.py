"""Servers that cannot try a statement, each for a reason that says nothing about the client library."""

from vdi_conformance.adapters.emulator import Emulator
from vdi_conformance.contract import Statement, StatementOutcome, Unavailable

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
