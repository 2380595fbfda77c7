"""Hosts that die, hang or break the protocol: each gives one error that names what happened and what to do."""

from __future__ import annotations

import math
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from selftest.host.processes import call_for_ever, gone
from selftest.report.harmless import require_harmless
from vdi_conformance.adapters import resolve
from vdi_conformance.host import errors
from vdi_conformance.host.messages import client
from vdi_conformance.host.process_end import Ended
from vdi_conformance.host.supervisor import Supervisor
from vdi_fixtures.hosts import adapter, manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from vdi_conformance.host.process import Host
    from vdi_conformance.host.spec import AdapterSpec

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
SHORT = 0.3
CLOSE = client.Close(set="s")


def misbehaving(supervisor: Supervisor, failure: str) -> Host:
    host = supervisor.launch(resolve(adapter(failure)))
    host.call(client.NewSet(set="s"))
    return host


AT_ONCE = [
    ("prints_garbage", errors.NotJson, "Vendor Backup Library 7.1 ready.*print messages to standard error"),
    ("answers_with_a_wrong_id", errors.WrongId, "answer each request once, with its own id"),
    ("answers_without_a_result", errors.WrongReply, "initialize.*neither result nor error"),
    ("claims_an_unknown_protocol", errors.UnknownProtocol, r"it speaks 999\.0.*install a vdi-conformance"),
    ("declares_an_unknown_capability", errors.WrongReply, "unknown capability 'teleportation'"),
    (
        "claims_a_long_name",
        errors.WrongReply,
        r"name of identity must have at most 200 characters.*published schema of initialize",
    ),
    ("claims_a_long_library", errors.WrongReply, r"library of identity must have at most 4096 characters"),
    ("invents_an_error_code", errors.UnknownRefusal, "not today"),
    ("writes_a_line_without_end", errors.NotJson, "xxx"),
    ("dies_at_once", errors.HostDied, "exited with code 3 before it answered initialize(.|\n)*no licence found"),
]


@pytest.mark.parametrize(("failure", "error", "sentence"), AT_ONCE)
def test_a_program_that_fails_to_initialize(
    supervisor: Supervisor, tmp_path: Path, failure: str, error: type[errors.HostError], sentence: str
) -> None:
    host = supervisor.launch(resolve(manifest(failure, tmp_path)), name="primary")
    with pytest.raises(error, match=sentence) as caught:
        _ = host.initialized
    assert caught.value.host == "primary"
    assert "host 'primary'" in str(caught.value)
    with pytest.raises(error):
        host.call(client.NewSet(set="s"))
    host.finish()
    assert host.ended


def test_half_characters_are_told_as_they_were_written(supervisor: Supervisor, tmp_path: Path) -> None:
    host = supervisor.launch(resolve(manifest("refuses_with_half_characters", tmp_path)))
    with pytest.raises(errors.InvalidParams, match=r"no file a\\udcffb \\ud83d\U0001f600") as caught:
        host.call(client.NewSet(set="s"))
    assert str(caught.value).endswith("\n\\ud800")
    assert caught.value.message == "no file a\\udcffb \\ud83d\U0001f600"


TRICKS = "\x1b[2J\x07\r\n::error::x \u202e\u200b\x9b"


@pytest.mark.parametrize(
    "error",
    [
        errors.NotStarted(TRICKS * 999),
        errors.NoProcess(TRICKS * 999),
        errors.HostDied("primary", "set.close", Ended(3, None, TRICKS * 999)),
        errors.HostHung("primary", "set.close", 1, Ended(3, None, TRICKS * 999)),
        errors.NotJson("primary", (TRICKS * 999).encode()),
        errors.NotJson("primary", b"\xff\x1b[2J" * 999),
        errors.WrongId("primary", (TRICKS * 999).encode()),
        errors.WrongReply("primary", "set.close", TRICKS * 999, (TRICKS * 999).encode()),
        errors.UnknownProtocol("primary", TRICKS * 999),
        *(
            kind("primary", "set.close", TRICKS * 999, {"traceback": TRICKS * 999})
            for kind in dict.fromkeys(errors.BY_CODE.values())
        ),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_sentence_of_an_error_does_nothing_to_its_reader(error: errors.HostError) -> None:
    require_harmless(str(error))
    assert len(str(error)) < 40_000
    assert str(error).split("\n")[0].isprintable()


def test_a_second_answer_breaks_the_protocol(supervisor: Supervisor, tmp_path: Path) -> None:
    host = supervisor.launch(resolve(manifest("answers_twice", tmp_path)))
    _ = host.initialized
    with pytest.raises(errors.WrongId):
        host.call(client.NewSet(set="s"))


def test_a_reply_of_a_wrong_type_names_the_member(supervisor: Supervisor, tmp_path: Path) -> None:
    host = supervisor.launch(resolve(manifest("answers_with_a_wrong_type", tmp_path)))
    with pytest.raises(errors.WrongReply, match=r"set\.close.*\(code must be .*published schema"):
        host.call(CLOSE)


def test_an_unknown_method_is_refused(supervisor: Supervisor, tmp_path: Path) -> None:
    host = supervisor.launch(resolve(manifest("knows_no_methods", tmp_path)))
    with pytest.raises(errors.MethodNotFound, match=r"set\.close"):
        host.call(CLOSE)
    with pytest.raises(errors.MethodNotFound):
        host.call(CLOSE)


@pytest.mark.parametrize("failure", ["hangs", "closes_its_output"])
def test_a_host_that_does_not_answer_is_ended(supervisor: Supervisor, tmp_path: Path, failure: str) -> None:
    host = supervisor.launch(resolve(manifest(failure, tmp_path)))
    assert host._initialize is not None
    with pytest.raises(errors.HostHung, match=r"initialize within 0\.3 s.*release the GIL"):
        host._initialize.result(SHORT)
    assert host.ended


def test_a_host_that_stays_at_the_end_is_ended(supervisor: Supervisor, tmp_path: Path) -> None:
    host = supervisor.launch(resolve(manifest("stays_at_the_end", tmp_path)))
    _ = host.initialized
    with pytest.raises(errors.HostHung, match="the end of its standard input"):
        host.finish(SHORT)
    assert host.ended


@POSIX
def test_a_crash_is_known_though_a_descendant_holds_the_pipes(supervisor: Supervisor, tmp_path: Path) -> None:
    host = supervisor.launch(resolve(manifest("dies_with_the_pipes_held", tmp_path)))
    _ = host.initialized
    with pytest.raises(errors.HostDied, match="was killed by SIGABRT"):
        host.call(CLOSE)


NOT_LOADED = [
    (adapter("raises_on_import"), "ImportError: libvendor.so.7 is missing", "raises_on_import.py"),
    (adapter("raises_when_made"), "OSError: no permission to open the library", "raises_when_made.py"),
    ("vdi_fixtures.hosts:manifest", "must be a class derived from", ""),
    ("vdi_fixtures.hosts:Nothing", "^there is no class Nothing in vdi_fixtures.hosts: make", ""),
    ("vdi_fixtures.nothing:Adapter", r"\(No module named 'vdi_fixtures.nothing'\)", ""),
]


@pytest.mark.parametrize(("reference", "sentence", "file"), NOT_LOADED)
def test_an_adapter_that_cannot_be_loaded(supervisor: Supervisor, reference: str, sentence: str, file: str) -> None:
    host = supervisor.launch(resolve(reference))
    with pytest.raises(errors.AdapterNotLoaded, match=sentence) as caught:
        host.call(client.NewSet(set="s"))
    account = str(caught.value.data.get("traceback", ""))
    assert (file in account) if file else account == ""
    assert "loader.py" not in account
    assert host.finish().exit_code == 0


def test_an_exception_out_of_a_call_is_no_end(supervisor: Supervisor) -> None:
    host = misbehaving(supervisor, "raises_out_of_a_call")
    with pytest.raises(errors.AdapterRaised, match=r"RuntimeError out of set\.close: the library gave 0x8077000C"):
        host.call(CLOSE)
    host.call(client.NewSet(set="t"))


def test_a_result_that_is_no_plain_data(supervisor: Supervisor) -> None:
    host = misbehaving(supervisor, "gives_no_plain_data")
    with pytest.raises(errors.AdapterRaised, match=r"set\.close a result that is no plain data"):
        host.call(CLOSE)


@POSIX
def test_a_crash_names_its_signal_and_its_place(supervisor: Supervisor) -> None:
    host = misbehaving(supervisor, "crashes_with_sigsegv")
    with pytest.raises(errors.HostDied, match=r"was killed by SIGSEGV before it answered set\.close") as caught:
        host.call(CLOSE)
    assert caught.value.method == "set.close"
    assert caught.value.ended.signal == signal.SIGSEGV
    assert caught.value.ended.crashed
    assert "in misbehave" in caught.value.ended.stderr
    assert host.ended == caught.value.ended == host.finish()


def test_an_exit_within_a_call_names_its_code(supervisor: Supervisor) -> None:
    host = misbehaving(supervisor, "exits_within_a_call")
    with pytest.raises(errors.HostDied, match="exited with code 7") as caught:
        host.call(CLOSE)
    assert not caught.value.ended.crashed
    assert str(host.ended) == "exited with code 7"


def test_a_killed_host_fails_every_request_that_waits(supervisor: Supervisor, host: Host) -> None:
    host.call(client.NewSet(set="s"))
    host.call(client.OpenDevice(set="s", name="quiet", device="d"))
    waiting = [host.send(client.GetCommand(device="d", timeout=60_000, thread=label)) for label in "ab"]
    host.kill()
    for pending in waiting:
        with pytest.raises(errors.HostDied):
            pending.result()
        assert pending.done
    with pytest.raises(errors.HostDied):
        host.call(CLOSE)
    assert host not in supervisor.hosts


@POSIX
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGSEGV"])
def test_a_signal_is_reported_as_it_was_sent(host: Host, name: str) -> None:
    _ = host.initialized
    host.kill(signal.Signals[name])
    ended = host.wait_until_ended()
    assert ended.signal == signal.Signals[name]
    assert str(ended) == f"was killed by {name}"


def test_a_halted_host_answers_when_it_is_resumed(supervisor: Supervisor, launch: Callable[..., Host]) -> None:
    host = launch()
    _ = host.initialized
    host.halt()
    # A fork server takes its orders one after the other.
    _ = launch(name="other").initialized
    pending = host.send(client.NewSet(set="s"))
    assert supervisor.wait_any([pending], SHORT) is None
    host.resume()
    pending.result()
    assert host.finish().exit_code == 0


def test_a_call_that_keeps_the_interpreter_lock_is_found(supervisor: Supervisor) -> None:
    host = misbehaving(supervisor, "keeps_the_interpreter_lock")
    host.send(client.Close(set="s", thread="a"))
    with pytest.raises(errors.HostHung, match="must release the GIL"):
        call_for_ever(host, SHORT)
    assert host.ended


@POSIX
def test_a_hung_host_says_where_it_hangs(host: Host) -> None:
    host.call(client.NewSet(set="s"))
    host.call(client.OpenDevice(set="s", name="quiet", device="d"))
    with pytest.raises(errors.HostHung) as caught:
        host.call(client.GetCommand(device="d", timeout=60_000, thread="d"), patience=SHORT)
    assert caught.value.ended is not None
    assert "in get_command" in caught.value.ended.stderr


@pytest.mark.parametrize("how", ["killed", pytest.param("hung", marks=POSIX), "finished"])
def test_the_whole_process_group_goes_with_its_host(supervisor: Supervisor, how: str) -> None:
    host = misbehaving(supervisor, "starts_another_process")
    other = host.call(CLOSE).code
    assert not gone(other)
    if how == "killed":
        host.kill()
        host.wait_until_ended()
    elif how == "hung":
        # The fork server passes the signal on: a call, which goes straight to the host, may overtake it and be
        # answered.
        host.kill(signal.Signals["SIGSTOP"])
        with pytest.raises(errors.HostHung):
            call_for_ever(host, SHORT)
    else:
        host.finish()
    assert gone(other, within=1.0)


def test_what_an_adapter_prints_does_not_touch_the_protocol(supervisor: Supervisor) -> None:
    host = misbehaving(supervisor, "prints_to_standard_output")
    assert host.call(CLOSE).code == 0
    ended = host.finish()
    assert "printed by Python" in ended.stderr
    assert "printed past Python" in ended.stderr


def test_what_an_adapter_reads_is_not_the_protocol(supervisor: Supervisor) -> None:
    assert misbehaving(supervisor, "reads_standard_input").call(CLOSE).code == 0


def test_a_flood_of_standard_error_blocks_nobody(supervisor: Supervisor) -> None:
    host = misbehaving(supervisor, "floods_standard_error")
    assert host.call(CLOSE).code == 0
    ended = host.finish()
    assert ended.stderr.endswith("the last words\n")
    assert len(ended.stderr) <= 16384


def test_a_long_request_to_a_busy_host_blocks_nobody(host: Host) -> None:
    host.call(client.NewSet(set="s"))
    host.call(client.OpenDevice(set="s", name="quiet", device="d"))
    # Without a label the reader itself waits, so nothing is read meanwhile.
    busy = host.send(client.GetCommand(device="d", timeout=300))
    long = [host.send(client.OpenInSecondary(set="s", name="x" * 200_000)) for _ in range(8)]
    assert not busy.done
    assert [pending.result().code for pending in long] == [0] * 8
    assert busy.done


def test_a_program_that_cannot_be_executed(supervisor: Supervisor, tmp_path: Path) -> None:
    program = tmp_path / ("host.exe" if sys.platform == "win32" else "host")
    program.write_bytes(b"\x7fELF but no more")
    program.chmod(0o755)
    path = tmp_path / "host.toml"
    path.write_text(f"command = ['./{program.name}']")
    host = supervisor.launch(resolve(str(path)))
    with pytest.raises(errors.HostDied, match=r"exited with code 127(.|\n)*could not be started: OSError"):
        _ = host.initialized


def test_a_process_of_ours_that_the_system_refuses_is_no_fault_of_the_adapter(
    toy: AdapterSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Supervisor("spawn") as supervisor:
        with monkeypatch.context() as patched:
            patched.setattr(
                "vdi_conformance.host.starting.spawned.interpreter_command", lambda *_, **__: ["no such program"]
            )
            with pytest.raises(errors.NoProcess, match=r"short of memory or processes, then run again$"):
                supervisor.launch(toy)
        assert supervisor.launch(toy).initialized.identity.name == "toy"


@pytest.fixture
def time_is_over(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Let the time for all requests be over, when the test says so, on a machine that is not busy."""
    monkeypatch.setattr("vdi_conformance.host.pace.stretch", lambda: 1.0)
    yield lambda: supervisor.limit(-1)
    supervisor.limit(math.inf)


def test_nothing_is_sent_when_the_time_of_all_is_over(supervisor: Supervisor, time_is_over: Callable[[], None]) -> None:
    host = supervisor.launch(resolve("emulator"))
    time_is_over()
    with pytest.raises(errors.NoEnd, match="each answer asked for more of them, or none came"):
        host.call(client.NewSet(set="s"))
    assert host.finish().exit_code == 0


def test_nothing_is_waited_for_when_the_time_of_all_is_over(
    supervisor: Supervisor, host: Host, time_is_over: Callable[[], None]
) -> None:
    waiting = host.send(client.NewSet(set="s"))
    time_is_over()
    with pytest.raises(errors.NoEnd, match="or none came"):
        supervisor.wait_any([waiting])


def test_the_one_of_several_calls_that_never_returns_ends_its_host(supervisor: Supervisor, host: Host) -> None:
    host.call(client.NewSet(set="s"))
    host.call(client.OpenDevice(set="s", name="quiet", device="d"))
    forever = host.send(client.GetCommand(device="d", timeout=60_000, thread="d"))
    with pytest.raises(errors.HostHung):
        supervisor.wait_for_one([forever], patience=0.1)
