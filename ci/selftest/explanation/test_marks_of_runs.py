"""The mark in real runs: on the call that a fault spoils, and on none of an implementation that is right."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

import vdi_fixtures
from selftest.suite.runs import RunSuite
from vdi_conformance.evidence.records import CheckRecord

FAULTS: Final = Path(vdi_fixtures.__file__).parent
TOPICS: Final = ("gbh", "mbh", "cmp")
JUDGE: Final = '''
import json
import msgspec
import pytest
from vdi_conformance.explanation.unexpected import first_unexpected
from vdi_conformance.harness.testbed import TESTBED
from vdi_conformance.pytest_plugin.checks import check_id

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    """Judge what passed too."""
    testbed = item.stash.get(TESTBED, None)
    if call.when == "call" and call.excinfo is None and testbed is not None:
        found = first_unexpected(testbed.processes.trace())
        with open("judged.jsonl", "a") as file:
            file.write(json.dumps([check_id(item), found and msgspec.to_builtins(found)]) + "\\n")
    return (yield)
'''


def _marked_though_right(run_suite: RunSuite, directory: Path, *options: str) -> list[object]:
    """Run with a judge that looks at what passed as well, and give what it marks."""
    (directory / "judges_all.py").write_text(JUDGE, encoding="utf-8")
    run = run_suite(*options, "-p", "judges_all")
    assert run.exit_code in (0, 6), run.output
    judged = [json.loads(line) for line in (directory / "judged.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(judged) >= sum(check.verdict == "passed" for check in run.evidence.checks)
    return [one for one in judged if one[1] is not None]


def test_what_is_right_has_no_mark(run_suite: RunSuite, tmp_path: Path) -> None:
    some = "at_their_own_addresses or what_was_refused or held_at_once or counts_once or overlaps_with_others"
    options = ("--adapter", "emulator", *(f"--topic={topic.upper()}" for topic in TOPICS))
    assert _marked_though_right(run_suite, tmp_path, *options, "-n", "2", "--", "-k", some) == []


@pytest.mark.long
@pytest.mark.parametrize(
    "reading",
    [
        "gbh.a_place_anywhere_names_its_buffer",
        "gbh.an_abort_ends_sharing_with_abort",
        "gbh.each_command_has_a_handle_of_its_own",
        "mbh.each_mapping_lies_elsewhere",
        "mbh.memory_lies_at_one_address",
        "cmp.any_device_completes",
        "cmp.copies_are_commands",
        "cmp.completions_overtake_each_other",
        "cmp.a_larger_count_is_cut",
        "cmp.the_record_is_read",
        "abt.aborts_are_noticed_late",
        "cls.close_never_complains",
    ],
)
def test_what_is_right_in_another_way_has_no_mark(run_suite: RunSuite, tmp_path: Path, reading: str) -> None:
    topics = {*TOPICS, reading.partition(".")[0]} - {"cmp"} if "gbh" in reading or "mbh" in reading else {reading[:3]}
    options = ("--adapter", f"vdi_fixtures.readings.{reading}:Reading", *(f"--topic={one.upper()}" for one in topics))
    assert _marked_though_right(run_suite, tmp_path, *options, "-n", "2", "--", "-k", "not under_conditions") == []


@pytest.mark.long
def test_all_of_a_right_run_has_no_mark(run_suite: RunSuite, tmp_path: Path) -> None:
    assert _marked_though_right(run_suite, tmp_path, "--adapter", "emulator", "-n", "2", "--") == []


def _found() -> dict[str, str]:
    """Give for each fault a check that finds it."""
    lines = (FAULTS / "found.tsv").read_text(encoding="utf-8").splitlines()[2:]
    return {fault: check for fault, _, check in (line.split("\t") for line in reversed(lines))}


def _broken(run_suite: RunSuite, topic: str, fault: str, check: str) -> CheckRecord:
    run = run_suite("--adapter", f"vdi_fixtures.broken.{topic}.{fault}:Broken", f"--check={check}")
    (record,) = run.evidence.checks
    assert record.verdict in ("failed", "warning"), run.output
    return record


def _require_mark(record: CheckRecord, judges: Sequence[str] = ("model", "check")) -> None:
    """Require a mark on a call that was kept, of the process that the check names where it is the check's own."""
    assert record.unexpected is not None
    assert record.cause is not None
    assert record.unexpected.judge in judges, record.unexpected
    call = next(call for call in record.calls if call.number == record.unexpected.call)
    if record.unexpected.judge == "check" and record.cause.observed is not None:
        process = re.search(r" in ((?:primary|secondary|client)(?: \d+)?) gave ", record.cause.sentence)
        assert process is None or call.process == process[1]


@pytest.mark.parametrize(
    ("topic", "fault", "check", "method", "permitted"),
    [
        ("mbh", "mapping_copies", "MBH/mapping_again_spoils_no_earlier_address[backup]", "memory.digest", "the bytes"),
        (
            "mbh",
            "only_the_primary_maps",
            "MBH/who_left_and_joined_again_maps[backup]",
            "set.map_buffer_handle",
            "NOERR",
        ),
        ("gbh", "closed_objects_give_handles", None, "set.get_buffer_handle", "VD_E_PROTOCOL"),
        ("cmp", "double_completion_accepted", None, "device.complete_command", "VD_E_INVALID"),
    ],
)
def test_a_fault_is_marked_where_it_shows_first(
    run_suite: RunSuite, topic: str, fault: str, check: str | None, method: str, permitted: str
) -> None:
    record = _broken(run_suite, topic, fault, check or _found()[fault])
    _require_mark(record, ("model",))
    assert record.unexpected is not None
    call = next(call for call in record.calls if call.number == record.unexpected.call)
    assert call.method == method
    assert any(one.startswith(permitted) for one in record.unexpected.permitted)
    assert (record.calls[0].number, record.calls[0].begin) == (1, 0.0)
    assert all(call.end is None or call.end >= call.begin for call in record.calls)
    assert {"set", "set1.0"} <= {call.thread for call in record.calls}
    assert not any("thread" in call.params for call in record.calls)


@pytest.mark.long
@pytest.mark.parametrize("topic", TOPICS)
def test_every_fault_that_is_written_down_has_a_mark(run_suite: RunSuite, topic: str) -> None:
    found = _found()
    written = [path.stem for path in (FAULTS / "broken" / topic).glob("*.py") if path.stem in found]
    assert written
    by_model = 0
    for fault in written:
        record = _broken(run_suite, topic, fault, found[fault])
        _require_mark(record)
        by_model += record.unexpected is not None and record.unexpected.judge == "model"
    assert by_model > len(written) / 2
