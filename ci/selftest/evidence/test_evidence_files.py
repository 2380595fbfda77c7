"""Evidence can be read back, and what is not whole is refused."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftest.evidence.samples import CHECK, FOOTER, HEADER
from vdi_conformance.evidence.files import EvidenceWriter, NotEvidence, read
from vdi_conformance.evidence.records import VERDICTS, CheckRecord, Footer, Header, Observation, Verdict

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def _write(path: Path, *records: Header | CheckRecord | Footer) -> Path:
    writer = EvidenceWriter(path)
    for record in records:
        writer.write(record)
    writer.close()
    return path


@given(sentence=TEXT, subject=TEXT, verdict=st.sampled_from(VERDICTS))
def test_what_was_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, sentence: str, subject: str, verdict: Verdict
) -> None:
    seen = Observation(question="Q38", subject=subject, answer=sentence)
    check = msgspec.structs.replace(CHECK, verdict=verdict, detail=sentence, observations=[seen])
    path = _write(tmp_path_factory.mktemp("evidence") / "e.jsonl", HEADER, check, FOOTER)
    whole = read(path)
    assert (whole.header, whole.checks, whole.footer) == (HEADER, (check,), FOOTER)


@pytest.mark.parametrize("records", [(HEADER, CHECK), (CHECK, FOOTER), (HEADER, CHECK, CHECK, FOOTER), ()])
def test_what_is_not_whole_is_refused(tmp_path: Path, records: tuple[Header | CheckRecord | Footer, ...]) -> None:
    with pytest.raises(NotEvidence):
        read(_write(tmp_path / "e.jsonl", *records))


def test_a_cut_line_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "e.jsonl", HEADER, CHECK, FOOTER)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(NotEvidence, match=r"e\.jsonl"):
        read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotEvidence, match="cannot be read"):
        read(tmp_path / "none.jsonl")
