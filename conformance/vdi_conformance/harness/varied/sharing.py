"""Buffers of commands that are held at once: their handles, who maps these, and that all see the same bytes."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from vdi_conformance.harness.client import SET_THREAD
from vdi_conformance.harness.concurrency import concurrently
from vdi_conformance.harness.judging import ConformanceFailure, judging
from vdi_conformance.harness.memory import NO_MEMORY
from vdi_conformance.harness.shared_memory import BufferView
from vdi_conformance.harness.varied.sets import CLOSELY, Mapped
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.varied.sets import Held, VariedSet


def share(varied: VariedSet, held: Sequence[Held]) -> None:
    """Ask for every handle, map them as the layout says, and store through each kind of view."""
    for one in held:
        _ask(varied, one)
    with judging("GBH-02"):
        if len({one.handle for one in held}) < len(held):
            raise ConformanceFailure("two buffers that are held at once have the same handle")
    for one in held:
        _map(varied, one)
    if varied.layout.mapping == "again":
        _map_again(varied, held)
    for one in held:
        _store(varied, one)
    with judging("BUF-01"):
        for one in held:
            one.contents.require(one.fetched)


def _ask(varied: VariedSet, one: Held) -> None:
    holder = one.holder
    rule = "GBH-15" if one.late else "GBH-01" if holder is varied.running.primary else "GBH-08"
    one.handle = varied.calls.make(
        "asking",
        holder,
        SET_THREAD,
        lambda label: holder.send_get_buffer_handle(one.command.buffer, thread=label),
        rule,
    )


def _handle(one: Held) -> int:
    assert one.handle is not None, "it was asked for"
    return one.handle


def mappers(varied: VariedSet, one: Held) -> list[Client]:
    """Name the objects that map a handle: as the layout says, and always a process that is to leave."""
    clients = varied.clients
    others = [client for client in clients if client is not one.holder]
    match varied.layout.mapping:
        case "itself":
            # Nobody else maps the first of several: what an own mapping alone brings about shows there.
            alone = one.number == 0 and varied.layout.at_once > 1
            chosen = [one.holder, *([] if alone else others[:1])]
        case "one other" | "again":
            chosen = [clients[(clients.index(one.holder) + 1) % len(clients)]]
        case _:
            chosen = others
    leaving = varied.layout.bystander
    if leaving is not None and leaving < len(varied.running.clients):
        leaver = varied.running.clients[leaving]
        chosen += [] if leaver in chosen else [leaver]
    return chosen


def _map(varied: VariedSet, one: Held) -> None:
    chosen = mappers(varied, one)
    if varied.layout.mapping == "at once":
        _map_at_once(varied, one, chosen)
    else:
        for number, client in enumerate(chosen):
            before = [other for other in chosen[:number] if other is not one.holder]
            with varied.recommended.judging(rule := _rule(one, client, len(before))):
                _look(varied, one, client, _map_singly(varied, one, client, rule), rule)
    for client in [*chosen, one.holder]:
        for guest in varied.guest_of(client):
            with varied.recommended.judging("SEC-22"):
                _look(varied, one, guest, _map_singly(varied, one, guest, "SEC-22"), "SEC-22")


def _rule(one: Held, client: Client, others: int) -> str:
    """Name the requirement by which a process maps a handle, after so many others than the one that fetched."""
    if client is one.holder:
        return "MBH-07"
    return "MBH-06" if one.late else "MBH-17" if others else "MBH-01"


def _map_singly(varied: VariedSet, one: Held, client: Client, rule: str) -> int:
    handle = _handle(one)
    return varied.calls.make(
        "mapping", client, SET_THREAD, lambda label: client.send_map_buffer_handle(handle, thread=label), rule
    )


def _map_at_once(varied: VariedSet, one: Held, chosen: list[Client]) -> None:
    """Let all of them map at the same moment; one other process does so on two threads."""
    handle = _handle(one)
    pairs = [(client, f"mapping {number}") for client in chosen for number in range(1 if len(chosen) > 1 else 2)]
    starts = [partial(client.send_map_buffer_handle, handle, thread=label) for client, label in pairs]
    answers = concurrently(one.number, chosen, *starts)
    for number, ((client, label), answer) in enumerate(zip(pairs, answers, strict=True)):
        varied.calls.end(client, label)
        rule = _rule(one, client, number)
        if not answer.succeeded:
            # Where it fails alone as well, that is not for the others.
            client.map_buffer_handle(handle).expect(NOERROR, by=rule)
        with judging("MBH-17" if len(chosen) > 1 else "MBH-26"):
            address = answer.expect(NOERROR)
        _look(varied, one, client, address, rule)


def _look(varied: VariedSet, one: Held, client: Client, address: int, rule: str) -> None:
    """See that what was mapped is the buffer, aligned and with its zone."""
    view = BufferView(client, address)
    with varied.recommended.judging("MBH-02" if rule == "MBH-01" else rule):
        one.contents.require(view)
        one.contents.touch(view)
        one.mapped.append(Mapped(client, view, rule))
    with varied.recommended.judging("MBH-11"):
        if address % max(varied.layout.alignment, varied.layout.block):
            raise ConformanceFailure(f"{client.name} has the buffer at {address:#x}, which is not aligned")
    if one.zone is not None and one.number in CLOSELY:
        with varied.recommended.judging("MBH-09"):
            one.zone.require(view)


def _map_again(varied: VariedSet, held: Sequence[Held]) -> None:
    """Ask for each handle and map it once more, after all others."""
    for one in held:
        client = mappers(varied, one)[0]
        with varied.recommended.judging("GBH-05"):
            handle = one.holder.get_buffer_handle(one.command.buffer).expect(NOERROR)
            with varied.recommended.judging("MBH-08"):
                view = BufferView(client, client.map_buffer_handle(handle).expect(NOERROR))
                one.contents.require(view)
                one.mapped.append(Mapped(client, view, "MBH-08"))


def _store(varied: VariedSet, one: Held) -> None:
    """Store through the fetcher's view, and through the last mapped one; both show everywhere."""
    one.contents.store(one.fetched, varied.next_seed())
    if one.number in CLOSELY:
        _require_everywhere(varied, one)
    if one.mapped and not one.number % 2:
        last = one.mapped[-1]
        with _through(varied, one, last):
            one.store_through(last.view, varied.next_seed())


def _require_everywhere(varied: VariedSet, one: Held) -> None:
    for mapped in one.mapped:
        with _through(varied, one, mapped):
            one.contents.require(mapped.view)


def require_usable(one: Held, view: BufferView) -> None:
    """Fail the check unless a view that was mapped just now shows the buffer; one that shows nothing is no address."""
    try:
        one.contents.require(view)
        one.contents.touch(view)
    except ConformanceFailure as failure:
        if failure.observed == NO_MEMORY:
            failure.by = "MBH-01" if view.process.host is not one.holder.host else "MBH-07"
        raise


def _seeing(one: Held, mapped: Mapped) -> str:
    """Name the requirement by which a view shows what others store later."""
    return mapped.rule if mapped.client.host is one.holder.host else "MBH-02"


@contextmanager
def _through(varied: VariedSet, one: Held, mapped: Mapped) -> Iterator[None]:
    """Use a view that showed the buffer when it was mapped: one that shows nothing now is an address that went bad."""
    with varied.recommended.judging(_seeing(one, mapped)), going_bad("MBH-08"):
        yield


@contextmanager
def going_bad(rule: str) -> Iterator[None]:
    """Charge it to a rule where there is no memory any more at an address that was good."""
    try:
        yield
    except ConformanceFailure as failure:
        if failure.observed == NO_MEMORY:
            failure.by = rule
        raise
