"""What bounds a check: the commands of a device, its time on a busy machine, intervals that are too short for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

import pytest

from vdi_conformance.adapters.references import resolve
from vdi_conformance.cli import main
from vdi_conformance.contract import Capabilities
from vdi_conformance.harness.device import MOST_COMMANDS, Device
from vdi_conformance.harness.expectations import Result
from vdi_conformance.harness.intervals import LONGER, TooSlow, with_time_enough
from vdi_conformance.harness.judging import ConformanceFailure, NotTested
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.harness.worker_session import Parties, WorkerSession
from vdi_conformance.host import pace
from vdi_conformance.host.messages.client import CommandRecord, CommandReply
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from vdi_conformance.harness.client import Client

RECORD = CommandRecord(address="0x1000", code=2, size=512, position="0x0", buffer="0x2000")


class Repeating:
    """A client, its process and its requests: each GetCommand hands the same command out."""

    device_thread = None
    most_commands = MOST_COMMANDS

    @property
    def host(self) -> Repeating:
        """Be the process."""
        return self

    def scaled(self, milliseconds: int) -> int:
        """Stretch nothing."""
        return milliseconds

    def send(self, _: object) -> Repeating:
        """Be the request."""
        return self

    def result(self, *given: object, **_: object) -> object:
        """Be the reply, and its answer."""
        if not given:
            return CommandReply(code=NOERROR, command=RECORD)
        method, code, value = given
        return Result(str(method), cast("int", code), lambda *_: None, value)


def test_commands_without_end_are_a_failure_whatever_the_time() -> None:
    device = Device(cast("Client", Repeating()), "device", "device")
    for _ in range(MOST_COMMANDS):
        device.next_command()
    with pytest.raises(ConformanceFailure, match="hands out commands without end"):
        device.next_command()


def test_a_check_on_a_busy_machine_has_longer_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    factors = iter([4.0, 1.0])
    monkeypatch.setattr("vdi_conformance.host.pace.stretch", lambda: next(factors))
    monkeypatch.setattr("vdi_conformance.harness.worker_session.LOOK", -1)
    spec, capabilities = resolve("emulator"), Capabilities(server="scripted", broker=True)
    session = WorkerSession(Parties(spec, spec, capabilities, capabilities, seed=0, timeout_scale=2.0))
    try:
        session.begin()
        assert session.parties.timeout_scale == 8.0
        session.begin()
        assert session.parties.timeout_scale == 2.0
    finally:
        session.close()


class Scaling:
    """Stands for a testbed that stretches limits by two."""

    def __init__(self) -> None:
        self.cleared = 0

    def scaled(self, milliseconds: int) -> int:
        """Stretch."""
        return 2 * milliseconds

    def clear(self) -> None:
        """Count."""
        self.cleared += 1


@pytest.mark.parametrize("enough", LONGER)
def test_a_machine_that_is_too_slow_gets_longer_intervals(enough: int) -> None:
    testbed, tried = Scaling(), list[int]()

    def attempt(interval: int) -> None:
        tried.append(interval)
        if interval < 200 * enough:
            raise TooSlow

    with_time_enough(cast("Testbed", testbed), 100, attempt)
    assert tried == [200 * factor for factor in LONGER if factor <= enough]
    assert testbed.cleared == len(tried) - 1


def test_a_machine_that_is_far_too_slow_cannot_tell() -> None:
    def attempt(_: int) -> None:
        raise TooSlow

    with pytest.raises(NotTested, match="this machine was too slow"):
        with_time_enough(cast("Testbed", Scaling()), 100, attempt)


@pytest.mark.long
def test_a_host_may_wait_as_long_as_it_was_told_to_where_the_machine_is_less_busy_by_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    until = time.monotonic() + 15
    monkeypatch.setattr(pace, "stretch", lambda: 3.0 if time.monotonic() < until else 1.0)
    check = "BUF/a_held_buffer_keeps_its_bytes_while_others_work[restore-both]"
    reading = "vdi_fixtures.readings.buf.devices_take_turns:Reading"
    assert main(["run", "--adapter", reading, "--check", check]) == 6


@pytest.mark.parametrize("have_a_broker", [True, False])
def test_workers_without_a_broker_of_their_own_name_their_sets_apart(have_a_broker: bool) -> None:
    spec, has = resolve("emulator"), Capabilities(server="scripted", broker=have_a_broker)
    names = set()
    for _ in range(2):
        session = WorkerSession(Parties(spec, spec, has, has, seed=0, timeout_scale=1.0))
        names.add(Testbed(session, "one and the same check").name())
        session.close()
    assert len(names) == (1 if have_a_broker else 2)
