"""Which check found each fault the last time, as `ci/found.py` wrote it down."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.resources import files
from types import MappingProxyType
from typing import NamedTuple

from vdi_conformance.docstrings import first_paragraph
from vdi_fixtures import broken
from vdi_fixtures.shipped import module_names


class Kill(NamedTuple):
    """A fault, a requirement that it breaks, and the check that saw it."""

    fault: str
    requirement: str
    check: str


@cache
def found() -> tuple[Kill, ...]:
    """Read the list."""
    lines = (files("vdi_fixtures") / "found.tsv").read_text(encoding="utf-8").splitlines()
    _, *rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return tuple(Kill(*row) for row in rows)


@cache
def checks_by_fault() -> Mapping[str, tuple[str, ...]]:
    """Give the checks that found each fault."""
    checks: dict[str, dict[str, None]] = {}
    for one in found():
        checks.setdefault(one.fault, {})[one.check] = None
    return MappingProxyType({fault: tuple(seen) for fault, seen in checks.items()})


def faults_of(requirement: str) -> Mapping[str, str]:
    """Name the faults that turned a check of this requirement red, with what is wrong with each."""
    names = module_names(broken)
    red = sorted({one.fault for one in found() if one.requirement == requirement and one.fault in names})
    return MappingProxyType({name: first_paragraph(import_module(names[name])) for name in red})
