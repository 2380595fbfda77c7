"""A host program that refuses what it owes is told of or an error, and breaks no requirement of the library."""

import json
import os
import sys
from pathlib import Path

import pytest

from selftest.suite import probed, refusing_host
from selftest.suite.runs import RunSuite
from vdi_conformance.host import codes
from vdi_conformance.host.messages.duties import duty_of, lacking_as_server
from vdi_conformance.host.messages.schemas import host_protocol, requests
from vdi_conformance.host.spec import RunSettings
from vdi_conformance.host.supervisor import Supervisor
from vdi_conformance.pytest_plugin.parties import UnknownParties, ask_parties, parties_of
from vdi_conformance.pytest_plugin.probe import Trouble, probe

CHECK = "GBH/asking_twice_gives_handles_of_the_same_buffer[backup]"
SELECTED = f"--check={CHECK}"
WITHOUT_PROBE = ("--", "-p", "no:vdi-probe")
MEMORY = sorted(method for method in requests() if method.startswith("memory."))


def _manifest(directory: Path, method: str, how: str | int, telling: str = "telling") -> str:
    command = [sys.executable, refusing_host.__file__, method, str(how), telling]
    search = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    path = directory / "host.toml"
    path.write_text(f"command = {json.dumps(command)}\n[env]\nPYTHONPATH = {json.dumps(search)}\n", "utf-8")
    return str(path)


def test_what_a_host_must_have_is_published() -> None:
    published = host_protocol()
    assert set(published["must_have"]) == {method for method in requests() if duty_of(method) == "always"}
    assert {*MEMORY, "initialize", "set.get_buffer_handle"} <= set(published["must_have"])
    assert not {"device.serve", "device.complete_concurrently", "calls.concurrently"} & set(published["must_have"])
    assert all(method["needed"] for method in published["methods"].values())


def _tried(reference: str) -> None:
    with Supervisor() as supervisor:
        found = ask_parties(supervisor, reference, None, RunSettings())
        probe(parties_of(*found, RunSettings()), supervisor, with_statements=True)


@pytest.mark.parametrize("method", ["memory.digest", "memory.reserve", "set.get_buffer_handle", "device.get_command"])
def test_what_a_host_has_not_is_found_when_it_is_asked(tmp_path: Path, method: str) -> None:
    with pytest.raises(UnknownParties, match=f"does not have {method}, which it must have: implement"):
        _tried(_manifest(tmp_path, method, refusing_host.NOT_THERE))


@pytest.mark.parametrize("method", [*MEMORY, "set.create_ex", "device.get_command"])
def test_what_a_host_has_not_shows_where_it_does_not_tell(tmp_path: Path, method: str) -> None:
    reference = _manifest(tmp_path, method, refusing_host.NOT_THERE, "quiet")
    with pytest.raises(
        Trouble, match=f"host.toml does not serve {method} .*implement what the published host protocol"
    ):
        _tried(reference)


@pytest.mark.parametrize(
    ("method", "how"),
    [
        *((method, refusing_host.NOT_THERE) for method in ("device.serve", "calls.concurrently", "native.symbol")),
        ("set.get_buffer_handle", codes.METHOD_NOT_FOUND),
        ("device.get_command", codes.METHOD_NOT_FOUND),
        ("memory.fill", codes.INVALID_PARAMS),
    ],
)
def test_the_rest_is_left_to_the_checks(tmp_path: Path, method: str, how: str | int) -> None:
    _tried(_manifest(tmp_path, method, how))


def test_what_a_host_of_a_server_must_have_depends_on_its_level(tmp_path: Path) -> None:
    for method in ("statement.execute", "server.open"):
        reference = _manifest(tmp_path, method, refusing_host.NOT_THERE)
        with Supervisor() as supervisor:
            with pytest.raises(UnknownParties, match=f"does not have {method}, which it must have"):
                ask_parties(supervisor, "emulator", reference, RunSettings())
            client, server = ask_parties(supervisor, reference, None, RunSettings())
            assert client == server, "what its own server does not serve is left to the checks"
    assert lacking_as_server(["statement.execute"], requests(), "statement") == []
    assert "memory.read" in lacking_as_server(["statement.execute"], requests(), "scripted")


def test_a_run_is_ended_by_one_sentence(run_suite: RunSuite, tmp_path: Path) -> None:
    run = run_suite("--adapter", _manifest(tmp_path, "memory.read", refusing_host.NOT_THERE), "-n", "2")
    assert run.exit_code == 4, run.output
    (line,) = (line for line in run.output.splitlines() if line.strip())
    assert "does not have memory.read" in line


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("memory.fill", codes.MEMORY_FAULT),
        ("memory.digest", codes.MEMORY_FAULT),
        ("memory.digest", codes.INVALID_PARAMS),
        ("memory.fill", codes.METHOD_NOT_FOUND),
    ],
)
def test_a_refusal_of_memory_is_an_error(run_suite: RunSuite, tmp_path: Path, method: str, code: int) -> None:
    run = run_suite("--adapter", _manifest(tmp_path, method, code), SELECTED, *WITHOUT_PROBE)
    assert (run.exit_code, run.verdicts()) == (6, {CHECK: "error"}), run.output


def test_a_method_of_the_interface_that_is_not_served_is_a_failure(run_suite: RunSuite, tmp_path: Path) -> None:
    reference = _manifest(tmp_path, "set.get_buffer_handle", codes.METHOD_NOT_FOUND)
    run = run_suite("--adapter", reference, SELECTED)
    assert (run.exit_code, run.verdicts()) == (1, {CHECK: "failed"}), run.output


def test_an_address_without_memory_is_the_librarys_failure(run_suite: RunSuite) -> None:
    mapping = "MBH/bytes_stored_by_a_secondary_reach_the_server"
    run = run_suite("--adapter", f"{probed.__file__}:Nowhere", f"--check={mapping}")
    assert (run.exit_code, run.verdicts()) == (1, {mapping: "failed"}), run.output
    (check,) = run.evidence.checks
    assert check.cause
    assert check.cause.observed == "no memory"


def test_what_the_server_of_another_does_not_serve_is_no_failure(run_suite: RunSuite) -> None:
    reference = f"{probed.__file__}:Speechless"
    run = run_suite("--adapter", "emulator", "--server", reference, SELECTED, *WITHOUT_PROBE)
    assert (run.exit_code, run.verdicts()) == (6, {CHECK: "error"}), run.output


def test_what_ones_own_server_does_not_serve_is_a_failure(run_suite: RunSuite) -> None:
    run = run_suite("--adapter", f"{probed.__file__}:OwnSpeechless", SELECTED)
    assert (run.exit_code, run.verdicts()) == (1, {CHECK: "failed"}), run.output
