"""How sets end: nothing is used after Close, and the death of a secondary is the primary's matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.applications.rules.rule import Rule
from vdi_conformance.applications.wording import process
from vdi_conformance.vdi.hresult import NOERROR, VD_E_OPEN

if TYPE_CHECKING:
    from vdi_conformance.applications.events import Call, Departure, ObjectKey
    from vdi_conformance.applications.findings import Ledger
    from vdi_conformance.applications.sets import Device, Set

PATIENCE: Final = 10.0
"""So many seconds a primary has had when it is said that it did not notice the end of a secondary."""


class Endings(Rule):
    """CLS-10, CLS-12, CLS-21 and SEC-13."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self._dead: dict[int, list[tuple[ObjectKey, Departure]]] = {}

    def late(self, of: Set, device: Device, closed: Call, call: Call) -> None:
        """A device that is used though its set is closed."""
        self.ledger.breach(
            "CLS-10",
            f"{process(call.owner).capitalize()} called {call.method} of device {device.name!r} after it had closed "
            "the set",
            [*of.recent, closed, call],
        )

    def touched(self, of: Set, call: Call, closed: Call | None) -> None:
        """A buffer that is used though its set is closed."""
        if closed is None:
            return
        did = "wrote to" if call.arguments[2] else "read from"
        self.ledger.breach(
            "CLS-12",
            f"{process(call.owner).capitalize()} {did} a buffer after it had closed the set",
            [*of.recent, closed, call],
        )

    def aborted(self, of: Set, call: Call) -> None:
        """A SignalAbort may be the answer to the end of a secondary."""
        for secondary, _ in self._dead.get(id(of), []):
            if call.owner.process == of.primary.process != secondary.process:
                self.ledger.meet("SEC-13", *of.recent, call)
        if call.owner.process == of.primary.process:
            self._dead.pop(id(of), None)

    def closing(self, of: Set, owner: ObjectKey, call: Call) -> None:
        """A Close comes when the server has closed every device, or after an abort."""
        self.ledger.meet("CLS-10", call)
        self.ledger.meet("CLS-12", call)
        if call.code == NOERROR and not of.still_needs(owner):
            self.ledger.meet("CLS-21", call)
        if owner != of.primary:
            return
        if call.code == VD_E_OPEN and self._dead.get(id(of)):
            self.ledger.meet("SEC-13", *of.recent, call)
            self._dead.pop(id(of))

    def departed(self, of: Set, owner: ObjectKey, departure: Departure) -> None:
        """A secondary that goes while it is needed."""
        if owner != of.primary and of.aborted is None and of.still_needs(owner):
            self._dead.setdefault(id(of), []).append((owner, departure))

    def over(self, of: Set) -> None:
        """Nobody noticed."""
        for secondary, departure in self._dead.pop(id(of), []):
            self._unnoticed(of, secondary, departure)

    def stopped(self, of: Set, time: float) -> None:
        """Nobody had noticed when all was over."""
        for secondary, departure in self._dead.pop(id(of), []):
            if time - departure.time > PATIENCE:
                self._unnoticed(of, secondary, departure)

    def _unnoticed(self, of: Set, secondary: ObjectKey, departure: Departure) -> None:
        self.ledger.breach(
            "SEC-13",
            f"{process(secondary).capitalize()} ended at {departure.time:.3f} s with a device open, and the primary, "
            f"{process(of.primary)}, never called SignalAbort",
            of.recent,
            departure,
        )
