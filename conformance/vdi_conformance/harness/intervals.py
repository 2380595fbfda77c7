"""Checks with a serverTimeOut, tried again with a longer one where the machine was too slow to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.judging import not_tested

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.harness.testbed import Testbed

LONGER: Final = (1, 4, 16)
"""So many times the interval that is enough on an idle machine."""


class TooSlow(Exception):
    """More time went by than the interval leaves, so that it is not known who was late."""


def with_time_enough(testbed: Testbed, milliseconds: int, attempt: Callable[[int], None]) -> None:
    """Try something with an interval, given in milliseconds before scaling and handed on in scaled ones."""
    for factor in LONGER:
        try:
            attempt(interval := testbed.scaled(milliseconds * factor))
        except TooSlow:
            testbed.clear()
        else:
            return
    not_tested(f"this machine was too slow: two intervals of {interval} ms were over (--timeout-scale)")
