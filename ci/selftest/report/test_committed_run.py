"""The committed run on the emulator: what must be the same in every run, and what a machine may lack."""

from pathlib import Path

import msgspec
import pytest

import baseline
from selftest.evidence.samples import FOOTER, HEADER, PARTY
from selftest.report.made import check, run
from vdi_conformance.evidence.files import Evidence, parse, read, written
from vdi_conformance.evidence.records import CheckRecord, Pin, Requests

OTHER = check("GBH/other", seen={"tried": "NOERROR"})
KEPT = run(check("MBH/a"), OTHER)


def told(*checks: CheckRecord, **header: object) -> list[tuple[str, bool]]:
    return [(one.what, one.excused) for one in baseline.differences(KEPT, run(*checks, **header))]


def test_the_committed_file_is_evidence_in_its_reduced_form() -> None:
    kept = read(baseline.KEPT)
    assert baseline.reduced(kept) == baseline.KEPT.read_bytes()
    assert kept.footer.exit_code == 0
    assert len(kept.checks) > 1000


def test_what_differs_from_run_to_run_is_not_kept() -> None:
    later = msgspec.structs.replace(OTHER, duration=9.0, codes={"Close": ["NOERROR"]}, requests=Requests(client=7))
    header = msgspec.structs.replace(HEADER, started="2027-01-01T00:00:00+00:00", platform="elsewhere", python="3.14")
    pinned = msgspec.structs.replace(PARTY, pins={"elsewhere/adapter.py": Pin(kind="adapter", sha256="0" * 64)})
    header = msgspec.structs.replace(header, client=pinned, server=pinned)
    footer = msgspec.structs.replace(FOOTER, duration=77.0)
    again = Evidence(header, (later, check("MBH/a")), footer)
    assert baseline.reduced(again) == baseline.reduced(KEPT)
    assert list(baseline.differences(parse(baseline.reduced(KEPT), "kept"), again)) == []


@pytest.mark.parametrize(
    ("checks", "sentence"),
    [
        ((check("MBH/a", "failed"), OTHER), "MBH/a was passed and is failed: it gave NOERROR"),
        ((check("MBH/a", "warning"), OTHER), "MBH/a was passed and is warning: it gave NOERROR"),
        ((OTHER,), "MBH/a is gone"),
        ((check("MBH/a"), OTHER, check("MBH/b")), "MBH/b is new"),
    ],
)
def test_every_other_verdict_is_an_error(checks: tuple[CheckRecord, ...], sentence: str) -> None:
    assert told(*checks) == [(sentence, False)]


def test_another_answer_to_an_open_question_is_an_error() -> None:
    assert told(check("MBH/a"), check("GBH/other", seen={"tried": "VD_E_INVALID"})) == [
        ("GBH/other did not see Q38 tried: NOERROR", False),
        ("GBH/other saw Q38 tried: VD_E_INVALID", False),
    ]


def test_what_a_machine_lacks_is_excused_but_not_what_the_emulator_no_longer_declares() -> None:
    lacking = check("MBH/a", "not applicable", "assertion")
    assert told(lacking, OTHER) == [("not applicable on this machine: it assertion", True)]
    ((sentence, excused),) = told(check("MBH/a"), OTHER, client=msgspec.structs.replace(PARTY, version="2"))
    assert sentence.startswith("the client declares")
    assert not excused


def test_the_command_renews_what_it_compares_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(baseline, "KEPT", tmp_path / "baseline" / "emulator.jsonl")
    paths = {name: tmp_path / f"{name}.jsonl" for name in ("good", "other", "selected")}
    paths["good"].write_bytes(written(KEPT))
    paths["other"].write_bytes(written(run(OTHER)))
    paths["selected"].write_bytes(written(run(OTHER, selection=["topic GBH"])))
    assert baseline.main(["--renew", str(paths["good"])]) == 0
    assert baseline.main([str(paths["good"])]) == 0
    assert baseline.main([str(paths["other"])]) == 1
    assert baseline.main([str(paths["selected"])]) == 4
    assert "MBH/a is gone" in capsys.readouterr().out
