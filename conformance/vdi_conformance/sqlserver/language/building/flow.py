"""The session, the flow of control, and procedures."""

from __future__ import annotations

from typing import Any, cast

from vdi_conformance.sqlserver.language import instructions as does
from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.building.expressions import condition, scalar
from vdi_conformance.sqlserver.language.building.literals import type_of
from vdi_conformance.sqlserver.language.building.queries import QueryBuilder
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.sqltypes import NVARCHAR_MAX
from vdi_conformance.sqlserver.language.tokens import name_of, string_of
from vdi_conformance.tds.answers import SqlType


def written(token: Any) -> str:
    """Give the text of a word that is a name or a string."""
    return string_of(token) if token.type in ("STRING", "NSTRING") else name_of(token)


class FlowBuilder(QueryBuilder):
    """The session and the flow of control."""

    def start(self, parts: list[Any]) -> tuple[Any, ...]:
        """A batch."""
        return tuple(parts)

    def use(self, parts: list[Any]) -> does.Use:
        """USE."""
        return does.Use(parts[0].line, name_of(parts[1]))

    def assignment(self, parts: list[Any]) -> str:
        """The operator of an assignment."""
        return str(parts[0])

    def assign(self, parts: list[Any]) -> does.Assign:
        """SET of a variable."""
        word, variable, operator, expression = parts
        return does.Assign(word.line, str(variable), operator, scalar(expression))

    def set_name(self, parts: list[Any]) -> tuple[str, tree.Name | None]:
        """The name of an option, and the table that it is about."""
        if len(parts) == 2 and isinstance(parts[1], tree.Name):
            return "IDENTITY_INSERT", parts[1]
        return " ".join(name_of(part).upper() for part in parts), None

    def set_value(self, parts: list[Any]) -> str:
        """What an option is set to."""
        return "".join(written(part) for part in parts if part is not None)

    def set_options(self, parts: list[Any]) -> does.SetOptions:
        """SET of options."""
        word, *names, value = parts
        return does.SetOptions(word.line, tuple(name for name, _ in names), value, names[0][1])

    def set_isolation(self, parts: list[Any]) -> does.SetOptions:
        """SET TRANSACTION ISOLATION LEVEL."""
        level = " ".join(str(part).upper() for part in parts[1:])
        return does.SetOptions(parts[0].line, ("TRANSACTION ISOLATION LEVEL",), level)

    def initial(self, parts: list[Any]) -> Any:
        """The value that a variable begins with."""
        return scalar(parts[1])

    def declared_scalar(self, parts: list[Any]) -> does.Declaration:
        """A variable."""
        return does.Declaration(str(parts[0]), type_of(parts[1]), parts[2])

    def declared_table(self, parts: list[Any]) -> does.Declaration:
        """A table variable."""
        return does.Declaration(str(parts[0]), NVARCHAR_MAX, table=parts[1])

    def declare(self, parts: list[Any]) -> does.Declare:
        """DECLARE."""
        return does.Declare(parts[0].line, tuple(parts[1:]))

    def cursor_word(self, parts: list[Any]) -> None:
        """A property of a cursor, which changes nothing here."""

    def declare_cursor(self, parts: list[Any]) -> does.DeclareCursor:
        """DECLARE CURSOR."""
        (query,) = (part for part in parts if isinstance(part, tree.Query))
        return does.DeclareCursor(parts[0].line, name_of(parts[1]), query)

    def cursor_action(self, parts: list[Any]) -> does.CursorAction:
        """OPEN, CLOSE and DEALLOCATE."""
        return does.CursorAction(parts[0].line, cast("Any", parts[0].type), name_of(parts[1]))

    def variable_list(self, parts: list[Any]) -> tuple[str, ...]:
        """Variables."""
        return tuple(map(str, parts))

    def fetch(self, parts: list[Any]) -> does.CursorAction:
        """FETCH."""
        word, _, name, variables = parts
        return does.CursorAction(word.line, "FETCH", name_of(name), variables or ())

    def if_(self, parts: list[Any]) -> does.If:
        """IF."""
        word, tested, then, otherwise = parts
        return does.If(word.line, condition(tested, word.line, word), then, otherwise)

    def while_(self, parts: list[Any]) -> does.While:
        """WHILE."""
        word, tested, body = parts
        return does.While(word.line, condition(tested, word.line, word), body)

    def block(self, parts: list[Any]) -> does.Block:
        """BEGIN and END; between them is a statement at least."""
        if len(parts) == 1:
            raise fault(156, "END", line=parts[0].line)
        return does.Block(parts[0].line, tuple(parts[1:]))

    def try_(self, parts: list[Any]) -> does.Try:
        """BEGIN TRY."""
        return does.Try(parts[0].line, tuple(parts[1:-1]), parts[-1])

    def caught(self, parts: list[Any]) -> tuple[Any, ...]:
        """BEGIN CATCH."""
        return tuple(parts[1:])

    def leave(self, parts: list[Any]) -> does.Leave:
        """BREAK, CONTINUE and RETURN."""
        value = scalar(parts[1]) if len(parts) == 2 and parts[1] is not None else None
        return does.Leave(parts[0].line, cast("Any", parts[0].type), value)

    def print_(self, parts: list[Any]) -> does.Print:
        """PRINT."""
        return does.Print(parts[0].line, scalar(parts[1]))

    def word_list(self, parts: list[Any]) -> tuple[str, ...]:
        """Words in capitals."""
        return tuple(str(part).upper() for part in parts)

    def raiserror(self, parts: list[Any]) -> does.RaiseError:
        """RAISERROR."""
        return does.RaiseError(parts[0].line, parts[1], parts[2] or ())

    def throw(self, parts: list[Any]) -> does.Throw:
        """THROW."""
        return does.Throw(parts[0].line, tuple(part for part in parts[1:] if part is not None))

    def waitfor(self, parts: list[Any]) -> does.WaitFor:
        """WAITFOR."""
        return does.WaitFor(parts[0].line, cast("Any", parts[1].type), parts[2])

    def kill(self, parts: list[Any]) -> does.Kill:
        """KILL."""
        return does.Kill(parts[0].line, parts[1])

    def transaction_name(self, parts: list[Any]) -> str:
        """The name of a transaction."""
        return name_of(parts[0]) if parts else ""

    def transaction(self, parts: list[Any]) -> does.Transaction:
        """BEGIN, COMMIT, ROLLBACK and SAVE TRANSACTION."""
        return does.Transaction(parts[0].line, cast("Any", parts[0].type), parts[1] or "")

    def checkpoint(self, parts: list[Any]) -> does.Maintenance:
        """CHECKPOINT."""
        return does.Maintenance(parts[0].line, "CHECKPOINT")

    def dbcc(self, parts: list[Any]) -> does.Maintenance:
        """DBCC."""
        return does.Maintenance(parts[0].line, name_of(parts[1]).upper(), parts[2] or ())

    def bare_word(self, parts: list[Any]) -> tree.Constant:
        """A word that stands for a string."""
        text = name_of(parts[0])
        return tree.Constant(text, SqlType("nvarchar", max(len(text), 1)))

    def named(self, parts: list[Any]) -> str:
        """The parameter that an argument is for, or the variable that takes a result."""
        return str(parts[0])

    def argument(self, parts: list[Any]) -> does.Argument:
        """An argument of EXEC; DEFAULT is taken for NULL."""
        name, value, output = parts
        return does.Argument(name or "", value or self.null([]), output is not None)

    def argument_list(self, parts: list[Any]) -> tuple[does.Argument, ...]:
        """Arguments of EXEC."""
        return tuple(parts)

    def procedure(self, parts: list[Any]) -> Any:
        """A procedure, or the variable that has its name."""
        found = parts[0]
        return found if isinstance(found, tree.Name) else tree.Variable(str(found), found.line)

    def execute(self, parts: list[Any]) -> does.Execute:
        """EXEC of a procedure."""
        word, result, procedure, arguments = parts
        return does.Execute(word.line, procedure, arguments or (), result)

    def execute_first(self, parts: list[Any]) -> does.Execute:
        """A procedure at the beginning of a batch, where EXEC may be left out."""
        return does.Execute(parts[0].line, parts[1], parts[2] or ())

    def execute_text(self, parts: list[Any]) -> does.ExecuteText:
        """EXEC of a text."""
        return does.ExecuteText(parts[0].line, scalar(parts[1]))
