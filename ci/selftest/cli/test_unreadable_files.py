"""Every verb that reads a file of its user's answers whatever it is given with one sentence, and exit code 4."""

import json
import os
from pathlib import Path

import pytest

from vdi_conformance.adapters import UnknownAdapter, resolve
from vdi_conformance.cli import main
from vdi_conformance.judgement.baseline import NotABaseline, load

READERS = {
    "compare": ["compare", "FILE", "FILE"],
    "report": ["report", "junit", "FILE"],
    "baseline": ["baseline", "update", "FILE"],
    "replay": ["replay", "FILE", "--adapter", "emulator"],
    "verify": ["verify", "FILE"],
    "challenge": ["challenge", "GBH-04", "--evidence", "FILE", "-o", "challenge.zip"],
    "merge": ["evidence", "merge", "FILE", "-o", "merged"],
}
CONTENTS = {
    "deep": b"[" * 100_000,
    "deep objects": b'{"record":' * 100_000,
    "digits": b'{"record":"header","format":' + b"9" * 5000 + b"}",
    "beyond 64 bits": b'{"record":"header","format":99999999999999999999}',
    "not UTF-8": b'{"record":"\xff"}',
    "half a character": b'{"record":"\\ud800"}',
    "null": b"\0" * 100,
    "nothing": b"",
    "another format": b'{"record":"header","format":7}\n',
}
PATHS = {
    "too long": "n" * 5000,
    "null": "a\0b",
    "not UTF-8": os.fsdecode(b"none-\xff"),
    "not there": "none",
    "a directory": ".",
}


def refused(arguments: list[str], codes: tuple[int, ...], capfd: pytest.CaptureFixture[str]) -> None:
    """Run a verb, which must end with one sentence."""
    assert main(arguments) in codes
    shown = capfd.readouterr()
    assert shown.out == ""
    (sentence,) = shown.err.splitlines()
    assert sentence.startswith("vdi-conformance: ")


@pytest.mark.parametrize("verb", READERS)
@pytest.mark.parametrize("contents", CONTENTS)
def test_what_cannot_be_read_is_one_sentence(
    verb: str, contents: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "given"
    path.write_bytes(CONTENTS[contents])
    arguments = [argument.replace("FILE", str(path)) for argument in READERS[verb]]
    refused(arguments, (7,) if verb == "verify" else (4,), capfd)


@pytest.mark.parametrize("verb", READERS)
@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_leads_to_no_file_is_one_sentence(
    verb: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    refused([argument.replace("FILE", PATHS[path]) for argument in READERS[verb]], (4,), capfd)


def test_a_skeleton_goes_nowhere_that_it_cannot_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (PATHS["not UTF-8"], PATHS["too long"]):
        refused(["adapter", "init", path], (4,), capfd)
    assert list(tmp_path.iterdir()) == []


TOML = {
    "deep": b"command = " + b"[" * 5000,
    "deep tables": b"command." * 50_000 + b"a = 1",
    "digits": b"command = " + b"9" * 5000,
    "hexadecimal": b"command = 0x" + b"f" * 5000,
    "not UTF-8": b"# \xff",
    "null": b"\0",
    "too long": b"# " + b"x" * 3_000_000,
}


@pytest.mark.parametrize("contents", TOML)
def test_a_baseline_or_manifest_that_cannot_be_read_is_one_sentence(contents: str, tmp_path: Path) -> None:
    path = tmp_path / "given.toml"
    path.write_bytes(TOML[contents])
    with pytest.raises(NotABaseline, match=r"given\.toml is not TOML"):
        load(path)
    with pytest.raises(UnknownAdapter, match=r"given\.toml: the manifest is not TOML"):
        resolve(str(path))


@pytest.mark.parametrize(
    "line",
    [
        'command = ["a\\u0000b"]',
        'command = ["host", "a\\u0000b"]',
        'command = ["host"]\nenv = {"a=b" = "c"}',
        'command = ["host"]\nenv = {"" = "c"}',
        'command = ["host"]\nenv = {a = "\\u0000"}',
        f'command = ["host", {json.dumps("x" * 100_000)}]',
        f'command = ["host"]\ndirectory = {json.dumps("x" * 5000)}',
        'command = ["host"]\ndirectory = "a\\u0000b"',
        f"command = [{json.dumps('./' + 'x' * 5000)}]",
    ],
)
def test_a_manifest_that_no_system_can_start_is_one_sentence(line: str, tmp_path: Path) -> None:
    path = tmp_path / "given.toml"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(UnknownAdapter, match=r"given\.toml: the key '(command|env|directory)' "):
        resolve(str(path))


@pytest.mark.parametrize("form", ["{}", "{}:Class", "{}.py:Class", "{}.toml", "sqlserver:{}"])
@pytest.mark.parametrize("path", PATHS)
def test_a_reference_that_leads_nowhere_is_one_sentence(
    form: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownAdapter):
        resolve(form.format(PATHS[path]))
