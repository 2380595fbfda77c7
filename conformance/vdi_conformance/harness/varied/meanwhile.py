"""What happens while commands are held and mapped."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.harness.varied.around import ask_when_closed, signal_abort
from vdi_conformance.harness.varied.scripted import VariedScriptedSet
from vdi_conformance.vdi.hresult import NOERROR, VD_E_OPEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.device import Fetched
    from vdi_conformance.harness.expectations import PendingAnswer, Result
    from vdi_conformance.harness.varied.sets import Held, VariedSet

ABORTED_BY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "primary aborts": "ABT-03",
        "secondary aborts": "ABT-18",
        "server aborts": "ABT-17",
        "time limit": "TMO-05",
        "server dies": "SEC-15",
        "primary dies": "SEC-14",
    }
)
"""The requirement that says that everybody learns of it."""


def begin_to_wait(varied: VariedSet, held: Sequence[Held]) -> PendingAnswer[Any, Result[Fetched]] | None:
    """Start a GetCommand that waits, where one is to, and let it come to its wait."""
    if varied.layout.meanwhile != "wait":
        return None
    waiting = varied.layout.waiting
    device = held[0].command.device if waiting is None else varied.running.devices[waiting]
    pending = device.send_get_command(thread="waiting")
    device.client.let_others_wait()
    return pending


def happen(varied: VariedSet, held: Sequence[Held]) -> None:
    """Let it happen, and see that everybody learns of an abort."""
    what = varied.layout.meanwhile
    varied.may_end = varied.layout.may_end
    if varied.leftover is not None:
        varied.leftover.close().expect(NOERROR, VD_E_OPEN, by="CLS-07")
    if what in _HAPPENS:
        _HAPPENS[what](varied)
    if varied.layout.aborts:
        varied.ended = True
        with varied.recommended.judging(ABORTED_BY[what]):
            for one in held:
                if one.holder not in varied.gone:
                    one.command.device.await_abort()
            for client in varied.clients:
                client.await_abort()


def _close(varied: VariedSet) -> None:
    leaver = _leaver(varied)
    with varied.recommended.judging("CLS-20"):
        leaver.close().expect(NOERROR)
    ask_when_closed(varied, leaver)


def _exit(varied: VariedSet) -> None:
    _leaver(varied).leave()


def _kill(varied: VariedSet) -> None:
    _leaver(varied).kill()


def _leaver(varied: VariedSet) -> Client:
    bystander = varied.layout.bystander
    assert bystander is not None, "such a layout has one"
    leaver = varied.running.clients[bystander]
    for guest in varied.guest_of(leaver):
        if varied.layout.meanwhile == "close":
            guest.close().expect(NOERROR)
        varied.part(guest)
    varied.part(leaver)
    return leaver


def _kill_a_holder(varied: VariedSet) -> None:
    holders = [one.holder for one in varied.held if one.holder is not varied.running.primary]
    varied.part(holders[-1], *varied.guest_of(holders[-1]))
    holders[-1].kill()


def close_guests(varied: VariedSet) -> None:
    """Close the second objects of processes."""
    for guest in varied.guests:
        with varied.recommended.judging("SEC-22"):
            guest.close().expect(NOERROR)
        ask_when_closed(varied, guest)
    varied.part(*varied.guests)


def _abort_by_the_primary(varied: VariedSet) -> None:
    signal_abort(varied, varied.running.primary)


def _abort_by_a_secondary(varied: VariedSet) -> None:
    signal_abort(varied, varied.running.secondaries[-1], "ABT-18")


def _abort_by_the_server(varied: VariedSet) -> None:
    assert isinstance(varied, VariedScriptedSet), "a statement aborts by its time limit alone"
    varied.running.signal_abort()


def _kill_the_server(varied: VariedSet) -> None:
    assert isinstance(varied, VariedScriptedSet), "a statement's server is another's"
    varied.running.kill()


def _kill_the_primary(varied: VariedSet) -> None:
    primary = varied.running.primary
    varied.part(primary, *varied.guest_of(primary))
    primary.kill()


_HAPPENS: Final[Mapping[str, Callable[[VariedSet], None]]] = MappingProxyType(
    {
        "close": _close,
        "exit": _exit,
        "kill": _kill,
        "holder killed": _kill_a_holder,
        "second object closes": close_guests,
        "primary aborts": _abort_by_the_primary,
        "secondary aborts": _abort_by_a_secondary,
        "server aborts": _abort_by_the_server,
        "server dies": _kill_the_server,
        "primary dies": _kill_the_primary,
    }
)
