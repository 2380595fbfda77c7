"""What becomes of the bytes: buffers that are left alone, and streams that come back as they went."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from vdi_conformance.applications.rules.rule import Rule
from vdi_conformance.applications.streams import PIECE, first_difference, is_label
from vdi_conformance.applications.wording import process
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.completion import ERROR_FILEMARK_DETECTED, ERROR_HANDLE_EOF, ERROR_NO_DATA_DETECTED, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.applications.events import BufferMisuse, Call, ReadBehind, ReadLook, Streams
    from vdi_conformance.applications.findings import Ledger
    from vdi_conformance.applications.sets import Set
    from vdi_conformance.applications.streams import Difference, StreamTrace, Transfer

BACKUPS: Final = 64
"""So many of the last BACKUPs are compared with."""
KINDS: Final = {
    "other device": "what was written to another device",
    "left out": "what was written later",
    "repeated": "what was written before",
    "altered": "bytes that were never written there",
    "too short": "the end",
    "too long": "more bytes",
}


class Buffers(Rule):
    """BUF-02, and of VDC-01 and VDC-02 what the buffers themselves tell."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self._misused: set[int] = set()

    def misused(self, of: Set, misuse: BufferMisuse) -> None:
        """A buffer that was written to after its command was completed."""
        self._misused.add(id(of))
        what = f"after {vdc.name_of(misuse.code)} of device {misuse.place.device!r} had been completed"
        self.ledger.breach("BUF-02", f"A buffer was written to {what}, as seen at {misuse.time:.3f} s", of.recent)

    def touched(self, of: Set, call: Call, closed: Call | None) -> None:
        """A buffer that a process touched which did not hold it."""
        if closed is None:
            self._misused.add(id(of))
            did = "wrote to" if call.arguments[2] else "read from"
            who = process(call.owner).capitalize()
            self.ledger.breach("BUF-02", f"{who} {did} a buffer of which it held no command", [*of.recent, call])

    def looked(self, of: Set, look: ReadLook) -> None:
        """What a Read gave that nobody had put there."""
        device = f"A Read of device {look.place.device!r}"
        if look.stale:
            self._misused.add(id(of))
            what = "gives what the server left in a buffer whose Write had been completed: it was read too late"
            self.ledger.breach("BUF-02", f"{device} {what}", of.recent)
        elif look.unfilled:
            requirement = "VDC-01" if look.unfilled == look.reported else "VDC-02"
            what = f"reported {look.reported} bytes, the last {look.unfilled} of which were never put into the buffer"
            self.ledger.breach(requirement, f"{device} {what}", of.recent)
        elif look.silent:
            self.ledger.breach("VDC-02", f"{device} put bytes into the buffer and reported none", of.recent)

    def moved(self, of: Set, streams: Streams) -> None:
        """A statement whose buffers were left alone."""
        if id(of) not in self._misused and any(trace.size for trace in streams.devices):
            self.ledger.meet("BUF-02", *of.recent)
        self._misused.discard(id(of))


class RoundTrips(Rule):
    """BUF-11, BUF-17, BUF-18, VDC-01, VDC-05 and VDC-28: a RESTORE reads what a BACKUP wrote."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self._backups: deque[Streams] = deque(maxlen=BACKUPS)
        self._stale: set[int] = set()

    def looked(self, of: Set, look: ReadLook) -> None:
        """A stream whose bytes are wrong for another reason is not compared."""
        self._stale.add(id(of))

    def moved(self, of: Set, streams: Streams) -> None:
        """Keep what was written, and compare what was read."""
        if streams.written:
            if streams.complete:
                self._backups.append(streams)
            return
        stale = id(of) in self._stale
        self._stale.discard(id(of))
        backup = self._backup_of(streams)
        if backup is None or stale or not any(trace.size for trace in streams.devices):
            return
        order = self._order(of, backup, streams.devices)
        to_the_end = self._was_told_the_end(of)
        for trace, index in zip(streams.devices, order, strict=True):
            difference = first_difference(backup.devices, index, trace, to_the_end)
            if difference is not None:
                self._charge(of, backup.devices[index], trace, difference)
                return
        if all(trace.at_the_end for trace in streams.devices):
            self._right(of, backup.devices, streams.devices)

    @staticmethod
    def _was_told_the_end(of: Set) -> bool:
        """Tell whether a Read was completed with the end of a stream."""
        return any(
            device.last is not None
            and device.last.completed is not None
            and device.last.completed.arguments[2] in (ERROR_HANDLE_EOF, ERROR_NO_DATA_DETECTED)
            for device in of.devices.values()
        )

    def _backup_of(self, streams: Streams) -> Streams | None:
        """Find the BACKUP that a RESTORE is of: one that began so, or else the last one with as many devices."""
        fitting = [one for one in reversed(self._backups) if len(one.devices) == len(streams.devices)]
        heads = {trace.head for trace in streams.devices}
        found = next((one for one in fitting if heads & {trace.head for trace in one.devices}), None)
        # A label that is right but not known is that of a BACKUP which nobody watched.
        unwatched = found is None and any(is_label(head) for head in heads)
        return found if found or unwatched else next(iter(fitting), None)

    def _order(self, of: Set, backup: Streams, read: Sequence[StreamTrace]) -> list[int]:
        """Tell which stream of the BACKUP each device offers; another order than that of the BACKUP is a warning."""
        heads = [trace.head for trace in backup.devices]
        order = [heads.index(trace.head) if trace.head in heads else at for at, trace in enumerate(read)]
        if sorted(order) == list(range(len(order))) and order != sorted(order):
            at = next(at for at, index in enumerate(order) if index != at)
            sentence = (
                f"Device {read[at].device!r}, number {at + 1} of the RESTORE, offers the stream of device number "
                f"{order[at] + 1} of the BACKUP"
            )
            self.ledger.breach("BUF-18", sentence, of.recent)
            return order
        return order if len(set(order)) == len(order) else list(range(len(order)))

    def _right(self, of: Set, written: Sequence[StreamTrace], read: Sequence[StreamTrace]) -> None:
        calls = tuple(of.recent)
        for requirement in ("BUF-17", "VDC-01", "VDC-05"):
            self.ledger.meet(requirement, *calls)
        if not of.features & vdc.VDF_RANDOM_ACCESS and any(one.has_junk for one in (*written, *read)):
            self.ledger.meet("VDC-28", *calls)
        if len(read) > 1:
            self.ledger.meet("BUF-18", *calls)
        if any(one.sizes - other.sizes for one, other in zip(read, written, strict=True)):
            self.ledger.meet("BUF-11", *calls)

    def _charge(self, of: Set, written: StreamTrace, read: StreamTrace, difference: Difference) -> None:
        is_disk = bool(of.features & vdc.VDF_RANDOM_ACCESS)
        requirement = "VDC-12" if is_disk and difference.kind == "too long" else charged(written, read, difference)
        sentence = (
            f"Device {read.device!r} gave back {read.size} of {written.size} bytes, and from byte {difference.begin} "
            f"on {KINDS[difference.kind]}"
        )
        reasons = {
            "BUF-11": ", where a Read had a size that no Write of the BACKUP had",
            "VDC-28": ", where a position meant nothing",
        }
        self.ledger.breach(requirement, sentence + reasons.get(requirement, ""), of.recent)


def charged(written: StreamTrace, read: StreamTrace, difference: Difference) -> str:
    """Tell which requirement a difference breaks: the one whose traces it bears."""
    begin, end = difference.begin, max(difference.end, difference.begin + 1)
    writes = written.transfers(begin, end)
    reads = read.transfers(begin, min(end, begin + PIECE))
    if difference.kind == "other device":
        return "BUF-18"
    # Who goes where a position says is right again with the next one that means something.
    if not difference.lasting or difference.kind == "too short":
        junk = (*(one.begin == begin for one in writes if one.junk_position),)
        junk += (*(begin <= one.begin < end for one in reads if one.junk_position),)
        if any(junk):
            return "VDC-28"
    goes_on = difference.kind in ("altered", "left out", "repeated")
    if (
        goes_on
        and difference.lasting
        and any(begin <= one.end <= end and not _is_a_write(one, written) for one in reads)
    ):
        return "BUF-11"
    starts_a_write = any(one.begin == begin for one in writes)
    starts_a_read = any(one.begin == begin for one in reads)
    if difference.kind == "left out" and starts_a_write:
        return "VDC-05"
    if difference.kind in ("left out", "repeated") and starts_a_read:
        return "VDC-01"
    return "VDC-05" if difference.kind == "repeated" and starts_a_write else "BUF-17"


def _is_a_write(read: Transfer, written: StreamTrace) -> bool:
    """Tell whether a Read asked for just what one Write had."""
    return any(one[:2] == read[:2] for one in written.transfers(read.begin, read.end))


class Ends(Rule):
    """VDC-04 and VDC-12: what there is behind the last byte."""

    def read_behind(self, of: Set, read: ReadBehind) -> None:
        """Judge a Read behind the last byte."""
        told = f"A Read at the end of device {read.place.device!r} was completed with {name_of(read.code)}"
        if of.features & vdc.VDF_FILE_MARKS:
            if read.code == ERROR_FILEMARK_DETECTED:
                self.ledger.meet("VDC-04", *of.recent)
            else:
                self.ledger.breach("VDC-04", f"{told}, though a mark was written there", of.recent)
        elif read.moved:
            self.ledger.breach("VDC-12", f"{told} and {read.moved} bytes, though the last Flush was there", of.recent)
        else:
            self.ledger.meet("VDC-12", *of.recent)
