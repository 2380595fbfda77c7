"""Time limits on a busy machine: how busy it is, and what waits for longer then."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from vdi_conformance.host import errors, pace
from vdi_conformance.host.messages import client
from vdi_conformance.vdi.hresult import VD_E_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.host.process import Host
    from vdi_conformance.host.supervisor import Supervisor


@pytest.mark.parametrize(
    ("took", "spun", "factor"),
    [
        (0.0, 0.0, 1.0),
        (0.01, 0.01, 1.0),
        (0.02, 0.01, 1.0),
        (0.08, 0.01, 4.0),
        (0.25, 0.001, pace.MOST),
        (0.25, 0.0, pace.MOST),
    ],
)
def test_what_work_took_beside_its_cpu_time_stretches_limits(took: float, spun: float, factor: float) -> None:
    assert pace.stretched(took, spun) == pytest.approx(factor)


def test_this_machine_has_a_factor() -> None:
    assert 1.0 <= pace.stretch() <= pace.MOST


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the machine for a busy one."""
    monkeypatch.setattr(pace, "stretch", lambda: 1e6)


@pytest.fixture
def limited(supervisor: Supervisor, host: Host) -> Iterator[Supervisor]:
    """Use up the time for all requests, when a host has been started."""
    _ = host.initialized
    supervisor.limit(1e-3)
    supervisor.wait_until(lambda: False, 2e-3)
    yield supervisor
    supervisor.limit(math.inf)


def _quiet(host: Host, milliseconds: int) -> client.GetCommand:
    """Open a device for which no command comes."""
    host.call(client.NewSet(set="s"))
    host.call(client.OpenDevice(set="s", name="quiet", device="d"))
    return client.GetCommand(device="d", timeout=milliseconds, thread="d")


@pytest.mark.usefixtures("busy")
def test_a_busy_machine_gives_a_call_more_time(host: Host) -> None:
    request = _quiet(host, 200)
    assert host.call(request, patience=1e-3).code == VD_E_TIMEOUT


@pytest.mark.usefixtures("busy")
def test_a_busy_machine_gives_one_of_several_calls_more_time(supervisor: Supervisor, host: Host) -> None:
    waiting = host.send(_quiet(host, 200))
    supervisor.wait_for_one([waiting], patience=1e-3)
    assert waiting.settled


@pytest.mark.usefixtures("busy")
def test_a_busy_machine_gives_all_requests_more_time_once(limited: Supervisor, host: Host) -> None:
    assert not limited.over
    host.call(client.NewSet(set="s"))


def test_an_idle_machine_gives_no_more_time(limited: Supervisor, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "stretch", lambda: 1.0)
    with pytest.raises(errors.NoEnd):
        host.call(client.NewSet(set="s"))
    assert limited.over


class _Clock:
    """Goes on by a minute whenever somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        """Tell the time."""
        return self.now

    def wait(self, seconds: float) -> None:
        """Come back late."""
        self.waits.append(seconds)
        self.now += 60


def test_time_in_which_the_suite_itself_did_not_run_does_not_count(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = _Clock()
    with monkeypatch.context() as patched:
        patched.setattr("vdi_conformance.host.supervisor.time", clock)
        patched.setattr(supervisor, "pump", clock.wait)
        assert not supervisor.wait_until(lambda: False, 1.0)
        assert sum(clock.waits) == pytest.approx(1.0)
        assert len(clock.waits) > 1
        assert supervisor.wait_until(lambda: len(clock.waits) > 5, 1.0)
