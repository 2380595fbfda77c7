"""All that two sides are tried with, in its order."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from vdi_conformance.differences.drawing import drawn
from vdi_conformance.differences.sequences import directed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.differences.limits import Limits
    from vdi_conformance.differences.sequences import Sequence


def tried(limits: Limits, seed: int, number: int, steps: int) -> Iterator[Sequence]:
    """Give the sequences of the suite, then so many drawn ones, as far as both sides can be asked for them.

    What is drawn needs servers that are told every step.
    """
    further = drawn(seed, number, steps) if limits.scripted else iter(())
    return limits.cut(chain(directed(), further))
