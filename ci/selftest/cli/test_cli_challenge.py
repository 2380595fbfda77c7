"""`vdi-conformance challenge`: what a vendor sends to dispute a requirement, and what stays at home."""

import json
import platform
import zipfile
from pathlib import Path

import msgspec
import pytest

from selftest.report.made import check, run
from vdi_conformance.cli import main
from vdi_conformance.evidence.files import Evidence, parse, written
from vdi_conformance.evidence.records import Call, Party
from vdi_conformance.requirements import catalogue
from vdi_conformance.untrusted.printable import in_markdown

PATH = "/home/alice/work/adapter.py"
HOSTILE = "](x) | <script>\n```\n# heading"


def challenged(directory: Path, *options: str, requirement: str = "MBH-04") -> tuple[int, dict[str, str]]:
    """Challenge a requirement by a run that never happened; give the exit code and the files."""
    call = Call(number=1, process="primary", method="set.map", params={"path": PATH}, answer=HOSTILE)
    failing = msgspec.structs.replace(check("MBH/a", "failed"), calls=[call], detail=f"{PATH}:3 on {platform.node()}")
    others = (check("MBH/b"), check("GBH/c", requirements=("GBH-01",)))
    made = run(failing, *others, client=Party(reference=f"{PATH}:Class", name=HOSTILE, version="1"))
    (directory / "evidence.jsonl").write_bytes(written(made))
    output = directory / "challenge.zip"
    asked = ["challenge", requirement, "--evidence", str(directory / "evidence.jsonl"), "-o", str(output), *options]
    code = main(asked)
    if code:
        return code, {}
    with zipfile.ZipFile(output) as archive:
        return code, {name: archive.read(name).decode() for name in archive.namelist()}


def test_the_form_tells_what_is_required_what_was_seen_and_what_is_to_be_filled_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, files = challenged(tmp_path, "--hide", "it gave")
    assert code == 0
    form = files["challenge.md"]
    requirement = catalogue().get("MBH-04")
    assert requirement is not None
    for told in (
        in_markdown(requirement.statement),
        "learn.microsoft.com",
        "Checks: 1 failed, 1 passed",
        "set.map",
        "- [ ] ",
    ):
        assert told in form
    assert "<hidden 1> NOERROR" in form
    told = capsys.readouterr().out
    assert "2 checks of MBH-04; names that were replaced: hidden 1" in told
    assert "path " in told


def test_the_record_holds_the_checks_of_the_requirement_alone(tmp_path: Path) -> None:
    _, files = challenged(tmp_path)
    evidence: Evidence = parse(files["evidence.jsonl"].encode(), "it")
    assert [one.id for one in evidence.checks] == ["MBH/a", "MBH/b"]
    assert evidence.header.selection == ["challenge MBH-04"]
    assert evidence.footer.counts == {"failed": 1, "passed": 1}
    assert json.loads(files["requirement.json"])["id"] == "MBH-04"


def test_nothing_names_people_machines_or_places(tmp_path: Path) -> None:
    _, files = challenged(tmp_path)
    for text in files.values():
        assert "alice" not in text
        assert "/home/" not in text
        assert platform.node() not in text


def test_no_text_of_an_adapter_is_markup(tmp_path: Path) -> None:
    _, files = challenged(tmp_path)
    outside = [block for number, block in enumerate(files["challenge.md"].split("```")) if number % 2 == 0]
    assert not any("<script>" in block.replace("\\<script\\>", "") for block in outside)
    assert "\n# heading" not in files["challenge.md"]


@pytest.mark.parametrize(
    ("requirement", "sentence"),
    [("MBH-99", "there is no requirement 'MBH-99'"), ("CRE-01", "has no check that judges CRE-01")],
)
def test_what_cannot_be_challenged_is_one_sentence(
    requirement: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert challenged(tmp_path, requirement=requirement) == (4, {})
    assert sentence in capsys.readouterr().err
