"""How long calls wait, and what is told of that."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vdi_conformance.differences.playing import Playing
    from vdi_conformance.differences.seen import Seen
    from vdi_conformance.differences.steps import Step


COMING: Final = 1000
"""So many milliseconds a call waits for what is to come."""
LONG: Final = 0.9
"""A wait of a twentieth of a second that took so many seconds has another unit."""


def time_out(playing: Playing, step: Step, *, due: bool) -> int:
    """Give the time-out that a step names, or one that leaves time for what is due."""
    if step.argument("timeout"):
        return playing.scaled(step.number("timeout"))
    return playing.patience(COMING, due=due)


def lasted(step: Step, began: float) -> Seen:
    """Tell whether a short wait took very long, where a step asks for it."""
    if not step.argument("measure"):
        return {}
    return {"lasted": "very long" if time.monotonic() - began > LONG else "not very long"}
