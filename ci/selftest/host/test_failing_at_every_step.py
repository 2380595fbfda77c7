"""A host that fails at any step of the host protocol, in any way: an error or a crash, told in a sentence, in time."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from selftest.report.harmless import require_harmless
from selftest.suite.runs import run_suite_in
from vdi_conformance.adapters import resolve
from vdi_conformance.host import errors
from vdi_conformance.host.messages import client, memory, server
from vdi_conformance.host.messages.base import Config
from vdi_conformance.host.supervisor import Supervisor
from vdi_conformance.pytest_plugin.verdicts import assess
from vdi_conformance.vdi.structures import VDConfig
from vdi_fixtures.hosts import failing
from vdi_fixtures.hosts.fails_at import END, PENDING, START, WAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vdi_conformance.host.messages.base import Request
    from vdi_conformance.host.process import Host

SHORT: Final = 0.3
PATIENT: Final = 20.0
TOY: Final = f"{Path(__file__).with_name('toy.py')}:Toy"
EMULATOR: Final = "vdi_conformance.adapters.emulator:Emulator"
SILENT: Final = ("hangs", "floods its errors")
"""The ways in which no answer comes, nor an end."""
DEADLY: Final = ("dies", "ends within a line")
BY_WAY: Final[dict[str, type[errors.HostError]]] = {
    "dies": errors.HostDied,
    "hangs": errors.HostHung,
    "floods its output": errors.NotJson,
    "floods its errors": errors.HostHung,
    "answers without end": errors.WrongId,
    "talks garbage": errors.NotJson,
    "ends within a line": errors.HostDied,
}


def conversation(fetched: Callable[[], tuple[str, str]]) -> Iterator[Request[Any]]:
    """Ask once for each kind of thing; the buffer and the record of the command are known when it was fetched."""
    yield client.NewSet(set="s")
    yield client.CreateEx(set="s", instance=None, name="set", config=Config(*VDConfig(device_count=1)))
    yield client.GetConfiguration(set="s", timeout=0)
    yield client.OpenInSecondaryEx(set="s", instance=None, name="set")
    yield client.OpenDevice(set="s", name="busy", device="d")
    yield client.GetCommand(device="d", timeout=0)
    buffer, record = fetched()
    yield client.GetBufferHandle(set="s", address=buffer)
    yield client.MapBufferHandle(set="s", handle=1)
    yield memory.FillMemory(address=buffer, size=512, seed=1)
    yield memory.DigestMemory(address=buffer, size=512)
    yield client.CompleteCommand(device="d", command=record, completion_code=0, bytes_transferred=512, position="0x0")
    yield server.ServerOpen(server="server", instance=None, name="set")
    yield server.ServerOpenDevice(server="server", name="busy")
    yield server.ExecuteStatement(
        operation="backup", instance=None, devices=["busy"], seed=0, size=512, subject="database", snapshot=False
    )
    yield client.OpenDevice(set="s", name="quiet", device="q")
    yield client.GetCommand(device="q", timeout=600_000, thread="q")
    yield client.SignalAbort(set="s", thread="abort")
    yield client.Close(set="s")


STEPS: Final = (
    START,
    "initialize",
    *dict.fromkeys(request.method for request in conversation(lambda: ("0x0", "0x0"))),
    PENDING,
    END,
)


@pytest.fixture(scope="module")
def own_supervisor() -> Iterator[Supervisor]:
    with Supervisor() as supervisor:
        yield supervisor


def failure_of(host: Host, patience: float) -> errors.HostError | None:
    """Talk to a host until it fails; give what it failed by."""
    found: list[client.CommandReply] = []

    def fetched() -> tuple[str, str]:
        command = found[0].command
        assert command is not None, "the toy's device has commands"
        return command.buffer, command.address

    try:
        assert host._initialize is not None
        host._initialize.result(patience)
        for request in conversation(fetched):
            pending = host.send(request)
            if getattr(request, "thread", None) == "q":
                continue
            reply = pending.result(patience)
            if isinstance(reply, client.CommandReply):
                found.append(reply)
        host.finish(patience)
    except errors.HostError as error:
        return error
    return host.broke_the_protocol


def require_an_account(supervisor: Supervisor, directory: Path, step: str, way: str) -> None:
    patience = SHORT if way in SILENT and step in (START, "initialize") else PATIENT
    host = supervisor.launch(resolve(failing(directory, step, way, TOY)))
    if patience == PATIENT and way in SILENT:
        _ = host.initialized
        patience = SHORT
    error = failure_of(host, patience)
    if step == END and way in DEADLY:
        # It was told to leave, and nothing is left to be asked: how it ended is all there is to say.
        assert error is None
        assert host.ended is not None
        assert (host.ended.exit_code, host.ended.crashed) != (0, False)
        return
    assert type(error) is BY_WAY[way], error
    host.wait_until_ended()
    require_harmless(str(error))
    assert len(str(error)) < 20_000
    verdict, cause = assess(error, "MUST")
    own_duty = step == END or step.startswith("memory.")
    blamed = way in DEADLY or (way in SILENT and not own_duty)
    assert verdict == ("failed" if blamed else "error"), cause


ALL: Final = tuple(product(STEPS, WAYS))
EVERYDAY: Final = tuple((step, tuple(WAYS)[number % len(WAYS)]) for number, step in enumerate(STEPS))
"""Each step once, and the ways in turn."""


@pytest.mark.parametrize(("step", "way"), EVERYDAY)
def test_each_step_has_its_account(own_supervisor: Supervisor, tmp_path: Path, step: str, way: str) -> None:
    require_an_account(own_supervisor, tmp_path, step, way)


@pytest.mark.long
@pytest.mark.parametrize(("step", "way"), [one for one in ALL if one not in EVERYDAY])
def test_each_way_has_its_account_at_each_step(own_supervisor: Supervisor, tmp_path: Path, step: str, way: str) -> None:
    require_an_account(own_supervisor, tmp_path, step, way)


@pytest.mark.long
@pytest.mark.parametrize("way", ["talks garbage", "answers without end", "hangs"])
def test_what_is_written_when_all_is_over_is_no_pass(tmp_path: Path, way: str) -> None:
    reference = failing(tmp_path, END, way, EMULATOR)
    run = run_suite_in(tmp_path, "--adapter", reference, "--check", "CRE/a_creation_while_a_thread_waits_is_refused")
    assert run.exit_code not in (0, 1), run.output
