"""A table that is changed, wherever it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.values import convert
from vdi_conformance.sqlserver.tables import checked, unique

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vdi_conformance.sqlserver.execution.run import Run
    from vdi_conformance.sqlserver.language.tree import Name
    from vdi_conformance.tds.answers import Column, SqlType, Value

    Values = tuple[Value, ...]


class Target:
    """A table that is changed."""

    def __init__(self, run: Run, name: Name) -> None:
        self.name = name
        self._state = run.state
        self._memory = run.state.memory_table(name)
        self._located = run.state.located(name)
        found = self._memory.definition if self._memory else run.state.instance.table(self._located)
        if found is None:
            raise fault(208, name.written, line=name.line)
        self.definition = found

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns."""
        return self.definition.columns

    def rows(self) -> Iterable[Values]:
        """Its rows as they are."""
        return self._memory.rows if self._memory else self._state.instance.rows(self._located)

    def insert(self, rows: Iterable[Values]) -> int:
        """Add rows, all or none."""
        good = checked(self.definition, rows, self.name.last)
        if self.definition.key:
            good = unique(self.definition, self.rows(), good, self.name.last)
        self._remember()
        if self._memory is None:
            return self._state.instance.insert(self._located, good, self._state.asker())
        added = tuple(good)
        self._memory.rows = (*self._memory.rows, *added)
        return len(added)

    def replace(self, rows: Sequence[Values]) -> None:
        """Have these rows and no others."""
        good = tuple(unique(self.definition, (), checked(self.definition, rows, self.name.last), self.name.last))
        self._remember()
        self._store(good)

    def _store(self, rows: tuple[Values, ...]) -> None:
        if self._memory is None:
            self._state.instance.replace_rows(self._located, rows, self._state.asker())
        else:
            self._memory.rows = rows

    def _remember(self) -> None:
        """Keep the rows for a rollback; table variables have none."""
        if self._state.in_transaction and not self.name.last.startswith("@"):
            before = tuple(self.rows())
            self._state.undo.append(lambda: self._store(before))


def fitting(given: Value, source: SqlType, target: SqlType) -> Value:
    """Give a value as a column will have it; what is too long is not cut, so that it can be refused."""
    if isinstance(given, str | bytes) and target.length:
        wide = convert(given, source, target._replace(length=0))
        if not isinstance(wide, str | bytes) or len(wide.rstrip() if isinstance(wide, str) else wide) > target.length:
            return wide
    return convert(given, source, target)
