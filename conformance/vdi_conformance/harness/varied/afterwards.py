"""What must still hold afterwards: memory, handles and completions of a set that goes on, memory of one that ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.judging import judging
from vdi_conformance.harness.memory import Seeded
from vdi_conformance.harness.shared_memory import BufferView
from vdi_conformance.harness.varied.around import ask_after_an_abort, ask_around, close_all
from vdi_conformance.harness.varied.layout import LEAVING
from vdi_conformance.harness.varied.meanwhile import close_guests
from vdi_conformance.harness.varied.scripted import VariedScriptedSet
from vdi_conformance.harness.varied.sets import CLOSELY, Mapped
from vdi_conformance.harness.varied.sharing import going_bad, require_usable
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.device import Fetched
    from vdi_conformance.harness.expectations import PendingAnswer, Result
    from vdi_conformance.harness.varied.sets import Aside, Held, VariedSet

FEW: Final = 3
"""So many handles, and the last one, are mapped again."""
PROBED: Final = 512
"""So many bytes are stored where it only matters that this can be done."""


def go_on(
    varied: VariedSet, held: list[Held], aside: Aside | None, waiting: PendingAnswer[Any, Result[Fetched]] | None
) -> None:
    """See what must be afterwards, and come to the end."""
    if not varied.ended:
        # What is refused here counts as something that went before.
        if varied.layout.before != "nothing":
            ask_around(varied, held)
            look_again(varied, held)
        else:
            look_again(varied, held)
            if varied.layout.opens_spare_first:
                varied.open_spare()
            ask_around(varied, held)
        if waiting is not None:
            close_guests(varied)
    if varied.has_ended():
        look_after_the_end(varied, held)
    elif waiting is not None and not varied.layout.is_scripted:
        # A server may send nothing more while its command is held, and a device may serve one call at a time (Q45).
        varied.finish()
        waiting.result().expect(VD_E_ABORT, NOERROR, by="ABT-04")
    else:
        comes_first = varied.layout.completing == "reverse" or not varied.layout.aside_is_alone
        if aside is not None and comes_first:
            varied.end_aside(aside)
        complete_all(varied, held)
        if aside is not None and not comes_first:
            varied.end_aside(aside)
        varied.go_on(waiting)
        varied.finish()


# While the set goes on


def look_again(varied: VariedSet, held: Sequence[Held]) -> None:
    """Each view still shows the buffer, and each handle still maps, in whoever is left."""
    for one in held:
        if one.holder not in varied.gone:
            with judging("BUF-01"):
                one.contents.require(one.fetched)
                if one.number in CLOSELY:
                    one.contents.store(one.fetched, varied.next_seed())
        _look_at_mapped(varied, one)
        if one.holder not in varied.gone and one in (*held[:FEW], held[-1]) and not _handles_hold(varied, one):
            return


def _look_at_mapped(varied: VariedSet, one: Held) -> None:
    """Look through what was mapped before."""
    views = varied.views_of(one)
    with varied.recommended.judging(_lasting(varied, one)):
        one.contents.require(*views)
        if views and one.number in CLOSELY and one.holder not in varied.gone:
            one.store_through(views[-1], varied.next_seed())
    if one.zone is not None and one.number in CLOSELY and one.holder not in varied.gone:
        with judging("BUF-06"):
            one.zone.require(one.fetched)
        with varied.recommended.judging("MBH-09"):
            one.zone.require(*views)


def _lasting(varied: VariedSet, one: Held) -> str:
    """Name the requirement by which a mapped address stays good."""
    if one.holder in varied.gone:
        return "MBH-22"
    others_left = varied.layout.meanwhile in LEAVING or varied.gone.intersection(varied.guests)
    return "MBH-20" if others_left else "MBH-08"


def _handles_hold(varied: VariedSet, one: Held) -> bool:
    """Map the handle and ask for it once more; tell whether the set goes on."""
    if one.handle is None:
        return True
    mapper = _mapper(varied, one)
    # First with the handle that was given before: to ask again might make it good again.
    again = mapper.map_buffer_handle(one.handle)
    if not again.succeeded and varied.has_ended():
        return False
    asked = one.holder.get_buffer_handle(one.command.buffer)
    if not asked.succeeded and varied.has_ended():
        return False
    # What nobody could map before went bad by nothing that happened.
    with judging("GBH-20" if one.mapped else "GBH-01"):
        view = BufferView(mapper, again.expect(NOERROR))
        require_usable(one, view)
        # It may be another one (GBH-05), which has to map as well.
        handle = asked.expect(NOERROR)
    _require_zone(varied, one, view)
    if handle != one.handle:
        with judging("GBH-01"):
            one.contents.require(BufferView(mapper, mapper.map_buffer_handle(handle).expect(NOERROR)))
    one.mapped.append(Mapped(mapper, view, "GBH-20"))
    return True


def _require_zone(varied: VariedSet, one: Held, view: BufferView) -> None:
    if one.zone is not None and one.number in CLOSELY:
        with varied.recommended.judging("MBH-09"):
            one.zone.require(view)


def _mapper(varied: VariedSet, one: Held) -> Client:
    """Name who maps a handle again: who has done so before, if that is another process, or whoever is there."""
    before = [mapped.client for mapped in one.mapped]
    others = [client for client in varied.clients if client is not one.holder]
    return next((client for client in others if client in before), next(iter(others), one.holder))


def complete_all(varied: VariedSet, held: Sequence[Held]) -> None:
    """Complete what is held, in the order of the layout, but for one that is to meet an abort."""
    mine = [one for one in held if one.holder not in varied.gone]
    if varied.last_round and varied.layout.keeps and len(mine) > 1:
        varied.kept.append(mine.pop())
    match varied.layout.completing:
        case "reverse":
            mine.reverse()
        case "held over" if isinstance(varied, VariedScriptedSet) and len(mine) > 1 and not varied.may_end:
            mine = [*_pass_over(varied, mine), mine[0]]
        case _:
            pass
    for one in mine:
        look_for_the_last_time(varied, one)
        varied.complete(one)


def look_for_the_last_time(varied: VariedSet, one: Held) -> None:
    """See that everybody still shows what is stored just before that is completed, whatever was called in between."""
    if one.number in CLOSELY:
        one.contents.store(one.fetched, varied.next_seed())
        rule = "MBH-02" if varied.layout.processes > 1 else "MBH-07"
        with varied.recommended.judging(rule), going_bad(_lasting(varied, one)):
            one.contents.require(*varied.views_of(one))


def _pass_over(varied: VariedScriptedSet, mine: Sequence[Held]) -> list[Held]:
    """Complete all but the first, and hold a further one, while the first one and its handle stay as they are."""
    first, *others = mine
    for one in others:
        varied.complete(one)
    further = varied.send_next(others[-1])
    with judging("BUF-01"):
        first.contents.require(first.fetched)
    mapper = _mapper(varied, first)
    with judging("GBH-20"):
        assert first.handle is not None, "it was asked for"
        view = BufferView(mapper, mapper.map_buffer_handle(first.handle).expect(NOERROR))
        require_usable(first, view)
        first.holder.get_buffer_handle(first.command.buffer).expect(NOERROR)
    _require_zone(varied, first, view)
    if varied.layout.is_asked:
        ask_around(varied, [first])
    return [further]


# When the set has ended


def look_after_the_end(varied: VariedSet, held: list[Held]) -> None:
    """Held and mapped memory stays until the Close of whoever has it, and commands are aborted."""
    by_a_client = varied.layout.meanwhile in ("primary aborts", "secondary aborts")
    for one in held:
        if one.holder not in varied.gone:
            with judging("ABT-08" if by_a_client else "BUF-15"):
                one.contents.require(one.fetched)
                one.contents.store(one.fetched, varied.next_seed())
        for view in varied.views_of(one):
            with varied.recommended.judging("MBH-21"):
                view.process.fill(view.address, Seeded(varied.next_seed()), min(PROBED, one.command.size))
                view.process.read(view.address + one.command.size - 1, 1)
    for one in held:
        if one.holder not in varied.gone:
            # Each object may learn of an abort by another call than the one that told of it here.
            with judging("CMD-08"):
                one.command.device.await_abort()
            answer = one.command.device.complete(one.command, ERROR_SUCCESS, one.command.size)
            answer.expect(VD_E_ABORT, by="CMP-05")
    ask_after_an_abort(varied)
    varied.end_aborted(held)
    close_all(varied, aborted=True)
