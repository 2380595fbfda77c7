"""Faults and readings as they are shipped: in the folder of a topic each, and under a name that nothing else has."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import vdi_fixtures.broken
import vdi_fixtures.readings
import vdi_fixtures.trivial
from vdi_conformance.report.certification import CANARIES
from vdi_conformance.requirements import catalogue
from vdi_fixtures.shipped import module_names

PACKAGES = (vdi_fixtures.broken, vdi_fixtures.readings, vdi_fixtures.trivial)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_of_a_package_is_found(package: ModuleType) -> None:
    files = [file for root in package.__path__ for file in Path(root).rglob("*.py") if file.stem != "__init__"]
    assert sorted(module_names(package)) == sorted(file.stem for file in files)


def test_no_two_implementations_have_one_name() -> None:
    names = [name for package in PACKAGES[:2] for name in module_names(package)]
    assert len(names) == len(set(names))


def test_a_name_given_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for topic in ("cmp", "gbh"):
        folder = tmp_path / "twice" / topic
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "same.py").touch()
    (tmp_path / "twice" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "twice", raising=False)
    with pytest.raises(ValueError, match=r"twice\.cmp\.same and twice\.gbh\.same have one name; give one of them"):
        module_names(import_module("twice"))


def test_a_fault_lies_in_the_folder_of_the_first_requirement_that_it_breaks() -> None:
    for full_name in module_names(vdi_fixtures.broken).values():
        group = import_module(full_name).BREAKS[0].partition("-")[0]
        assert full_name.split(".")[2] == group.lower(), full_name


def test_a_reading_lies_in_the_folder_of_a_topic() -> None:
    topics = {topic.lower() for topic in catalogue().topics}
    assert {full_name.split(".")[2] for full_name in module_names(vdi_fixtures.readings).values()} <= topics


def test_every_canary_is_a_fault_that_breaks_its_requirement() -> None:
    for canary in {canary for canaries in CANARIES.values() for canary in canaries}:
        module = import_module(canary.reference.partition(":")[0])
        assert canary.requirement in module.BREAKS
