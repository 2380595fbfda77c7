"""What a pytest item is as a check: its id, the requirements that it judges, and where the suite has it."""

import ast
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest

from vdi_conformance.conditions import Combination
from vdi_conformance.docstrings import first_paragraph
from vdi_conformance.requirements import catalogue

SUITE: Final = "vdi_conformance.suite"
DIRECTORY: Final = Path(str(files(SUITE))).resolve()
MARKER: Final = "vdi_requirement"
_PREFIX: Final = "test_"
_DEFINITION: Final = re.compile(rf"^def {_PREFIX}(\w+)\(", re.MULTILINE)


def requirements_of(item: pytest.Item) -> list[str]:
    """Name the requirements that a test judges; none for a test that is no check."""
    return [requirement for mark in item.iter_markers(MARKER) for requirement in mark.args]


def about_of(item: pytest.Item) -> str:
    """Give the sentence that says what a check holds."""
    documented = getattr(item, "function", None)
    return first_paragraph(documented) if documented is not None else ""


def conditions_of(item: pytest.Item) -> dict[str, str]:
    """Give the values of axes under which a check stands; nothing where it was not chosen by them."""
    callspec = getattr(item, "callspec", None)
    given = callspec.params.values() if callspec is not None else ()
    return next((dict(one.values) for one in given if isinstance(one, Combination)), {})


def level_of(requirements: list[str]) -> str:
    """Give the level of a check: that of its requirements, which are of one severity."""
    found = [requirement.level for id in requirements if (requirement := catalogue().get(id)) is not None]
    return found[0]


def check_id(item: pytest.Item) -> str:
    """Name a check, stably over versions and machines: the topic of its first requirement, its name, its parameters.

    The file in which it lies has no part in that. A test that is no check keeps the name that pytest has for it.
    """
    judged = requirements_of(item)
    return _id(judged[0], item.name) if judged else item.nodeid


def id_of_node(node: str) -> str:
    """Name the check of the suite that pytest calls by this node id; the node id itself where there is none."""
    path, _, name = node.partition("::")
    for file in suite_files():
        if file.name == path.rpartition("/")[2] and (first := _judged_in(file).get(name.partition("[")[0])):
            return _id(first, name)
    return node


def files_with(ids: Iterable[str]) -> frozenset[Path] | None:
    """Find the files of the suite in which all of these checks lie; None where one of them is nowhere."""
    holding = [_files_by_name().get(id_.partition("/")[2].partition("[")[0]) for id_ in ids]
    return frozenset().union(*(files for files in holding if files)) if all(holding) else None


@cache
def _files_by_name() -> Mapping[str, frozenset[Path]]:
    """Find once in which files checks of each name are defined, without importing any."""
    found: dict[str, frozenset[Path]] = {}
    for file in suite_files():
        for name in _DEFINITION.findall(file.read_text(encoding="utf-8")):
            found[name] = found.get(name, frozenset()) | {file}
    return MappingProxyType(found)


@cache
def suite_files() -> tuple[Path, ...]:
    """Give the files of the suite, topic by topic."""
    return tuple(sorted(DIRECTORY.glob(f"*/{_PREFIX}*.py")))


def _id(first: str, name: str) -> str:
    return f"{first.partition('-')[0]}/{name.removeprefix(_PREFIX)}"


@cache
def _judged_in(file: Path) -> Mapping[str, str]:
    """Read which requirement each check of a file judges first, without importing it."""
    judged: dict[str, str] = {}
    for function in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(function, ast.FunctionDef):
            for decorator in reversed(function.decorator_list):
                match decorator:
                    case ast.Call(func=ast.Name(id="vdi_requirement"), args=[ast.Constant(value=str(first)), *_]):
                        judged.setdefault(function.name, first)
                    case _:
                        pass
    return MappingProxyType(judged)
