"""What is looked at in a whole batch before any of it runs: variables, functions, options, and what leaves loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from vdi_conformance.sqlserver.language import instructions as does
from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.functions import globals as global_functions
from vdi_conformance.sqlserver.language.functions.registry import AGGREGATES, RANKINGS, look_up
from vdi_conformance.sqlserver.language.parsing import parse
from vdi_conformance.sqlserver.option_table import recognized

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdi_conformance.sqlserver.language.instructions import Instruction


def checked(text: str, quoted_identifiers: bool, variables: Iterable[str] = ()) -> tuple[Instruction, ...]:
    """Read a batch and refuse one whose mistakes show without running it; `variables` are there from the beginning."""
    checker = _Checker({name.lower() for name in variables})
    try:
        statements = parse(text, quoted_identifiers)
        for statement in statements:
            checker.check(statement, loops=0)
    except RecursionError:
        raise fault(191, line=1) from None
    return statements


class _Checker:
    """Looks at statements in the order in which they are written, which is that of their variables."""

    def __init__(self, variables: set[str]) -> None:
        self._variables = variables

    def check(self, statement: Instruction, loops: int) -> None:
        """Look at a statement and those within it."""
        if isinstance(statement, does.Leave) and statement.how != "RETURN" and not loops:
            raise fault(135 if statement.how == "BREAK" else 136, line=statement.line)
        if isinstance(statement, does.Leave) and statement.value is not None:
            raise fault(178, line=statement.line)
        inner = loops + isinstance(statement, does.While)
        for field in cast("tuple[Any, ...]", statement):
            if isinstance(field, does.INSTRUCTIONS):
                self.check(cast("Instruction", field), inner)
            elif isinstance(field, tuple) and field and all(isinstance(one, does.INSTRUCTIONS) for one in field):
                for one in field:
                    self.check(cast("Instruction", one), inner)
            else:
                self._look(field, statement.line)
        self._names(statement)

    def _names(self, statement: Instruction) -> None:
        """Look at variables that a statement names without reading them, and at its options."""
        if isinstance(statement, does.Assign):
            self._require(statement.variable, statement.line)
        elif isinstance(statement, does.Execute) and statement.result:
            self._require(statement.result, statement.line)
        elif isinstance(statement, does.CursorAction):
            for name in statement.variables:
                self._require(name, statement.line)
        elif isinstance(statement, does.Backup | does.Restore):
            self._known_options(statement)

    def _known_options(self, statement: does.Backup | does.Restore) -> None:
        operation = type(statement).__name__.upper()
        for option in statement.options:
            if option.name not in recognized(operation):
                raise fault(155, option.name, operation, line=option.line)

    def _require(self, name: str, line: int) -> None:
        if name.lower() not in self._variables:
            raise fault(137, name, line=line)

    def _look(self, node: Any, line: int) -> None:
        """Look at an expression, a query, or whatever has some of them within."""
        left = [node]
        while left:
            found = left.pop()
            if isinstance(found, does.Declaration):
                self._declared(found, line)
            elif isinstance(found, tuple):
                self._look_at(found, line)
                left.extend(reversed(found))

    def _look_at(self, node: Any, line: int) -> None:
        if isinstance(node, tree.Variable):
            self._require(node.name, node.line)
        elif isinstance(node, tree.SelectItem) and node.variable:
            self._require(node.variable, line)
        elif isinstance(node, tree.Global) and not global_functions.known(node.name):
            raise fault(137, node.name, line=node.line)
        elif isinstance(node, tree.Call) and node.name.last.upper() not in AGGREGATES | RANKINGS:
            look_up(node.name, len(node.arguments))

    def _declared(self, node: does.Declaration, line: int) -> None:
        self._look(node.value, line)
        self._look(node.table, line)
        if node.name.lower() in self._variables:
            raise fault(134, node.name, line=line)
        self._variables.add(node.name.lower())
