"""The list of mutants that rightly survive: what it names is there."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path

import vdi_conformance

MUTANTS = Path(__file__).resolve().parents[2] / "mutants"
EMULATOR = Path(vdi_conformance.__file__).parent / "emulator"


def test_every_mutant_that_rightly_survives_is_one_of_the_emulator_and_has_a_reason() -> None:
    configuration = tomllib.loads((MUTANTS / "mutants.toml").read_text(encoding="utf-8"))
    texts = {
        name: " ".join((EMULATOR / f"{name}.py").read_text(encoding="utf-8").split())
        for name in configuration["modules"]
    }
    with (MUTANTS / "unkilled.tsv").open(encoding="utf-8", newline="") as file:
        requirements = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    wrong = [
        requirement
        for requirement in requirements
        if requirement["original"] not in texts.get(requirement["module"], "")
        or requirement["original"] == requirement["mutated"]
        or requirement["class"] not in ("equivalent", "permitted")
        or not requirement["reason"]
    ]
    assert requirements
    assert not wrong
