"""The doctor names each mistake of a host's author with its remedy, and finds nothing in hosts that are right."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from native import build
from selftest.report.harmless import require_harmless
from vdi_conformance.adapters.sqlserver import DIRECTORY_VARIABLE
from vdi_conformance.cli import main
from vdi_conformance.cli.schema import published
from vdi_conformance.doctor.findings import remedies
from vdi_fixtures import hosts
from vdi_fixtures.hosts.damages import DAMAGES

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="threads and signals are looked at on Linux")
LONG = pytest.mark.long
HERE = Path(hosts.__file__).parent
PATIENT = ("--patience", "120")
"""For what is answered: a busy machine must not look like a silent host."""
QUICK = ("--patience", "2")
"""For what is never answered, so that it is waited for in vain."""

TOGETHER = {
    "lines and codes": {
        "accepts_any_method": "unknown-method-accepted",
        "signed_codes": "code-is-signed",
        "another_fill": "fill-differs",
        "upper_case_digest": "digest-form",
        "out_values_missing": "out-value-missing",
        "wrong_fault_code": "wrong-fault-code",
        "forgets_released": "released-is-forgotten",
        "fails_at_the_end": "ends-badly",
        "id_as_text": "id-is-text",
        "carriage_return": "carriage-return",
    },
    "memory and order": {
        "reports_null_out": "null-out-has-value",
        "repeated_fill": "fill-repeats",
        "saves_at_the_start": "file-differs",
        "usable_reservation": "reservation-usable",
        "out_of_order": "label-out-of-order",
        "two_answers": "second-answer",
        "broken_line": "broken-line",
    },
    "numbers": {
        "seeds_of_32_bits": "seed-is-cut",
        "out_values_zeroed": "out-value-zeroed",
        "accepts_any_parameters": "bad-parameters-accepted",
        "addresses_as_numbers": "address-is-number",
        "lacks_method": "lacks-methods",
        "prints_on_output": "no-answer-on-output",
    },
}
"""Damages that go together, each with the mistake that it is; what breaks lines comes last."""
ALONE = {
    "wrong_id": "wrong-id",
    "not_flushed": "not-flushed",
    "dies_of_unknown_method": "unknown-method-kills",
    "addresses_cut": "address-is-cut",
    "dies_of_faults": "dies-of-fault",
    "dies_under_labels": "ends-in-a-call",
    "blocking_reader": "reader-blocks",
    "cannot_create": "create-fails",
    "copied_record": "completion-refused",
    "forgets_released_devices": "released-is-forgotten",
    "ignores_null_out": "null-out-unnoticed",
}
"""Damages after which some examinations cannot be made."""
ALONE_AND_LONG = {
    "no_answer": "no-answer",
    "no_result": "no-result",
    "no_version": "no-version",
    "byte_order_mark": "byte-order-mark",
    "reads_latin_1": "reads-no-unicode",
    "id_as_float": "id-is-no-integer",
    "error_as_text": "error-is-no-object",
    "pretty_printed": "broken-line",
    "positions_as_doubles": "position-is-changed",
    "one_thread_for_all": "labels-block",
    "thread_for_each_request": "thread-for-each-request",
    "stays_at_the_end": "stays-at-the-end",
    "dies_at_the_end": "ends-badly",
    "base64_digest": "digest-form",
    "buffer_of_4096": "short-lines",
    "buffer_of_65536": "short-lines",
    "one_request_a_read": "reads-no-pieces",
    "full_pipe": "stops-answering",
    "truncates_files": "file-differs",
    "slow": "slow",
}
FOLLOW = {
    "accepts_any_parameters": {"short-file-accepted"},
    "usable_reservation": {"fault-unnoticed"},
    # Of an OpenDevice that failed the schema demands `opened`.
    "out_values_missing": {"wrong-answer"},
}
"""What else must come of a damage."""
WAITED_FOR = {
    "not_flushed",
    "blocking_reader",
    "no_answer",
    "wrong_id",
    "one_thread_for_all",
    "stays_at_the_end",
    "one_request_a_read",
    "full_pipe",
}
"""Damages that cost an answer, or the end."""
EACH = {name: mistake for group in (*TOGETHER.values(), ALONE, ALONE_AND_LONG) for name, mistake in group.items()}
SEEN_ON_LINUX = {"thread_for_each_request"}


def examined(
    capsys: pytest.CaptureFixture[str], reference: str, *options: str, patience: tuple[str, ...] = PATIENT
) -> tuple[int, dict[str, Any]]:
    """Give the exit code of the doctor and its report, which fits the published schema."""
    code = main(["doctor", "--adapter", reference, "--format", "json", *patience, *options])
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.validate(report, json.loads(published()["doctor"]))
    assert report["exit_code"] == code
    return code, report


def mistakes(report: dict[str, Any]) -> list[str]:
    return [found["mistake"] for one in report["examinations"] for found in one["findings"]]


def by_name(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in report["examinations"]}


@pytest.mark.parametrize("group", TOGETHER)
def test_mistakes_are_named_each_beside_the_others(
    group: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damages = TOGETHER[group]
    code, report = examined(capsys, hosts.damaged(tmp_path, *damages))
    assert code == 1
    assert set(damages.values()) <= set(mistakes(report)), report
    for one in report["examinations"]:
        for found in one["findings"]:
            assert found["remedy"] == remedies()[found["mistake"]].remedy
            assert found["came"], found


def _each() -> list[Any]:
    """Give every damage alone; what is tried beside others, or takes its time, is left to the long tier."""
    return [
        pytest.param(
            name, marks=[*([] if name in ALONE else [LONG]), *([ON_LINUX] if name in SEEN_ON_LINUX else [])], id=name
        )
        for name in EACH
    ]


@pytest.mark.parametrize("damage", _each())
def test_a_mistake_is_named_and_no_other(damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    is_waited_for = damage in WAITED_FOR
    code, report = examined(capsys, hosts.damaged(tmp_path, damage), patience=QUICK if is_waited_for else PATIENT)
    assert EACH[damage] in mistakes(report), report
    # With little patience a busy machine may look like silence besides.
    assert is_waited_for or set(mistakes(report)) <= {EACH[damage]} | FOLLOW.get(damage, set()), report
    assert code == (0 if remedies()[EACH[damage]].level == "advice" else 1)


def test_standard_error_is_told_with_what_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--adapter", hosts.damaged(tmp_path, "cannot_create"), *PATIENT]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert told.startswith("1. create-fails")
    assert "vendor library: VENDOR_HOME is not set" in told
    assert "Not tried, since no set can be created: waiting, end while waiting, meeting, commands." in told


def test_every_damage_is_tried() -> None:
    assert set(EACH) | {"none"} == set(DAMAGES)


AT_ONCE = {
    "dies_at_once": (4, "fails-at-once", "no licence found"),
    "answers_without_a_result": (1, "no-result", ""),
    "claims_a_long_name": (1, "wrong-answer", "at most 200 characters"),
    "claims_a_long_library": (1, "wrong-answer", "at most 4096 characters"),
    "claims_a_version_without_minors": (1, "other-protocol", "the version 1"),
    "claims_an_unknown_protocol": (1, "other-protocol", "999.0"),
    "invents_an_error_code": (1, "initialize-refused", "not today"),
    "reads_no_minors": (1, "other-protocol", "whole number"),
    "knows_no_methods": (1, "lacks-methods", "-32601"),
    "refuses_with_half_characters": (1, "refused", "no file a"),
    "speaks_a_newer_minor": (1, "wrong-answer", "warmth"),
}


@pytest.mark.parametrize("failure", AT_ONCE)
def test_a_host_that_fails_early_is_told_why(failure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted, mistake, words = AT_ONCE[failure]
    code, report = examined(capsys, hosts.manifest(failure, tmp_path))
    assert code == wanted, report
    came = [found["came"] for one in report["examinations"] for found in one["findings"] if found["mistake"] == mistake]
    assert words in " ".join(came), report
    untried = [one for one in report["examinations"] if one["outcome"] == "not tried"]
    assert untried, "an examination that cannot be made is said to be not tried"
    assert all(one["reason"] for one in untried)


UNLOADABLE = {
    "raises_on_import": "libvendor.so.7 is missing",
    "raises_when_made": "no permission to open the library",
}


@pytest.mark.parametrize("failure", UNLOADABLE)
def test_an_adapter_that_cannot_be_loaded_is_not_started(failure: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--adapter", hosts.adapter(failure), *PATIENT]) == 4
    told = capsys.readouterr().out
    assert UNLOADABLE[failure] in " ".join(told.split())
    assert "could not be started" in " ".join(told.split())


MISBEHAVING = {
    "crashes_with_sigsegv": "ends-in-a-call",
    "exits_within_a_call": "ends-in-a-call",
    "keeps_the_interpreter_lock": "no-answer",
    "gives_no_plain_data": "raised",
    "raises_out_of_a_call": "raised",
    "floods_standard_error": "raised",
    "prints_to_standard_output": "raised",
    "reads_standard_input": "raised",
    "starts_another_process": "raised",
}
"""Adapters whose only method is Close: all others raise.

`starts_a_daemon` is left out, since nobody could end what that leaves behind.
"""
PROGRAMS = {
    "answers_twice": "second-answer",
    "answers_with_a_wrong_id": "wrong-id",
    "answers_with_a_wrong_type": "code-is-signed",
    "closes_its_output": "silent",
    "declares_an_unknown_capability": "wrong-answer",
    "dies_with_the_pipes_held": "ends-in-a-call",
    "hangs": "silent",
    "prints_garbage": "no-answer-on-output",
    "stays_at_the_end": "no-answer",
    "writes_a_line_without_end": "line-without-end",
}


@LONG
@pytest.mark.parametrize(
    ("reference", "mistake"),
    [
        *((partial(hosts.manifest, name), mistake) for name, mistake in PROGRAMS.items()),
        *((lambda _, name=name: hosts.adapter(name), mistake) for name, mistake in MISBEHAVING.items()),
        (lambda _: f"{HERE / 'dies_in_a_call.py'}:Crashing", "ends-in-a-call"),
        (lambda _: f"{HERE / 'dies_in_a_call.py'}:Killed", "ends-in-a-call"),
        (lambda _: f"{HERE / 'hostile.py'}:Raising", "raised"),
        (lambda _: f"{HERE / 'hostile.py'}:Dying", "ends-in-a-call"),
        (lambda _: f"{HERE / 'hostile.py'}:Unloadable", "cannot-be-loaded"),
        (lambda _: f"{HERE / 'hostile.py'}:Unavailable", "not-there"),
        (lambda _: f"{HERE / 'hostile.py'}:Unnamed", "wrong-answer"),
    ],
    ids=[*PROGRAMS, *MISBEHAVING, "Crashing", "Killed", "Raising", "Dying", "Unloadable", "Unavailable", "Unnamed"],
)
def test_a_host_that_misbehaves_gets_a_sentence(
    reference: Any, mistake: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--adapter", reference(tmp_path), *QUICK]) in (1, 4)
    told = capsys.readouterr()
    assert re.search(rf"^\d+\. {mistake}$", told.out, re.MULTILINE), told.out
    assert "Traceback" not in told.err
    for line in told.out.splitlines():
        require_harmless(line)


def template(directory: Path) -> str:
    """Give the reference of the skeleton in Python, with the stand-in for its library, beside the emulator."""
    assert main(["adapter", "init", str(directory / "made")]) == 0
    path = directory / "made" / "adapter.py"
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^LIBRARY = .*$", lambda _: f"LIBRARY = {str(build())!r}", text)
    beside = f"""

class Beside(MyVdiAdapter):
    def __init__(self, environment):
        import os
        os.environ[{DIRECTORY_VARIABLE!r}] = environment.directory
        super().__init__(environment)
"""
    path.write_text(text + beside, encoding="utf-8")
    return f"{path}:Beside"


@pytest.mark.parametrize(
    ("reference", "options"),
    [
        (lambda _: "emulator", ()),
        pytest.param(partial(hosts.manifest, "makes_single_calls_only"), (), marks=LONG),
        pytest.param(lambda directory: hosts.damaged(directory, "none"), (), marks=LONG),
        pytest.param(lambda _: f"sqlserver:{build()}", ("--server", "emulator"), marks=[LONG, ON_LINUX]),
        pytest.param(template, ("--server", "emulator"), marks=[LONG, ON_LINUX]),
    ],
    ids=["emulator", "single calls", "undamaged", "stand-in", "template"],
)
def test_a_right_host_has_no_finding(
    reference: Any, options: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = reference(tmp_path)
    capsys.readouterr()
    code, report = examined(capsys, named, *options)
    not_fine = [one for one in report["examinations"] if one["outcome"] not in ("fine", "not applicable")]
    assert not_fine == []
    assert (code, mistakes(report)) == (0, [])
    assert all(call["median_milliseconds"] > 0 for call in report["times"])


@ON_LINUX
def test_a_wrapper_that_hides_a_crash_is_advised_against(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(hosts.damaged(tmp_path, "lacks_method", "fails_at_the_end"))
    host = f"{shlex.quote(sys.executable)} -m vdi_fixtures.hosts.damaging lacks_method; exit $?"
    command = json.dumps(["/bin/sh", "-c", host])
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"(?m)^command = .*$", lambda _: f"command = {command}", text), encoding="utf-8")
    _, report = examined(capsys, str(path))
    assert mistakes(report) == ["lacks-methods", "is-wrapped"], report


NEVER_WAITS = """
from vdi_conformance.contract import Outcome
from vdi_conformance.vdi.hresult import VD_E_INVALID
from vdi_fixtures.trivial import answers_noerror

class Client(answers_noerror._Set):
    def get_configuration(self, timeout, null_out=False):
        return Outcome(VD_E_INVALID) if null_out else super().get_configuration(timeout)

class NeverWaits(answers_noerror.Trivial):
    client = Client
"""
"""A library that waits for nothing, behind a host that is right."""


def test_without_a_server_the_meeting_needs_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "never_waits.py"
    path.write_text(NEVER_WAITS, encoding="utf-8")
    _, report = examined(capsys, f"{path}:NeverWaits", "--server", "none")
    outcomes = {name: one["outcome"] for name, one in by_name(report).items()}
    assert mistakes(report) == [], report
    assert outcomes["commands"] == "not applicable"
    assert outcomes["waiting"] == "not tried"
    assert report["exit_code"] == 6


@pytest.mark.parametrize(
    ("reference", "named"),
    [
        ("nonsense", "is no reference to an adapter"),
        ("nowhere.toml", "cannot be read"),
        ("vdi_nowhere:Adapter", "no package 'vdi_nowhere'"),
    ],
)
def test_a_reference_that_leads_nowhere_is_wrong_usage(
    reference: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--adapter", reference]) == 4
    shown = capsys.readouterr()
    assert named in shown.err
    assert shown.out == ""


def test_a_program_that_cannot_be_executed_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "host"
    program.write_bytes(b"\x7fELF, or so it claims")
    program.chmod(0o755)
    manifest = tmp_path / "host.toml"
    manifest.write_text(f"command = [{json.dumps(str(program))}]\n", "utf-8")
    if os.name == "nt":
        assert main(["doctor", "--adapter", str(manifest)]) == 4
        return
    code, report = examined(capsys, str(manifest))
    assert (code, mistakes(report)) == (4, ["not-startable"])


def test_a_host_is_told_of_what_it_is_for_in_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--adapter", hosts.damaged(tmp_path, "wrong_fault_code"), *PATIENT]) == 1
    shown = capsys.readouterr()
    assert "1. wrong-fault-code" in shown.out
    assert re.search(r"remedy  Answer with the error -32003", shown.out)
    assert shown.out.rstrip().endswith("Exit code 1.")
    assert "examining faults" in shown.err
