"""The suite runs through a manifest, with a host program that it knows nothing of."""

from pathlib import Path

from selftest.suite.runs import RunSuite
from vdi_fixtures.hosts import manifest

CHECKS = (
    "BUF/a_held_buffer_keeps_its_bytes_while_others_work[backup-primary]",
    "CMP/one_of_two_threads_completes_a_command[secondary]",
    "CMP/the_server_sees_the_completion_of_the_thread_that_won[primary]",
    "ABT/an_abort_overlaps_with_others[threads]",
    "OPD/open_device_overlaps_with_others[threads]",
    "OPD/one_of_many_threads_opens_a_device[restore]",
    "MBH/bytes_stored_by_a_secondary_reach_the_server",
    "CMP/a_command_is_completed_once[backup-secondary]",
    "CMP/code_count_and_position_reach_the_server[Read-primary]",
    "GBH/asking_twice_gives_handles_of_the_same_buffer[restore]",
)


def test_a_host_program_without_the_convenience_methods_passes(run_suite: RunSuite, tmp_path: Path) -> None:
    reference = manifest("makes_single_calls_only", tmp_path)
    run = run_suite("--adapter", reference, *(f"--check={check}" for check in CHECKS))
    assert run.exit_code == 0, run.output
    assert run.verdicts() == dict.fromkeys(CHECKS, "passed")
