"""`run --junit`, `--html`, `--markdown`: a whole run leaves the files, one that was cut short leaves none."""

from pathlib import Path
from xml.etree import ElementTree as ET

from selftest.pytest_plugin.disturbers import disturber
from selftest.suite.runs import RunSuite, named, run_pytest_in
from vdi_conformance.report.formats import FORMATS
from vdi_conformance.report.junit import junit

HANDLES = named("GBH/every_data_command_has_a_handle")
FEW = ("--adapter", "emulator", *HANDLES, "--junit", "junit.xml", "--")
SOME = named(
    "MBH/processes_see_one_memory_at_their_own_addresses", "MBH/an_object_that_never_opened_a_set_maps_nothing"
)
PAGES = ("--html", "new/page.html", "--markdown", "new/summary.md")
BROKEN = "vdi_fixtures.broken.mbh.mapping_copies:Broken"


def _counts(path: Path) -> list[int]:
    suites = list(ET.parse(path).getroot().iter("testsuite"))  # noqa: S314, our own text
    return [sum(int(suite.attrib[name]) for suite in suites) for name in ("tests", "failures", "errors", "skipped")]


def test_the_file_is_what_the_evidence_gives_and_counts_as_pytest_does(run_suite: RunSuite, tmp_path: Path) -> None:
    options = ("--adapter", BROKEN, "-n", "1", *SOME, "--junit", "new/junit.xml", *PAGES)
    run = run_suite(*options, "--", "--junit-xml=pytest.xml")
    assert run.exit_code == 1, run.output
    written = tmp_path / "new" / "junit.xml"
    assert written.read_bytes() == junit(run.evidence)
    for name, form in {"page.html": "html", "summary.md": "markdown"}.items():
        assert (tmp_path / "new" / name).read_bytes() == FORMATS[form](run.evidence)
    counts = _counts(written)
    assert counts == _counts(tmp_path / "pytest.xml")
    assert counts[0] > counts[1] > 0, run.output


def test_an_interrupted_run_leaves_no_file_not_even_an_old_one(run_suite: RunSuite, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    files = [tmp_path / "junit.xml", *(tmp_path / name for name in PAGES[1::2])]
    for file in files:
        file.write_text("of an earlier run", encoding="utf-8")
    run = run_suite(*PAGES, *FEW, *disturber(tmp_path, "interrupts"))
    assert run.exit_code == 2, run.output
    assert not [file for file in files if file.exists()]


def test_a_check_whose_worker_died_is_an_error(run_suite: RunSuite, tmp_path: Path) -> None:
    run = run_suite("-n", "2", *FEW, *disturber(tmp_path, "kills"))
    assert run.exit_code == 6, run.output
    assert _counts(tmp_path / "junit.xml") == [4, 0, 1, 0]


def test_plain_pytest_writes_it_too(tmp_path: Path) -> None:
    plain = [option.replace("--", "--vdi-") for option in HANDLES]
    ended = run_pytest_in(tmp_path, "--vdi-adapter=emulator", "--vdi-junit=junit.xml", *plain)
    assert ended.exit_code == 0, ended.output
    assert _counts(tmp_path / "junit.xml") == [4, 0, 0, 0]
