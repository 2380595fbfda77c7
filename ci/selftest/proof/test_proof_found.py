"""The list of what found each fault: it fits the suite and the faults as they are."""

from importlib import import_module

from vdi_conformance.cli.checks import checks
from vdi_conformance.proof.found import checks_by_fault, faults_of, found
from vdi_fixtures import broken
from vdi_fixtures.shipped import module_names

REMEDY = "run `vdi-conformance prove --json reports/proof.json`, then `python ci/found.py reports/proof.json`"


def test_every_check_and_every_fault_of_the_list_is_there() -> None:
    here = {name.rpartition(".")[2] for name in module_names(broken)}
    assert [one for one in found() if one.check not in checks() or one.fault not in here] == [], REMEDY


def test_every_fault_is_in_the_list() -> None:
    everyday = (name for name in module_names(broken).values() if not hasattr(import_module(name), "TIER"))
    here = {name.rpartition(".")[2] for name in everyday}
    assert sorted(here - checks_by_fault().keys()) == [], REMEDY


def test_a_requirement_knows_the_faults_that_turned_it_red() -> None:
    assert "mapping_copies" in faults_of("MBH-02")
    assert faults_of("XYZ-01") == {}
