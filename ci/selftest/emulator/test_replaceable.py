"""The list of the parts that may be replaced: what it names is there, all of it is used, and nothing else is taken."""

from __future__ import annotations

import ast
from importlib import import_module
from importlib.resources import files
from types import MappingProxyType

import pytest

import vdi_fixtures.broken
import vdi_fixtures.readings
from selftest.suite.troubled import NoRoom
from vdi_conformance.emulator.replaceable import REPLACEABLE
from vdi_fixtures.emulated import Emulated
from vdi_fixtures.shipped import module_names


def _names_in(module: str) -> set[str]:
    """Give what a module of the emulator defines or refers to; what it only imports has no effect there."""
    tree = ast.parse((files("vdi_conformance.emulator") / f"{module}.py").read_text(encoding="utf-8"))
    defined = {one.name for one in tree.body if isinstance(one, ast.ClassDef | ast.FunctionDef)}
    return defined | {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _replaced() -> set[str]:
    parts = set(NoRoom.parts)
    for package, name in ((vdi_fixtures.broken, "Broken"), (vdi_fixtures.readings, "Reading")):
        for module in module_names(package).values():
            kind = getattr(import_module(module), name)
            parts |= set(kind.parts) if issubclass(kind, Emulated) else set()
    return parts


@pytest.mark.parametrize("place", REPLACEABLE)
def test_the_emulator_has_every_part(place: str) -> None:
    module, _, name = place.partition(".")
    assert name in _names_in(module)


def test_every_part_is_replaced_by_something() -> None:
    assert sorted(REPLACEABLE.keys() - _replaced()) == []


def test_another_part_is_refused() -> None:
    place = "broker.instance_of"
    with pytest.raises(ValueError, match=rf"{place} is no part .* nearest: broker_state\.instance_of"):
        type("Broken", (Emulated,), {"parts": MappingProxyType({place: str})})
