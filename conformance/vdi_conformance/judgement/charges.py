"""What one check says of each requirement: what it broke is charged, what it could not judge for that is not; pure."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from vdi_conformance.evidence.records import CheckRecord, Verdict

HIDDEN: Final[Mapping[Verdict, Verdict | None]] = MappingProxyType(
    {"failed": "not tested", "warning": None, "known failure": None}
)
"""What a check says of a requirement that it judges where it ended so because of another one; None: nothing."""


def concerned(check: CheckRecord) -> list[str]:
    """Name the requirements that the end of a check is about: those that it broke, else those that it judges."""
    return check.broken or check.requirements


def verdicts(check: CheckRecord) -> Iterator[tuple[str, Verdict | None]]:
    """Give each requirement that a check judges or broke, with what it says of it; None where it says nothing."""
    for requirement in dict.fromkeys([*check.requirements, *check.broken]):
        charged = not check.broken or requirement in check.broken
        yield requirement, check.verdict if charged else HIDDEN.get(check.verdict, check.verdict)
