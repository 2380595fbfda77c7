"""What the other methods answer under the same conditions: while the set goes on, after an abort, and when closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.harness.client import SET_THREAD
from vdi_conformance.harness.judging import ConformanceFailure, judging
from vdi_conformance.harness.varied import null_pointers
from vdi_conformance.harness.varied.questions import Question
from vdi_conformance.harness.varied.sets import Held
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_OPEN, VD_E_PROTOCOL, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import VDC_COMMAND_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.expectations import Answer
    from vdi_conformance.harness.varied.sets import VariedSet

NO_DEVICE = "no device"
"""A name that no device has."""


def require_what_was_asked(varied: VariedSet) -> None:
    """Fail the check unless the primary was told what it asked for, and what a server that is told every step set."""
    layout, told = varied.layout, varied.running.configuration
    assert told is not None, "the set is configured"
    wanted = {"device_count": ("CFG-11", layout.devices), "prefix_zone_size": ("CFG-21", layout.zone)}
    if layout.is_scripted:
        wanted |= {
            "features": ("CFG-33", layout.features | layout.media),
            "alignment": ("CFG-33", max(layout.alignment, layout.block)),
            "block_size": ("CFG-33", layout.block),
            "max_transfer_size": ("CFG-33", layout.transfer),
        }
    for field, (requirement, value) in wanted.items():
        if (found := getattr(told, field)) != value:
            raise ConformanceFailure(f"the primary is told {field}={found} instead of {value}", by=requirement)


def ask_before_the_last_one(varied: VariedSet) -> None:
    """Ask for devices that cannot be opened while one is left, where that is not to be the first refusal."""
    if varied.layout.before == "nothing":
        return
    primary, names = varied.running.primary, varied.running.device_names
    primary.open_device(NO_DEVICE).expect(VD_E_INVALID, by="OPD-08")
    if len(names) > 1:
        primary.open_device(names[0]).expect(VD_E_PROTOCOL, by="OPD-05")


def ask_around(varied: VariedSet, held: Sequence[Held]) -> None:
    """Ask what no condition changes on a set that goes on; where it may have ended, that ends the questions."""
    questions = list(_while_it_goes_on(varied, held))
    # Whichever comes first is asked where nothing was refused before.
    first = varied.layout.number % len(questions)
    for question in [*questions[first:], *questions[:first]]:
        with varied.recommended.judging(question.by):
            answer = question.ask()
        if not question.is_answered_by(answer) and varied.has_ended():
            return
        with varied.recommended.judging(question.by):
            question.require(answer)


def ask_after_an_abort(varied: VariedSet) -> None:
    """Ask what an aborted set still answers."""
    # Nobody has asked them yet, and each object may learn of it by itself.
    for guest in varied.guests:
        if guest not in varied.gone:
            with judging("ABT-10"):
                guest.await_abort()
    for client in _some(varied):
        client.get_configuration(0).expect(VD_E_ABORT, by="ABT-10")
        for name in (varied.running.device_names[0], NO_DEVICE):
            client.open_device(name).expect(VD_E_ABORT, by="OPD-09")
        signal_abort(varied, client)


def abort(varied: VariedSet) -> None:
    """Abort a set that goes on, and see that every object learns of it; what is held then is completed in vain."""
    signal_abort(varied, varied.clients[0])
    for client in varied.clients:
        with varied.recommended.judging("ABT-03"):
            client.await_abort()
    for one in varied.kept:
        if isinstance(one, Held):
            with judging("ABT-08"):
                one.contents.require(one.fetched)
        with judging("CMD-08"):
            one.command.device.await_abort()
        one.command.device.complete(one.command, ERROR_SUCCESS, one.command.size).expect(VD_E_ABORT, by="CMP-05")


def signal_abort(varied: VariedSet, client: Client, by: str = "ABT-01", code: int = NOERROR) -> None:
    """Abort on whichever thread the layout says; that gives the code by a requirement."""
    thread = varied.calls.label("aborting", SET_THREAD)
    client.send_signal_abort(thread).result().expect(code, by=by)
    varied.calls.end(client, thread)


def close_all(varied: VariedSet, aborted: bool = False) -> None:
    """Close all objects that are left, the primary last where nothing was aborted, and ask some of them afterwards."""
    holding = _first_that_stays(varied)
    asked = {*_some(varied), holding.holder, *(mapped.client for mapped in holding.mapped)}
    codes = (NOERROR, VD_E_OPEN) if aborted else (NOERROR,)
    clients, guests = varied.clients[::-1], varied.guests[::-1]
    # Who holds a command closes before others have.
    clients.sort(key=lambda client: _rank(varied, client, holding.holder))
    order = [*clients, *guests] if aborted and varied.layout.guests_close_last else [*guests, *clients]
    for number, client in enumerate(client for client in order if client not in varied.gone):
        is_primary = client is varied.running.primary
        client.close().expect(*codes, by="CLS-07" if aborted else "CLS-01" if is_primary else "SEC-18")
        if client in asked:
            ask_when_closed(varied, client)
        if aborted and not number and not is_primary and varied.layout.can_be_asked_for:
            again = "SEC-26" if varied.layout.older_joining else "SEC-05"
            varied.running.join(client).expect(VD_E_ABORT, by=again)


def _rank(varied: VariedSet, client: Client, holder: Client) -> int:
    """Order those who close: a secondary that holds a command, the others, the primary."""
    return 2 if client is varied.running.primary else int(client is not holder)


def _first_that_stays(varied: VariedSet) -> Held:
    """Give the first command that is held by somebody who lives, if there is one."""
    return next((one for one in varied.held if one.holder not in varied.gone), varied.held[0])


def ask_when_closed(varied: VariedSet, client: Client) -> None:
    """Ask an object that has closed for what it had before."""
    first = _first_that_stays(varied)
    if first.holder is client:
        client.get_buffer_handle(first.command.buffer).expect(VD_E_PROTOCOL, by="GBH-03")
    # An object may look at a handle before it looks at itself, and has to know only those that it mapped.
    known = (one.handle for one in varied.held if any(mapped.client is client for mapped in one.mapped))
    if (handle := next(known, None)) is not None:
        client.map_buffer_handle(handle).expect(VD_E_PROTOCOL, by="MBH-03")
    client.close().expect(VD_E_PROTOCOL, by="CLS-02")
    signal_abort(varied, client, "ABT-02", VD_E_PROTOCOL)


def _some(varied: VariedSet) -> list[Client]:
    """Name the primary, a secondary and a second object, the last ones."""
    clients, guests = varied.clients, [guest for guest in varied.guests if guest not in varied.gone]
    return [*dict.fromkeys([*clients[:1], *clients[-1:], *guests[-1:]])]


def ask_for_the_configuration(varied: VariedSet, _held: Sequence[Held]) -> None:
    """Ask some objects for the configuration, which is refused to nobody."""
    for client in _some(varied):
        _configuration(varied, client).expect(NOERROR, by="CFG-09" if client is varied.running.primary else "SEC-10")


def _while_it_goes_on(varied: VariedSet, held: Sequence[Held]) -> Iterator[Question]:
    outs = null_pointers.can_be_out(varied.testbed)
    for client in _some(varied):
        yield from _about_the_set(varied, client, held)
        if varied.survives_null:
            yield from null_pointers.of_a_set(client, held[0].handle, outs)
    for one in held:
        if one.holder not in varied.gone:
            yield from _about_a_command(varied, one)
            if varied.survives_null:
                yield from null_pointers.of_a_command(one.command, outs)
            break


def _about_the_set(varied: VariedSet, client: Client, held: Sequence[Held]) -> Iterator[Question]:
    is_primary = client is varied.running.primary
    yield Question(lambda: _configuration(varied, client), "CFG-09" if is_primary else "SEC-10", (NOERROR,))
    if varied.layout.processes > 1:
        again = "SEC-04" if is_primary else "SEC-26" if varied.layout.older_joining else "SEC-03"
        yield Question(lambda: varied.running.join(client), again, (VD_E_PROTOCOL,))
    if varied.spare is not None:
        yield Question(lambda: client.open_device(varied.running.device_names[0]), "OPD-05", (VD_E_PROTOCOL,))
        yield Question(lambda: client.open_device(NO_DEVICE), "OPD-08", (VD_E_INVALID,))
    elif varied.layout.closed is None and not varied.layout.may_end:
        open_already = (VD_E_OPEN, VD_E_PROTOCOL)
        yield Question(lambda: client.open_device(varied.running.device_names[0]), "OPD-06", open_already)
        yield Question(lambda: client.open_device(NO_DEVICE), "OPD-06", (VD_E_OPEN, VD_E_INVALID))
    yield Question(lambda: client.get_buffer_handle(client.outside_addresses().heap), "GBH-04", (VD_E_INVALID,))
    if (far := varied.far_handle(held)) is not None:
        yield Question(lambda: client.map_buffer_handle(far), "MBH-04", (VD_E_INVALID,))


def _configuration(varied: VariedSet, client: Client) -> Answer:
    """Ask for the configuration, which is that of the primary but for what its buffers take (CFG-22)."""
    thread = varied.calls.label("asking around", SET_THREAD)
    answer = client.send_get_configuration(thread=thread).result()
    varied.calls.end(client, thread)
    told, first = answer.value, varied.running.configuration
    if answer.succeeded and told is not None and first is not None:
        with judging("CFG-24" if client is varied.running.primary else "SEC-11"):
            for field, value in first._replace(buffer_area_size=told.buffer_area_size)._asdict().items():
                if getattr(told, field) != value:
                    sentence = f"{client.name} is told {field}={getattr(told, field)}, and the primary was told {value}"
                    raise ConformanceFailure(sentence)
    return answer


def _about_a_command(varied: VariedSet, one: Held) -> Iterator[Question]:
    device, size = one.command.device, one.command.size
    if varied.layout.is_scripted:
        yield Question(lambda: _nothing_more(one), "CMD-02", (VD_E_TIMEOUT,))
    own = one.holder.allocate(VDC_COMMAND_SIZE)
    yield Question(lambda: device.complete(own, ERROR_SUCCESS, size), "CMP-03", (VD_E_INVALID,))


def _nothing_more(one: Held) -> Answer:
    """Ask for a command where none is queued; one that is held is none."""
    answer = one.command.device.get_command(timeout=0)
    if answer.succeeded:
        raise ConformanceFailure(f"{answer.call} handed out a command that nobody sent", by="CMD-01")
    return answer
