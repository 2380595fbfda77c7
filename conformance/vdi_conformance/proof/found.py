"""Which check found each fault the last time, as `ci/found.py` wrote it down."""

import ast
from collections.abc import Mapping
from functools import cache
from importlib.abc import InspectLoader
from importlib.resources import files
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final, NamedTuple

from vdi_conformance.data_tables import rows
from vdi_conformance.docstrings import as_one_line
from vdi_fixtures import broken
from vdi_fixtures.shipped import module_names

_FILE: Final = "found.tsv"


class Kill(NamedTuple):
    """A fault, a requirement that it breaks, and the check that saw it."""

    fault: str
    requirement: str
    check: str


@cache
def found() -> tuple[Kill, ...]:
    """Read the list."""
    text = (files("vdi_fixtures") / _FILE).read_text(encoding="utf-8")
    return tuple(Kill(**row) for row in rows(text, _FILE, Kill._fields))


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
    return MappingProxyType({name: _about(names[name]) for name in red})


@cache
def _about(module: str) -> str:
    """Read what a module says of itself, without running it: to import all faults takes seconds."""
    loader = spec.loader if (spec := find_spec(module)) is not None else None
    source = loader.get_source(module) if isinstance(loader, InspectLoader) else None
    return as_one_line(ast.get_docstring(ast.parse(source or "")) or "")
