"""What is private in pytest and Hypothesis is used in one module."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
THE_ONE = ROOT / "conformance" / "vdi_conformance" / "private_interfaces.py"
FILES = [file for part in ("conformance", "fixtures", "ci") for file in sorted((ROOT / part).rglob("*.py"))]
OTHERS = ("_pytest", "pytest", "hypothesis", "pluggy", "xdist")


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _private(name: str) -> bool:
    parts = name.split(".")
    return parts[0] in OTHERS and any(part == "internal" or part.startswith("_") for part in parts)


def _attributes(tree: ast.Module) -> set[str]:
    """Give what has an underscore and belongs to something else than `self`."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
    }


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("line", "private"),
    [
        ("from _pytest.runner import runtestprotocol", True),
        ("from hypothesis.internal.conjecture import engine", True),
        ("from hypothesis import internal", True),
        ("import _pytest", True),
        ("from pytest import _code", True),
        ("import pytest", False),
        ("from hypothesis.stateful import rule", False),
        ("from vdi_conformance.adapters import _private", False),
    ],
)
def test_a_private_import_is_told_from_another(line: str, private: bool) -> None:
    assert any(map(_private, _imported(ast.parse(line)))) is private


def test_private_interfaces_of_others_are_used_in_one_module_alone() -> None:
    assert any(map(_private, _imported(_tree(THE_ONE))))
    its_own = _attributes(_tree(THE_ONE))
    assert its_own
    for file in FILES:
        if file != THE_ONE:
            tree = _tree(file)
            assert [name for name in _imported(tree) if _private(name)] == [], file
            assert _attributes(tree) & its_own == set(), file
