"""A set under conditions whose server is told every step: it chooses buffers and commands, and shows completions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.harness.client import SET_THREAD
from vdi_conformance.harness.device import END_OF_DEVICE
from vdi_conformance.harness.expectations import SLOW
from vdi_conformance.harness.judging import ConformanceFailure, Needed, judging
from vdi_conformance.harness.shared_memory import BufferView
from vdi_conformance.harness.varied.around import abort, ask_after_an_abort, ask_before_the_last_one, close_all
from vdi_conformance.harness.varied.contents import Contents
from vdi_conformance.harness.varied.layout import FEW
from vdi_conformance.harness.varied.one_device import pass_in_order
from vdi_conformance.harness.varied.sets import Aside, Held, VariedSet
from vdi_conformance.vdi.commands import (
    VDC_FLUSH,
    VDC_GET_POSITION,
)
from vdi_conformance.vdi.completion import (
    ERROR_DISK_FULL,
    ERROR_NOT_SUPPORTED,
    ERROR_OPERATION_ABORTED,
    ERROR_SUCCESS,
)
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.device import Fetched
    from vdi_conformance.harness.expectations import Code, PendingAnswer, Result
    from vdi_conformance.harness.scripted_set import ScriptedSet
    from vdi_conformance.harness.testbed import Testbed
    from vdi_conformance.harness.varied.layout import Layout, Use

EACH: Final = 3
"""One of so many commands fails."""
FEW_BYTES: Final = 256
"""By so many bytes fewer does a count fall short of a whole command."""
FAR: Final = 0x1_2345_6789
"""A position of more than 32 bits."""


class VariedScriptedSet(VariedSet):
    """With the set itself, and the buffers of the server by the use that they are meant for."""

    running: ScriptedSet

    def __init__(self, testbed: Testbed, layout: Layout, running: ScriptedSet) -> None:
        super().__init__(testbed, layout)
        self.running = running
        self._count = 0
        self._owner_of_spare: Client | None = None
        self._buffers: dict[tuple[int, int], int] = {}
        self._late = max(1, layout.areas // 2)

    def begin(self, clients: list[Client]) -> None:
        """Make some areas before the secondaries join, and the others afterwards."""
        running, layout = self.running, self.layout
        running.begin_configuration(layout.media)
        running.end_configuration()
        running.configuration = running.primary.get_configuration().expect(NOERROR, by=Needed("CFG-01"))
        if layout.set_aside:
            self._allocate(layout.set_aside)
        for area in range(self._late):
            self._add_area(area, requested=not layout.set_aside and area == 0)
        late = None if layout.joins_late is None else running.clients[layout.joins_late]
        running.join_all(without=late)
        for number in range(layout.devices):
            running.offer_device(number)
            if number == layout.devices - 1:
                ask_before_the_last_one(self)
            if number == layout.spare:
                self._owner_of_spare = running.owner_of(number)
            else:
                running.accept_device(number)
        self.add_guests()
        for area in range(self._late, layout.areas):
            self._add_area(area)
        if late is not None:
            running.join(late).expect(NOERROR, by="SEC-08" if layout.older_joining else "SEC-01")

    def _add_area(self, area: int, requested: bool = False) -> None:
        """Take every buffer of an area; all others are taken already, so that each is one of it."""
        count = self.layout.buffers
        if not requested:
            self.running.request_buffers(count)
        addresses = self._allocate(count)
        if self.layout.again:
            for address in addresses:
                self.running.server.free_buffer(address, self.layout.transfer).expect(NOERROR)
            addresses = self._allocate(count)
        self._buffers |= {(area, place): address for place, address in enumerate(addresses)}

    def _allocate(self, count: int) -> list[int]:
        alignment = max(self.layout.alignment, self.layout.block)
        allocated = self.running.server.allocate_buffers(self.layout.transfer, alignment, count)
        return [result.expect(NOERROR) for result in allocated]

    def _hold(self, uses: Sequence[Use]) -> list[Held]:
        held = []
        self._count = (self._count + len(uses)) % FEW_BYTES
        for number, use in enumerate(uses):
            buffer = self._buffers[use.area, use.place]
            one = self.send(number, buffer)
            one.late = use.area >= self._late
            held.append(one)
        return held

    def send(self, number: int, buffer: int) -> Held:
        """Send a command, and fetch it; the bytes of a Write are those of the server."""
        size, running = self.layout.size, self.running
        sent = Contents(size)
        if not self.layout.reads:
            sent.store(BufferView(running.server, buffer), self.next_seed())
        tag = running.send(buffer, self.layout.code, size, device=number)
        one = self.held_now(number, self.fetch(running.devices[number]))
        one.tag, one.buffer = tag, buffer
        if (one.command.size, one.command.position) != (size, 0):
            came = f"one of {one.command.size} at {one.command.position}"
            raise ConformanceFailure(f"a command of {size} bytes at 0 came as {came}", by="CMD-01")
        if not self.layout.reads:
            with judging("BUF-03"):
                sent.require(one.fetched)
            one.contents = sent
        return one

    def send_next(self, one: Held) -> Held:
        """Let a further command come whose buffer is that of a completed one."""
        further = self.send(one.number, one.buffer)
        further.contents.store(further.fetched, self.next_seed())
        return further

    def _complete(self, one: Held, thread: str) -> Code:
        return one.command.device.complete(one.command, self.result_of(one), self._moved(one), thread=thread)

    def result_of(self, one: Held) -> int:
        """Let some commands fail, the last ones of their devices: what is to be sent to these fails as well."""
        fails = (
            self.last_round
            and self.layout.fails
            and (self.layout.at_once == 1 or one.number % EACH == self.layout.failing)
        )
        return ERROR_DISK_FULL if fails else ERROR_SUCCESS

    def _moved(self, one: Held) -> int:
        """Give each Write another count, so that no two can be taken for each other; none to what fails."""
        if self.result_of(one) != ERROR_SUCCESS:
            return 0
        return one.command.size - (0 if self.layout.reads else self._count + one.number)

    def _require_seen(self, one: Held) -> None:
        completion = self.running.completion()
        if self.may_end and (completion is None or completion.code == ERROR_OPERATION_ABORTED) and self.has_ended():
            return
        if completion is None:
            raise ConformanceFailure(f"the completion of command {one.tag} did not reach the server{SLOW}", by="CMP-20")
        found = (completion.tag, completion.code, completion.bytes_transferred)
        if found != (wanted := (one.tag, self.result_of(one), self._moved(one))):
            sentence = "the server saw tag, code and count of a completion as {}, {} and {} instead of {}, {} and {}"
            by = "CMP-02" if found[1] != wanted[1] and wanted[1] != ERROR_SUCCESS else "CMP-01"
            raise ConformanceFailure(sentence.format(*found, *wanted), by=by)
        if self.layout.reads and wanted[1] == ERROR_SUCCESS:
            with judging("BUF-04" if one.number % 2 else "MBH-27"):
                one.contents.require(BufferView(self.running.server, one.buffer))

    def go_on(self, waiting: PendingAnswer[Any, Result[Fetched]] | None) -> None:
        """Open what was left, let a wait end, pass further commands."""
        self.open_spare()
        if waiting is not None:
            self._close_waiting(waiting)
        if self.running.devices[0].client not in self.gone:
            with self.unless_it_ends():
                self.pass_in_order(may_fail=True)

    def send_aside(self) -> Aside | None:
        """Let a command without data be held."""
        code = VDC_GET_POSITION if self.layout.features else VDC_FLUSH
        tag = self.running.send(code=code, device=self.layout.aside)
        return Aside(tag, self.fetch(self.running.devices[self.layout.aside]))

    def end_aside(self, aside: Aside) -> None:
        """Complete it, if whose it is lives; what fails on a device that holds others would fail these."""
        if aside.command.device.client not in self.gone:
            fails = not self.layout.features and self.layout.aside_is_alone
            self.complete_aside(aside, ERROR_NOT_SUPPORTED if fails else ERROR_SUCCESS)

    def complete_aside(self, aside: Aside, result: int) -> None:
        """Complete it with this result, and a position, where it asks for one."""
        asks = aside.command.code == VDC_GET_POSITION
        position = FAR if asks else 0
        answer = aside.command.device.complete(aside.command, result, 0, position)
        if not answer.succeeded and self.has_ended():
            return
        answer.expect(NOERROR, by="CMP-01")
        with judging("CMP-10" if asks else "CMP-02"):
            self.running.completed(aside.tag, result, 0, position if asks else None)

    def pass_in_order(self, may_fail: bool) -> None:
        """Let a device have two commands at once."""
        pass_in_order(self, may_fail)

    def open_spare(self) -> None:
        """Open the device that was left unopened, if whose it is lives."""
        owner = self._owner_of_spare
        if self.spare is not None and owner is not None and owner not in self.gone:
            thread = self.calls.label("opening", SET_THREAD)
            answer = owner.send_open_device(self.running.device_names[self.spare], thread=thread).result()
            self.calls.end(owner, thread)
            if not answer.succeeded and self.has_ended():
                return
            self.running.devices.append(answer.expect(NOERROR, by="OPD-04"))
            self.spare = None

    def close_device(self, number: int) -> None:
        """Let the server close a device, and its owner see that."""
        self.running.close_device(number)
        self.running.devices[number].get_command().expect(VD_E_CLOSE, by=END_OF_DEVICE)

    def _close_waiting(self, waiting: PendingAnswer[Any, Result[Fetched]]) -> None:
        """Close the device on which a GetCommand waits."""
        assert self.layout.waiting is not None, "such a layout has one"
        self.running.close_device(self.layout.waiting)
        waiting.result().expect(VD_E_CLOSE, by=END_OF_DEVICE)

    def finish(self) -> None:
        """Close what is open, the secondaries before the primary, where that is not much."""
        if not self.may_end:
            kept = {one.command.device for one in self.kept}
            for number in range(min(FEW, self.layout.devices)):
                if number not in (self.layout.closed, self.layout.waiting) and self.running.devices[number] not in kept:
                    self.close_device(number)
        if not self.may_end and not self.layout.closes_by_abort:
            close_all(self)
            return
        # What an abort has overtaken nobody waits for.
        self.running.aborted = True
        abort(self)
        ask_after_an_abort(self)
        close_all(self, aborted=True)

    def end_aborted(self, held: Sequence[Held]) -> None:
        """See every command that was held end by an abort."""
        self.running.aborted = True
        if self.layout.aborts and self.layout.meanwhile != "server dies":
            self.running.all_aborted([one.tag for one in held])
