"""A matrix puts the runs of one adapter on several platforms beside each other, and what differs comes first."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

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
from vdi_conformance.evidence.records import Machine, Verdict
from vdi_conformance.evidence.redaction import Redactor, redacted
from vdi_conformance.report.comparison import NotComparable
from vdi_conformance.report.matrix import Matrix, matrix
from vdi_conformance.report.matrix_views import as_html, as_json, as_markdown, as_text
from vdi_fixtures.hosts.hostile import NASTY

SAME = check("GBH/same", requirements=("GBH-01",))


def on(name: str, verdict: Verdict = "passed", answer: str = "NOERROR", **header: Any) -> Evidence:
    machine = Machine(name=name, platform="here", python="3.11")
    return run(check("MBH/a", verdict, seen={"tried": answer}), SAME, machines=[machine], **header)


TWO = (on("debian"), on("win11", "failed", "VD_E_INVALID"))


def test_what_differs_comes_first() -> None:
    found = matrix(TWO)
    assert [one.name for one in found.platforms] == ["debian", "win11"]
    assert [(one.id, one.states) for one in found.requirements] == [
        ("MBH-04", ["passed", "failed"]),
        ("GBH-01", ["passed", "passed"]),
    ]
    assert [(one.id, one.states) for one in found.checks] == [("MBH/a", ["passed", "failed"])]
    (seen,) = found.observations
    assert (seen.question, seen.answers) == ("Q38", [["NOERROR"], ["VD_E_INVALID"]])


def test_what_is_met_nowhere_comes_before_what_is_met() -> None:
    found = matrix([on(name, "failed") for name in ("a", "b")])
    assert [(one.id, one.differs, one.met) for one in found.requirements] == [
        ("MBH-04", False, False),
        ("GBH-01", False, True),
    ]


def test_a_check_that_a_platform_does_not_have_is_missing_there() -> None:
    found = matrix((on("a"), run(SAME, machines=[Machine(name="b", platform="there", python="3.12")])))
    assert [one.states for one in found.checks] == [["passed", "missing"]]
    assert found.observations == []


@pytest.mark.parametrize(
    ("runs", "code"),
    [
        (TWO, 1),
        ((on("a"), on("b")), 0),
        ((on("a", "failed"), on("b", "failed")), 0),
        ((on("a"), on("b", answer="x")), 0),
    ],
)
def test_the_exit_code_says_whether_verdicts_differ(runs: tuple[Evidence, ...], code: int) -> None:
    assert matrix(runs).exit_code == code


def test_platforms_without_a_name_of_their_own_are_called_what_they_are() -> None:
    names = [one.name for one in matrix((run(SAME), run(SAME, python="3.12"), run(SAME))).platforms]
    assert names == ["here, Python 3.11 #1", "here, Python 3.12", "here, Python 3.11 #2"]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ({"client": msgspec.structs.replace(PARTY, name="another")}, "different adapters (emulator and another)"),
        ({"suite_version": "2"}, "different versions of the suite (1 and 2)"),
        ({"catalogue_sha256": "1" * 64}, "different catalogues"),
        ({"seed": 7}, "different seeds (0 and 7)"),
        ({"selection": ["topic GBH"]}, "topic GBH"),
    ],
)
def test_runs_that_differ_in_more_than_platforms_are_refused(header: dict[str, Any], told: str) -> None:
    with pytest.raises(NotComparable) as refused:
        matrix((on("a"), on("b", **header)))
    assert told in str(refused.value)


@pytest.mark.parametrize("view", [as_text, as_markdown, as_html])
def test_every_view_tells_what_differs(view: Callable[[Matrix], str]) -> None:
    told = view(matrix(TWO)).replace("\\", "")
    for word in ("debian", "win11", "MBH-04", "VD_E_INVALID", "1 differ between platforms"):
        assert word in told


def test_text_has_a_letter_for_each_platform() -> None:
    assert "  .F  MBH-04" in as_text(matrix(TWO)).splitlines()


def test_a_page_is_closed_and_no_view_says_what_acts() -> None:
    client = msgspec.structs.replace(PARTY, name=NASTY, version=NASTY)
    found = matrix([on(f"{NASTY}{verdict}", verdict, NASTY, client=client) for verdict in ("passed", "failed")])
    require_harmless("\n".join(require_closed(as_html(found)).text))
    require_harmless(as_text(found))
    require_harmless(as_markdown(found))


def test_json_is_as_published() -> None:
    found = matrix(TWO)
    document = msgspec.json.decode(as_json(found))
    jsonschema.validate(document, msgspec.json.decode(published()["matrix"]))
    assert msgspec.convert(document, Matrix) == found


@pytest.mark.parametrize("form", ["text", "markdown", "json", "html"])
def test_the_command_tells_it_in_every_format(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(tmp_path / f"{number}.jsonl") for number in range(2)]
    for path, one in zip(paths, TWO, strict=True):
        Path(path).write_bytes(written(one))
    assert main(["matrix", *paths, "--format", form]) == 1
    told = capsys.readouterr().out
    assert "MBH-04" in told
    assert main(["matrix", *paths, "--format", form, "-o", str(tmp_path / "out")]) == 1
    assert (tmp_path / "out").read_text(encoding="utf-8") == told
    capsys.readouterr()
    assert main(["matrix", paths[0]]) == 4
    assert "needs the evidence of two platforms" in capsys.readouterr().err


def test_names_of_machines_are_left_out_for_others() -> None:
    made = redacted(on("build-seven"), Redactor({}))
    assert "build-seven" not in str(msgspec.to_builtins([made.header, *made.checks]))
