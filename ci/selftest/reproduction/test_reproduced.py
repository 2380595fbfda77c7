"""Programs made of failures say REPRODUCED on what failed, and NOT REPRODUCED on what is sound."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

import native
from faulty import copy, faults
from selftest.suite.runs import Run, judging, run_suite_in
from vdi_conformance.cli import main

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="libsqlvdi.so is a library of Linux")

AGAIN: Final = "REPRODUCED: "
NOT_AGAIN: Final = "NOT REPRODUCED: "
CODES: Final = {AGAIN: 0, NOT_AGAIN: 1}
SUFFIXES: Final = {"python": ".py", "cpp": ".cpp"}


class Side(NamedTuple):
    """A library, and the adapter whose server and broker it is served by."""

    library: Path
    server: str


def programs(run: Run, directory: Path, lang: str) -> list[list[str]]:
    """Make the programs of all failures of a run, ready to be started."""
    made = directory / lang
    main(["reproduce", str(run.evidence_path), "--lang", lang, "-o", str(made)])
    sources = sorted(made.glob(f"*{SUFFIXES[lang]}"))
    if lang == "python":
        return [[sys.executable, str(source)] for source in sources]
    return [[compiled(source)] for source in sources]


def compiled(source: Path) -> str:
    """Compile a program as its first lines say."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("there is no g++")
    built = source.with_suffix("")
    done = subprocess.run(
        [compiler, "-std=c++17", "-pthread", str(source), "-o", str(built), "-ldl"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return str(built)


def verdict(program: list[str], side: Side, directory: Path) -> str:
    """Start a program; give how it begins to say what it saw, in agreement with its exit code."""
    host = f"'{sys.executable}' -m vdi_conformance.cli adapter host {side.server}"
    command = [*program, "--library", str(side.library), "--server-host", host]
    done = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=150, check=False, stdin=subprocess.DEVNULL
    )
    last = (done.stdout.splitlines() or [done.stderr])[-1]
    for begins, code in CODES.items():
        if last.startswith(begins):
            assert done.returncode == code
            return begins
    return last + done.stderr


def require_reproduced(run: Run, broken: Side, directory: Path, *langs: str) -> None:
    """Fail unless a program of each language tells what failed from what is sound."""
    sound = Side(native.build(), "emulator")
    for lang in langs:
        tried = [
            [verdict(program, side, directory) for side in (broken, sound)]
            for program in programs(run, directory, lang)
        ]
        assert [AGAIN, NOT_AGAIN] in tried, (lang, tried)


def served_by(fault: str, directory: Path, *checks: str) -> tuple[Run, Side]:
    """Run checks on the stand-in with a server and a broker that are wrong in one way."""
    broken = Side(native.build(), f"vdi_fixtures.broken.{fault}:Broken")
    chosen = ("--adapter", f"sqlserver:{broken.library}", "--server", broken.server)
    return run_suite_in(directory, *chosen, *(f"--check={check}" for check in checks)), broken


NATIVE: Final = (
    "a_configuration_is_given_back",
    "a_configuration_is_longer",
    "block_size_and_depth_change_places",
    "the_alignment_is_read_from_another_place",
    "size_and_position_change_places",
    "a_position_has_32_bits",
    "a_device_has_no_destructor",
    "an_object_has_two_members",
    "a_device_has_two_members",
    "negative_handles_are_refused",
    "an_unknown_set_cannot_be_found",
)
"""Faults of the stand-in itself, of `fixtures/native/faults.tsv`."""
SERVED: Final = {
    "buf.later_areas_have_no_zone": "BUF/buffers_of_later_areas_are_as_good[primary]",
    "buf.zones_are_aligned": "BUF/no_alignment_is_below_the_block_size[blocks of 4 KiB]",
    "cfg.ended_sets_have_no_configuration": "CFG/a_configured_set_says_the_same_in_every_state[backup]",
    "cmd.what_was_queued_comes_after_an_abort": "CMD/nothing_queued_is_handed_out_after_an_abort[its own process]",
    "gbh.a_new_area_ends_all_handles": "GBH/a_held_handle_outlives[primary-a new area]",
    "gbh.leaving_aborts_the_set": "GBH/a_handle_stays_good_while_others_come_and_go[backup]",
    "mbh.areas_are_listed_once": "GBH/areas_that_come_between_mappings_are_shared",
    "mbh.later_areas_are_not_mapped": "GBH/buffers_of_areas_that_came_later_are_shared",
    "opd.a_secondarys_abort_is_none": "OPD/no_device_opens_after_an_abort_by_another_process[backup-SignalAbort]",
    "opd.devices_open_while_the_server_configures": "OPD/no_device_opens_while_the_server_configures",
    "opd.the_first_device_opens_first": "OPD/devices_open_in_any_order[backup-the last one first]",
    "sec.a_set_is_joined_while_it_is_configured": "SEC/a_set_cannot_be_joined_while_its_server_configures_it",
}
"""Faults of the broker and the server that the stand-in asks, each with a check that finds it."""


def test_a_failure_comes_again_where_it_was_seen_alone(tmp_path: Path) -> None:
    fault = "gbh.a_new_area_ends_all_handles"
    run, broken = served_by(fault, tmp_path, SERVED[fault])
    assert run.exit_code == 1, run.output
    require_reproduced(run, broken, tmp_path, "python")


@pytest.mark.long
@pytest.mark.parametrize("fault", SERVED)
def test_a_failure_by_a_server_comes_again(fault: str, tmp_path: Path) -> None:
    run, broken = served_by(fault, tmp_path, SERVED[fault])
    assert run.exit_code == 1, run.output
    require_reproduced(run, broken, tmp_path, "python", "cpp")


@pytest.mark.long
@pytest.mark.parametrize("name", NATIVE)
def test_a_failure_of_a_library_comes_again(name: str, tmp_path: Path) -> None:
    (fault,) = (one for one in faults() if one.name == name)
    copy(fault, tmp_path / "sources")
    library = tmp_path / "libsqlvdi.so"
    native.library("-O0").make(tmp_path / "sources", library)
    chosen = ("--adapter", f"sqlserver:{library}", "--server", "emulator", *judging(fault.requirement))
    run = run_suite_in(tmp_path, *chosen)
    require_reproduced(run, Side(library, "emulator"), tmp_path, "python", "cpp")


@pytest.mark.long
def test_a_failure_of_another_library_does_not_come_again_on_a_sound_one(tmp_path: Path) -> None:
    run = run_suite_in(
        tmp_path,
        *("--adapter", "vdi_fixtures.broken.gbh.a_wrong_address_spoils_the_object:Broken"),
        "--check=GBH/memory_outside_the_set_has_no_handle[primary-on the stack]",
    )
    assert run.exit_code == 1, run.output
    sound = Side(native.build(), "emulator")
    for lang in ("python", "cpp"):
        (program,) = programs(run, tmp_path, lang)
        assert verdict(program, sound, tmp_path) == NOT_AGAIN
