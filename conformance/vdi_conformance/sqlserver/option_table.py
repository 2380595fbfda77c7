"""The options that may stand behind WITH in BACKUP and RESTORE: of which statements, with which value."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.data_tables import shipped

if TYPE_CHECKING:
    from collections.abc import Mapping

_READING: Final = ("filelistonly", "headeronly", "labelonly", "verifyonly")


class KnownOption(NamedTuple):
    """One line of the table: an option that some statements may have with a value of one kind.

    `treatment` is obeyed, ignored, refused, or password; it cannot be together with one of `conflicts`.
    """

    option: str
    statements: frozenset[str]
    value: str
    treatment: str
    conflicts: tuple[str, ...]

    def goes_with(self, words: str) -> bool:
        """Tell whether a statement may have it whose first two words these are."""
        operation, subject = words.lower().split()
        kinds = {operation, f"{operation}-{subject}", subject} if subject not in _READING else {"read", subject}
        return bool(kinds & self.statements)

    @property
    def operations(self) -> frozenset[str]:
        """BACKUP, RESTORE or both: the first words of the statements that may have it."""
        return frozenset("BACKUP" if one.startswith("backup") else "RESTORE" for one in self.statements)


@cache
def known_options() -> Mapping[str, tuple[KnownOption, ...]]:
    """Give the lines of the table by the names of their options, in capitals."""
    known: dict[str, tuple[KnownOption, ...]] = {}
    for line in shipped("vdi_conformance.sqlserver", "options.tsv"):
        option, statements, value, treatment, conflicts = line.values()
        found = KnownOption(option, frozenset(statements.split()), value, treatment, tuple(conflicts.split()))
        known[option] = (*known.get(option, ()), found)
    return known


@cache
def recognized(operation: str) -> frozenset[str]:
    """Name the options that BACKUP or RESTORE have, in whatever form of the statement."""
    return frozenset(
        name for name, lines in known_options().items() if any(operation in one.operations for one in lines)
    )
