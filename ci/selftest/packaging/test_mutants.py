"""The list of mutants that rightly survive: what it names is there."""

from __future__ import annotations

import ast
import csv
import tomllib
from pathlib import Path

import vdi_conformance

MUTANTS = Path(__file__).resolve().parents[2] / "mutants"
EMULATOR = Path(vdi_conformance.__file__).parent / "emulator"


def functions(node: ast.AST, within: str = "") -> set[str]:
    """Name the classes and functions of a module as mutants name where they are."""
    found = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            name = f"{within}{child.name}"
            found |= {name} | functions(child, f"{name}.")
    return found


def test_every_mutant_that_rightly_survives_is_one_of_the_emulator_and_has_a_reason() -> None:
    configuration = tomllib.loads((MUTANTS / "mutants.toml").read_text(encoding="utf-8"))
    texts = {
        name: " ".join((EMULATOR / f"{name}.py").read_text(encoding="utf-8").split())
        for name in configuration["modules"]
    }
    named = {name: functions(ast.parse((EMULATOR / f"{name}.py").read_text(encoding="utf-8"))) for name in texts}
    with (MUTANTS / "unkilled.tsv").open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    wrong = [
        mutant
        for mutant in listed
        if mutant["original"] not in texts.get(mutant["module"], "")
        or mutant["function"] not in named[mutant["module"]] | {"(module)"}
        or mutant["original"] == mutant["mutated"]
        or mutant["class"] not in ("equivalent", "permitted")
        or not mutant["reason"]
    ]
    assert listed
    assert not wrong
