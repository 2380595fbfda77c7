"""What the project's own long-lived parts have while they work: what is flat, what has grown, what was left behind."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import endurance
from enduring.flatness import TOLERANCES, account
from enduring.work import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DONE = list(range(100, 10_100, 100))
MUCH = 100 * TOLERANCES["memory"]


@pytest.mark.parametrize(
    "numbers",
    [
        [7] * 100,
        [*range(10), *[10] * 90],
        [*[7] * 50, MUCH, *[7] * 49],
        [7 + number % 3 for number in range(100)],
        [*range(100, 0, -1)],
    ],
    ids=["level", "warming up", "one peak", "up and down", "falling"],
)
def test_what_comes_to_rest_is_flat(numbers: list[int]) -> None:
    assert account("memory", numbers, DONE).is_flat
    assert account("handles", numbers, DONE).is_flat


def test_what_is_lost_with_each_piece_is_seen_and_measured() -> None:
    leak = account("memory", [140 * done for done in DONE], DONE)
    assert not leak.is_flat
    assert leak.slope == pytest.approx(140 * 1000)
    assert not account("handles", [*[5] * 60, *[6] * 40], DONE).is_flat


def test_one_large_piece_of_memory_is_no_leak_and_a_further_descriptor_is_one() -> None:
    once = [*[5] * 60, *[5 + MUCH] * 40]
    assert account("memory", once, DONE).is_flat
    assert not account("handles", once, DONE).is_flat
    assert not account("memory", [5 + MUCH * (number // 30) for number in range(100)], DONE).is_flat


def test_too_few_numbers_tell_nothing() -> None:
    with pytest.raises(ValueError, match="19 numbers are too few to tell"):
        account("handles", [1] * 19, DONE[:19])


class Own:
    """Work of this process alone, in a directory of its own."""

    def __init__(self, do: Callable[[], object]) -> None:
        self.processes = {"this": os.getpid()}
        self.directory = Path(tempfile.gettempdir()) / "work"
        self.directory.mkdir()
        self._do = do

    def do(self, pieces: int) -> None:
        """Do it so often."""
        for _ in range(pieces):
            self._do()


def part(do: Callable[[], object], *, tidy: bool = True) -> Part:
    """Make up a part of the project; one that is not tidy leaves its directory."""

    @contextmanager
    def begin() -> Iterator[Own]:
        work = Own(do)
        yield work
        if tidy:
            work.directory.rmdir()

    return Part("made up", "pieces", 100, begin)


def test_a_descriptor_that_is_not_closed_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    kept: list[int] = []
    found = endurance.measured(
        part(lambda: kept.append(os.open(os.devnull, os.O_RDONLY))), endurance.counted(25), print
    )
    for descriptor in kept:
        os.close(descriptor)
    assert [(process, kind) for process, kind, one in found.accounts() if not one.is_flat] == [("this", "handles")]
    assert not found.is_flat
    assert capsys.readouterr().out == ""


def test_work_that_keeps_nothing_is_flat() -> None:
    found = endurance.measured(part(lambda: None), endurance.counted(25), print)
    assert found.is_flat
    assert found.done == list(range(1, 26))


def test_what_is_left_behind_is_named() -> None:
    found = endurance.measured(part(lambda: None, tidy=False), endurance.counted(25), print)
    assert any("work" in name for name in found.left)
    assert not found.is_flat


def test_hosts_and_their_fork_server_stay_flat(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endurance, "RESULT", tmp_path / "endurance.json")
    code = endurance.main(["--part", "hosts", "--number", "40"])
    told = capsys.readouterr().out
    assert code == 0, told
    assert "40 hosts of one worker in" in told
    assert "left behind: nothing" in told
    assert (tmp_path / "endurance.json").is_file()


def test_too_small_a_number_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with suppress(SystemExit):
        endurance.main(["--number", "3"])
    assert "3 pieces are too few to tell: give at least 20" in capsys.readouterr().err
