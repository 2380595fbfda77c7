"""The leg for 32-bit x86, as far as it needs neither Wine nor a 32-bit Python."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from widths import mixed, packages, run, stack
from widths.machine import THE_SAME

if TYPE_CHECKING:
    from collections.abc import Callable

CALLER = Path(__file__).with_name("raw_caller.py")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="32-bit clients are tried on Linux alone")


@pytest.fixture(name="heard")
def _heard(capsys: pytest.CaptureFixture[str]) -> Callable[[str], tuple[int, list[str]]]:
    def hear(behaviour: str) -> tuple[int, list[str]]:
        code = stack.main("sqlvdi.dll", behaviour, sys.executable, str(CALLER))
        return code, capsys.readouterr().out.splitlines()

    return hear


def test_a_client_that_takes_what_it_was_given_is_told_of(heard: Callable[[str], tuple[int, list[str]]]) -> None:
    assert heard("24") == (
        0,
        [
            "ABI-10: each of 15 functions took from the stack what it was given.",
            "ABI-12: every member of a command was where it must be.",
            f"Q63: a 64-bit secondary of a 32-bit primary: {THE_SAME}",
        ],
    )


@pytest.mark.parametrize("taken", ["0", "20", "28"])
def test_what_is_left_on_the_stack_fails(heard: Callable[[str], tuple[int, list[str]]], taken: str) -> None:
    told = f"FAILED  ABI-10: CompleteCommand, which gave NOERROR, took {taken} bytes from the stack, not 24"
    assert heard(taken) == (1, [told, told])


def test_a_member_that_lies_elsewhere_fails(heard: Callable[[str], tuple[int, list[str]]]) -> None:
    code, lines = heard("lies")
    assert code == 1
    assert [line.split(":")[0] for line in lines] == ["FAILED  ABI-12"] * 2


def test_a_client_that_dies_fails(heard: Callable[[str], tuple[int, list[str]]]) -> None:
    assert heard("dies") == (1, ["FAILED  ABI-10: the client ended with 3, and GetCommand gave NOERROR last"])


def test_two_processes_of_one_width_share_memory() -> None:
    assert mixed.observed("emulator", "emulator", 64, 64) == THE_SAME


def test_a_process_of_another_width_than_wanted_is_no_mixture(capsys: pytest.CaptureFixture[str]) -> None:
    assert mixed.main("emulator", "emulator") == 1
    assert capsys.readouterr().out.splitlines() == [
        "FAILED  Q63: a 64-bit secondary of a 32-bit primary: the processes have 64 and 64 bits",
        "FAILED  Q63: a 32-bit secondary of a 64-bit primary: the processes have 64 and 64 bits",
    ]


def test_live_hosts_hold_slots_of_their_own(tmp_path: Path) -> None:
    from widths.host import take_slot

    for number in (1, 2, 10):
        (tmp_path / str(number)).touch()
    assert [take_slot(tmp_path) for _ in range(4)] == [1, 2, 10, 0]


def test_what_a_machine_cannot_offer_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(run, "BUILD", tmp_path / "widths")
    assert run.run(Path(sys.executable), []) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Not applicable: 32-bit clients of sqlvdi.dll (ABI-10), since they are made on Linux on 64-bit x86 alone.",
        "Not applicable: 32-bit hosts beside 64-bit ones (Q63), since they are made on Linux on 64-bit x86 alone.",
    ]


def test_without_debian_s_programs_nothing_is_installed_or_unpacked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(packages.NotHere, match=r"^a-compiler is not installed, and only root can do that"):
        packages.install("a-compiler")
    with pytest.raises(packages.NotHere, match=r"and there is no apt-get$"):
        packages.unpack(tmp_path / "made", "a-python")


def test_packages_of_another_release_are_not_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for program in ("apt-get", "dpkg"):
        (tmp_path / program).touch(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"VERSION_CODENAME": "trixie"})
    with pytest.raises(packages.NotHere, match=r"and this is trixie$"):
        packages.unpack(tmp_path / "made", "a-python")
