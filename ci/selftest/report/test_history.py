"""A history puts the runs of one adapter beside each other, and its exit code is about the newest."""

from collections.abc import Callable
from pathlib import Path

import jsonschema
import msgspec
import pytest

from selftest.evidence.samples import PARTY
from selftest.report.harmless import require_harmless
from selftest.report.html_reading import require_closed
from selftest.report.made import check, run
from vdi_conformance.cli import main
from vdi_conformance.cli.schema import published
from vdi_conformance.evidence.files import Evidence, written
from vdi_conformance.evidence.records import Verdict
from vdi_conformance.report.comparison import NotComparable
from vdi_conformance.report.history import History, history
from vdi_conformance.report.history_views import as_html, as_json, as_markdown, as_text
from vdi_fixtures.hosts.hostile import NASTY

OTHER = check("GBH/other", requirements=("GBH-01",))


def version(number: str, verdict: Verdict = "passed", answer: str = "NOERROR") -> Evidence:
    client = msgspec.structs.replace(PARTY, version=number)
    return run(check("MBH/a", verdict, seen={"tried": answer}), OTHER, client=client)


THREE = (version("1"), version("2", "failed", "VD_E_INVALID"), version("3"))


def test_a_requirement_has_a_state_for_each_version() -> None:
    found = history(THREE)
    assert [one.label for one in found.runs] == ["1", "2", "3"]
    assert {one.id: (one.states, one.changed, one.met) for one in found.requirements} == {
        "MBH-04": (["passed", "failed", "passed"], True, False),
        "GBH-01": (["passed"] * 3, False, True),
    }
    (seen,) = found.observations
    assert (seen.question, seen.answers) == ("Q38", [["NOERROR"], ["VD_E_INVALID"], ["NOERROR"]])


def test_what_no_check_judged_is_missing_and_did_not_change() -> None:
    found = history((run(OTHER), run(OTHER, check("MBH/a"))))
    states = {one.id: (one.states, one.changed, one.met) for one in found.requirements}
    assert states["MBH-04"] == (["missing", "passed"], False, True)


def test_runs_of_one_version_are_numbered() -> None:
    assert [one.label for one in history((version("1"), version("1"), version("2"))).runs] == ["1 #1", "1 #2", "2"]


@pytest.mark.parametrize(
    ("runs", "code"), [(THREE, 0), (THREE[:2], 1), ((*THREE, version("4", "failed")), 1), ((*THREE, version("4")), 0)]
)
def test_the_exit_code_is_about_the_newest_run(runs: tuple[Evidence, ...], code: int) -> None:
    assert history(runs).exit_code == code


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        (run(OTHER, client=msgspec.structs.replace(PARTY, name="another")), "another and emulator"),
        (run(OTHER, selection=["topic GBH"]), "topic GBH"),
        (run(check("MBH/nowhere")), "no check in common"),
    ],
)
def test_runs_that_are_no_history_are_refused(odd: Evidence, told: str) -> None:
    with pytest.raises(NotComparable) as refused:
        history((version("1"), version("2"), odd))
    assert told in str(refused.value)


@pytest.mark.parametrize("view", [as_text, as_markdown, as_html])
def test_what_changed_is_told_by_version(view: Callable[[History], str]) -> None:
    told = view(history(THREE))
    assert "MBH-04" in told
    assert "VD_E_INVALID" in told.replace("\\", "")
    assert "did not regress" in told


def test_text_has_a_letter_for_each_run() -> None:
    assert "  MBH-04   .F." in as_text(history(THREE)).splitlines()


def test_a_page_is_closed_and_no_view_says_what_acts() -> None:
    nasty = [
        msgspec.structs.replace(one.header, client=msgspec.structs.replace(PARTY, name=NASTY, version=NASTY))
        for one in THREE
    ]
    runs = [Evidence(header, one.checks, one.footer) for header, one in zip(nasty, THREE, strict=True)]
    found = history(runs)
    require_harmless("\n".join(require_closed(as_html(found)).text))
    require_harmless(as_text(found))
    require_harmless(as_markdown(found))


def test_json_is_as_published() -> None:
    found = history(THREE)
    document = msgspec.json.decode(as_json(found))
    jsonschema.validate(document, msgspec.json.decode(published()["history"]))
    assert msgspec.convert(document, History) == found


@pytest.mark.parametrize("form", ["text", "markdown", "json", "html"])
def test_the_command_tells_it_in_every_format(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / f"{number}.jsonl" for number in range(3)]
    for path, one in zip(paths, THREE, strict=True):
        path.write_bytes(written(one))
    assert main(["compare", *map(str, paths), "--format", form]) == 0
    assert "MBH-04" in capsys.readouterr().out
    assert main(["compare", *map(str, paths[:2]), "--format", form]) == 1
    capsys.readouterr()
    paths[1].write_bytes(written(run(OTHER, client=msgspec.structs.replace(PARTY, name="another"))))
    assert main(["compare", *map(str, paths), "--format", form]) == 4
    assert capsys.readouterr().err.count("\n") == 1
