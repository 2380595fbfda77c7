"""What a rule may be told; every method has nothing to do where a rule does not say otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vdi_conformance.applications.events import (
        BufferMisuse,
        Call,
        Departure,
        ObjectKey,
        ReadBehind,
        ReadLook,
        Streams,
    )
    from vdi_conformance.applications.findings import Ledger
    from vdi_conformance.applications.sets import Command, Device, Set


class Rule:
    """One subject; it writes into the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def fetched(self, of: Set, device: Device, command: Command) -> None:
        """Take that a client fetched a command."""

    def completed(self, of: Set, device: Device, command: Command) -> None:
        """Take that a client completed a command that it held."""

    def refused(self, of: Set, call: Call) -> None:
        """Take a CompleteCommand that was refused."""

    def late(self, of: Set, device: Device, closed: Call, call: Call) -> None:
        """Take a call of a device whose set its process had closed."""

    def record_changed(self, of: Set, call: Call) -> None:
        """Take that a client wrote into the record of a command."""

    def touched(self, of: Set, call: Call, closed: Call | None) -> None:
        """Take that a client touched a buffer that it did not hold; `closed` is the Close that came before."""

    def aborted(self, of: Set, call: Call) -> None:
        """Take a SignalAbort."""

    def closing(self, of: Set, owner: ObjectKey, call: Call) -> None:
        """Take a Close, before what it ends is forgotten."""

    def departed(self, of: Set, owner: ObjectKey, departure: Departure) -> None:
        """Take the end of a process that had the set open, before what it ends is forgotten."""

    def misused(self, of: Set, misuse: BufferMisuse) -> None:
        """Take that a buffer in the server's hands was written to."""

    def looked(self, of: Set, look: ReadLook) -> None:
        """Take what a Read gave."""

    def read_behind(self, of: Set, read: ReadBehind) -> None:
        """Take how a Read behind the last byte ended."""

    def moved(self, of: Set, streams: Streams) -> None:
        """Take the streams of a statement."""

    def over(self, of: Set) -> None:
        """Take that nobody has a set open any more."""

    def stopped(self, of: Set, time: float) -> None:
        """Take that the recording ended while a set was open."""
