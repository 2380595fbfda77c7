"""`vdi-conformance certify` and `verify`: the whole ceremony once, and their exit codes."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from selftest.report import certificates
from selftest.report.made import check
from vdi_conformance.cli import main
from vdi_conformance.cli.shipped import shipped
from vdi_conformance.cli.verify import verify
from vdi_conformance.evidence.files import parse
from vdi_conformance.report.bundle import certificate
from vdi_conformance.report.bundle_archive import pack, unpack
from vdi_conformance.report.bundle_verification import verified
from vdi_conformance.requirements.profiles import profile


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of the emulator."""
    path = tmp_path_factory.mktemp("certified") / "emulator.zip"
    assert main(["certify", "--adapter", "emulator", "--profile", "core", "--output", str(path)]) == 0
    return path


def test_a_certificate_of_the_emulator_verifies(certified: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(certified)]) == 0
    said = capsys.readouterr().out
    assert f"conformant to the profile {profile('core').label}" in said
    assert "not signed" in said
    files = unpack(certified.read_bytes())
    assert [parse(files[f"evidence/seed-{seed}.jsonl"], "it").header.seed for seed in (0, 1)] == [0, 1]
    manifest = verified(certified.read_bytes(), shipped(), datetime.now(UTC))
    assert (manifest.client.name, manifest.seeds, len(manifest.canaries)) == ("emulator", [0, 1], 2)
    assert b"nothing here is signed" in files["README.md"]


def test_one_byte_of_its_evidence_is_enough_to_refuse_it(
    certified: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = certified.read_bytes()
    place = data.index(b'"verdict":"passed"', data.index(b"evidence/seed-1.jsonl")) + len(b'"verdict":"')
    changed = tmp_path / "changed.zip"
    changed.write_bytes(data[:place] + b"P" + data[place + 1 :])
    assert main(["verify", str(changed)]) == 7
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence.startswith(f"vdi-conformance: {changed} is refused: ")


def test_what_does_not_conform_is_authentic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(verify.__globals__, "shipped", certificates.shipped)
    others = [one for one in certificates.checks() if one.id != "made/CMP-03"]
    broken = [check("made/CMP-03", "failed", rows=("CMP-03",)), *others]
    runs = tuple(certificates.lines(certificates.run(seed, broken)) for seed in (0, 1))
    path = tmp_path / "broken.zip"
    path.write_bytes(pack(certificate(certificates.parts(runs=runs))))
    assert main(["verify", str(path)]) == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["certify", "--adapter", "emulator", "--profile", "cor", "--output", "a.zip"], "core, shared-buffers, full"),
        (["certify", "--adapter", "nonsense", "--profile", "core", "--output", "a.zip"], "nonsense"),
        (["certify", "--adapter", "emulator", "--profile", "core", "--output", "."], "--output"),
        (["certify", "--adapter", "emulator", "--profile", "core"], "--output"),
        (["certify", "--adapter", "emulator", "--profile", "core", "--output", "a.zip", "--seed", "3"], "--seed"),
        (["verify", "missing.zip"], "missing.zip"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_4(
    arguments: list[str],
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 4
    (sentence,) = capsys.readouterr().err.splitlines()
    assert named in sentence
    assert list(tmp_path.iterdir()) == []
