"""`vdi-conformance report`: reports made later, from evidence alone."""

from pathlib import Path

import pytest

from selftest.evidence.samples import CHECK, FOOTER, HEADER
from vdi_conformance.cli import main
from vdi_conformance.evidence.files import Evidence, EvidenceWriter
from vdi_conformance.evidence.records import CheckRecord, Footer, Header
from vdi_conformance.report.formats import FORMATS


def _write(path: Path, *records: Header | CheckRecord | Footer) -> str:
    writer = EvidenceWriter(path)
    for record in records:
        writer.write(record)
    writer.close()
    return str(path)


@pytest.mark.parametrize("form", FORMATS)
def test_a_report_goes_to_standard_output_or_to_a_file(
    form: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    evidence = _write(tmp_path / "evidence.jsonl", HEADER, CHECK, FOOTER)
    expected = FORMATS[form](Evidence(HEADER, (CHECK,), FOOTER))
    assert main(["report", form, evidence]) == 0
    assert capsysbinary.readouterr().out == expected
    assert main(["report", form, evidence, "-o", str(tmp_path / "new" / "report")]) == 0
    assert capsysbinary.readouterr().out == b""
    assert (tmp_path / "new" / "report").read_bytes() == expected


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["junit", "cut.jsonl"], "footer"),
        (["junit", "none.jsonl"], "none.jsonl"),
        (["junit", "text.txt"], "text.txt"),
        (["nonsense", "whole.jsonl"], "'nonsense'"),
        (["junit", "whole.jsonl", "-o", "."], "cannot be written"),
        (["junit"], "EVIDENCE"),
    ],
)
def test_what_cannot_be_reported_is_one_sentence_and_exit_code_4(
    arguments: list[str],
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    _write(Path("whole.jsonl"), HEADER, CHECK, FOOTER)
    _write(Path("cut.jsonl"), HEADER, CHECK)
    Path("text.txt").write_text("no evidence\n", encoding="utf-8")
    assert main(["report", *arguments]) == 4
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert named in shown.err
