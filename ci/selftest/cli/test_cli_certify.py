"""`vdi-conformance certify` and `verify`: the whole certification once, and their exit codes."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import vdi_conformance
from selftest.report import certificates
from selftest.report.made import check
from vdi_conformance.cli import main
from vdi_conformance.cli.shipped import shipped
from vdi_conformance.cli.verify import verify
from vdi_conformance.evidence.files import parse, read
from vdi_conformance.report.certificate import certificate
from vdi_conformance.report.certificate_archive import LIMIT, pack, unpack
from vdi_conformance.report.certificate_verification import verified
from vdi_conformance.requirements.profiles import profile

CHALLENGE = "chosen-by-who-asked"
PACKAGE = Path(vdi_conformance.__file__).parent
MEDDLING = """
import pathlib
import pytest

pathlib.Path({mark!r}).touch()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport():
    report = yield
    report.outcome = "passed"
    return report
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where plugins lie that leave a mark when they are loaded."""
    directory = tmp_path_factory.mktemp("certified")
    source = MEDDLING.format(mark=str(directory / "meddled"))
    for name in ("conftest", "installed_plugin", "named_plugin", "added_plugin"):
        (directory / f"{name}.py").write_text(source, encoding="utf-8")
    about = directory / "installed_plugin-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: installed-plugin\nVersion: 1.0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text("[pytest11]\nmeddling = installed_plugin\n", encoding="utf-8")
    return directory


@pytest.fixture(scope="module")
def certified(place: Path) -> Path:
    """A certificate of the emulator, made where plugins of every kind lie about."""
    path = place / "emulator.zip"
    with pytest.MonkeyPatch.context() as surroundings:
        surroundings.chdir(place)
        surroundings.setenv("PYTHONPATH", str(place))
        surroundings.setenv("PYTHONOPTIMIZE", "1")
        surroundings.setenv("PYTEST_PLUGINS", "named_plugin")
        surroundings.setenv("PYTEST_ADDOPTS", "-p added_plugin")
        assert main(["keys", "new", str(place / "vendor.key")]) == 0
        asked = ["--challenge", CHALLENGE, "--key", str(place / "vendor.key"), "--output", str(path)]
        assert main(["certify", "--adapter", "emulator", "--profile", "core", *asked]) == 0
    return path


def test_no_plugin_has_a_say_but_those_that_the_ceremony_names(certified: Path, place: Path) -> None:
    assert not (place / "meddled").exists()
    files = unpack(certified.read_bytes())
    records = [data for name, data in files.items() if name.endswith(".jsonl")]
    headers = [parse(data, "it").header for data in records]
    assert len(headers) == 4
    for header in headers:
        assert [*header.tools] == ["hypothesis", "msgspec", "pytest", "pytest-xdist"]
        assert header.tools["pytest"] == pytest.__version__
        assert header.plugins == {"pytest-xdist": header.tools["pytest-xdist"]}


def test_the_header_of_a_run_names_every_plugin(place: Path) -> None:
    evidence = place / "one.jsonl"
    environment = os.environ | {"PYTHONPATH": str(place)}
    asked = ["--topic", "SRV", "--evidence", str(evidence), "--", "-p", "named_plugin", "-k", "nobody_created"]
    command = [sys.executable, "-P", "-m", "vdi_conformance.cli", "run", "--adapter", "emulator", *asked]
    ended = subprocess.run(command, cwd=place, env=environment, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stdout
    plugins = read(evidence).header.plugins
    assert plugins | {"installed-plugin": "1.0", "named_plugin": ""} == plugins
    assert {"hypothesis", "pytest-xdist"} < plugins.keys()
    (place / "meddled").unlink()


def test_a_certificate_of_the_emulator_verifies(
    certified: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, emulator = str(place / "vendor.key.pub"), str(PACKAGE / "emulator" / "state.py")
    asked = ["--key", key, "--challenge", CHALLENGE, "--max-age", "1", "--digest", emulator]
    assert main(["verify", str(certified), *asked]) == 0
    said = capsys.readouterr().out
    assert f"conformant to the profile {profile('core').label}" in said
    assert "signed with the key" in said
    assert "NOT" not in said
    files = unpack(certified.read_bytes())
    assert [parse(files[f"evidence/seed-{seed}.jsonl"], "it").header.seed for seed in (0, 1)] == [0, 1]
    manifest = verified(certified.read_bytes(), shipped(), datetime.now(UTC)).manifest
    assert (manifest.client.name, manifest.seeds, len(manifest.canaries)) == ("emulator", [0, 1], 2)
    assert b"`--key` checks it" in files["README.md"]


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
    broken = [check("made/CMP-03", "failed", requirements=("CMP-03",)), *others]
    runs = tuple(certificates.lines(certificates.run(seed, broken)) for seed in (0, 1))
    path = tmp_path / "broken.zip"
    path.write_bytes(pack(certificate(certificates.parts(runs=runs))))
    assert main(["verify", str(path)]) == 1


def test_a_file_larger_than_any_certificate_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        file.truncate(LIMIT + 1)
    assert main(["verify", str(path)]) == 7
    (sentence,) = capsys.readouterr().err.splitlines()
    assert "is refused: it has more than" in sentence


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
