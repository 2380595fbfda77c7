"""Which check found each fault the last time, as `ci/found.py` wrote it down."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import NamedTuple


class Kill(NamedTuple):
    """A fault, a requirement that it breaks, and the check that saw it."""

    fault: str
    requirement: str
    check: str


def found() -> Iterator[Kill]:
    """Read the list."""
    lines = (files("vdi_fixtures") / "found.tsv").read_text(encoding="utf-8").splitlines()
    _, *rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return (Kill(*row) for row in rows)


@cache
def checks_by_fault() -> Mapping[str, tuple[str, ...]]:
    """Give the checks that found each fault."""
    checks: dict[str, dict[str, None]] = {}
    for one in found():
        checks.setdefault(one.fault, {})[one.check] = None
    return MappingProxyType({fault: tuple(seen) for fault, seen in checks.items()})


def faults_of(requirement: str) -> tuple[str, ...]:
    """Name the faults that turned a check of this requirement red."""
    return tuple(sorted({one.fault for one in found() if one.requirement == requirement}))
