"""The tool that tries readers notices what a reader must not do, and says by which input."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from environment import ROOT
from fuzzing import command, isolated
from fuzzing.target import Broken, refusing
from fuzzing.trying import Defect, Figures, attempt, shrunk
from fuzzing.watching import watching

if TYPE_CHECKING:
    from collections.abc import Callable

FUZZ = [sys.executable, str(ROOT / "ci" / "fuzz.py")]


def defect_of(read: Callable[[bytes], bool], tmp_path: Path, data: bytes = b"x") -> Defect:
    with watching(tmp_path) as watch:
        found = attempt(read, watch, data)
    assert isinstance(found, Defect)
    return found


def test_an_exception_that_is_no_refusal_is_a_defect(tmp_path: Path) -> None:
    assert defect_of(lambda _: bool(1 / 0), tmp_path).kind.startswith("ZeroDivisionError")


@pytest.mark.parametrize(
    "act",
    [
        lambda path: path.write_bytes(b"x"),
        lambda path: path.mkdir(),
        lambda path: path.symlink_to("nowhere"),
        lambda path: (path.parent / "inside" / "a").rename(path),
    ],
    ids=["file", "directory", "link", "move"],
)
def test_what_is_written_elsewhere_is_a_defect_even_where_the_reader_knows_no_error(
    act: Callable[[Path], object], tmp_path: Path
) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "a").touch()

    def read(_: bytes) -> bool:
        try:
            act(tmp_path / "outside")
        except Exception:
            return False
        return True

    assert "outside" in defect_of(read, tmp_path / "inside").kind
    assert not (tmp_path / "outside").exists()


def test_a_link_that_leads_out_of_the_directory_leads_elsewhere(tmp_path: Path) -> None:
    home = tmp_path / "inside"
    home.mkdir()
    try:
        (home / "link").symlink_to(tmp_path)
    except OSError:
        pytest.skip("this account may make no symbolic links")
    assert "link" in defect_of(lambda data: bool((home / "link" / "a").write_bytes(data)), home).kind


def test_a_process_that_is_started_is_a_defect(tmp_path: Path) -> None:
    assert "Popen" in defect_of(lambda _: bool(subprocess.run([sys.executable], check=False)), tmp_path).kind


def test_what_stays_within_the_directory_is_none(tmp_path: Path) -> None:
    with watching(tmp_path) as watch:
        assert attempt(lambda data: bool((tmp_path / "a").write_bytes(data)), watch, b"x") == "accepted"
        assert attempt(lambda data: Path(os.devnull).write_bytes(data) < 0, watch, b"x") == "refused"
    (tmp_path.parent / "afterwards").touch()


@pytest.mark.parametrize("said", ["", " ", "Expected `str`, got `int`", "invalid literal for int() with base 10: 'x'"])
def test_a_refusal_without_words_of_its_own_is_a_defect(said: str, tmp_path: Path) -> None:
    def read(_: bytes) -> None:
        raise ValueError(said)

    assert defect_of(refusing(read, ValueError), tmp_path).kind.startswith("Broken")


def test_too_much_time_of_a_processor_is_a_defect(tmp_path: Path) -> None:
    times = iter((0.0, 6.0))
    with watching(tmp_path) as watch:
        found = attempt(lambda _: True, watch, b"x", lambda: next(times))
    assert isinstance(found, Defect)
    assert "6.0 seconds of a processor" in found.kind


def test_a_defect_is_shortened_to_what_it_takes(tmp_path: Path) -> None:
    def read(data: bytes) -> bool:
        if b"a" in data and b"z" in data:
            raise Broken("both")
        return True

    with watching(tmp_path) as watch:
        found = attempt(read, watch, bytes(range(256)) * 3)
        assert isinstance(found, Defect)
        assert shrunk(found, lambda data: attempt(read, watch, data)).data in (b"az", b"za")


SERVING = """
import sys
sys.path.insert(0, {ci!r})
from fuzzing import command, isolated
from fuzzing.target import Target, alone
isolated.BUSY = 2
def read(data):
    {act}
    return True
made = Target("made", "", lambda: [b"good"], lambda random, examples: b"bad", alone(read))
isolated.serve(made, 9, 0, isolated.Path(sys.argv[1]))
"""


def served(act: str, tmp_path: Path, patience: float = 600) -> isolated.Measured:
    script = tmp_path / "serving.py"
    script.write_text(SERVING.format(ci=str(ROOT / "ci"), act=act), encoding="utf-8")
    return isolated.tried([sys.executable, str(script)], lambda _: None, patience)


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        ("__import__('os')._exit(7) if data == b'bad' else None", "the process ended with 7"),
        ("__import__('time').sleep(1000) if data == b'bad' else None", "no end within 1 seconds"),
    ],
    ids=["dies", "hangs"],
)
def test_the_input_is_known_that_a_process_never_came_back_from(act: str, kind: str, tmp_path: Path) -> None:
    (found,) = served(act, tmp_path, 1).figures.defects.values()
    assert (found.kind, found.data) == (kind, b"bad")


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends no process by its time on a processor")
def test_an_input_that_keeps_a_processor_busy_for_ever_is_a_defect(tmp_path: Path) -> None:
    (found,) = served("exec('while True: pass') if data == b'bad' else None", tmp_path).figures.defects.values()
    assert (found.kind, found.data) == ("too long on a processor", b"bad")


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is bounded on Linux alone")
def test_memory_without_bound_is_a_defect(tmp_path: Path) -> None:
    (found,) = served("bytearray(1 << 31) if data == b'bad' else None", tmp_path).figures.defects.values()
    assert found.kind.startswith("MemoryError")


def test_figures_come_back_from_a_process(tmp_path: Path) -> None:
    figures = served("pass", tmp_path).figures
    assert (figures.accepted, figures.refused, figures.defects) == (9, 0, {})


def test_the_command_prints_a_line_for_each_target_and_keeps_what_broke_a_rule(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    figures = Figures(accepted=1, refused=2, broken=1, slowest=0.5)
    figures.defects["Broken"] = Defect("Broken", "the account", b"bad")
    monkeypatch.setattr(isolated, "tried", lambda *_: isolated.Measured(figures, 2.0, 5 << 20))
    monkeypatch.setattr(command, "FOUND", ROOT / "build" / tmp_path.name)
    assert command.main(["browser", "words"]) == 1
    _, row, kept, *_, conclusion = capsys.readouterr().out.splitlines()
    assert row.split() == ["browser", "4", "1", "2", "1", "500", "ms", "5", "MiB", "2"]
    assert Path(kept.rpartition(": ")[2]).read_bytes() == b"bad"
    assert conclusion.startswith("2 kinds of inputs broke a rule.")
    shutil.rmtree(command.FOUND)


def test_the_command_knows_no_other_targets(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["nothing"]) == 4
    assert "There is no target 'nothing'; there are host-answers" in capsys.readouterr().err


@pytest.mark.long
def test_the_command_tries_a_target_in_a_process_of_its_own() -> None:
    done = subprocess.run([*FUZZ, "browser", "--inputs", "20"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    _, row, conclusion = done.stdout.splitlines()
    assert row.split()[:2] == ["browser", "20"]
    assert conclusion == "No input broke a rule."
