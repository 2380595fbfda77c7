"""What a check begins with the first check of its worker: seconds then pass for it while others run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vdi_conformance.harness.expectations import PendingAnswer
    from vdi_conformance.harness.testbed import Testbed


SECONDS: Final = 3.0
"""So many seconds, before scaling, have passed when it is looked at."""

T = TypeVar("T")


class EarlyStart(Generic[T]):
    """What was begun, or what went wrong in that, which is the check's affair alone."""

    def __init__(self, testbed: Testbed, begin: Callable[[Testbed], T]) -> None:
        self.testbed = testbed
        self._begun: T
        self._failure: BaseException | None = None
        try:
            self._begun = begin(testbed)
        except (Exception, pytest.skip.Exception) as failure:
            self._failure = failure
        self._since = time.monotonic()

    def raise_failure(self) -> None:
        """Fail the check with what went wrong."""
        if self._failure is not None:
            raise self._failure

    def after_seconds(self, waits: Callable[[T], Iterable[PendingAnswer[Any, Any]]]) -> T:
        """Give what was begun when its seconds have passed, or as soon as one of these calls has come to an end."""
        session = self.testbed.session
        left = SECONDS * session.parties.timeout_scale - (time.monotonic() - self._since)
        session.supervisor.wait_any([one.pending for one in waits(self._begun)], max(left, 0))
        return self._begun


def begun_early(begin: Callable[[Testbed], Any]) -> pytest.MarkDecorator:
    """Let the worker begin this before its first check, and come to the check itself last.

    It must need no statement: a real server runs one at a time on a database.
    """
    return pytest.mark.vdi_begun_early(begin=begin)


def start_of(item: pytest.Item) -> Callable[[Testbed], Any] | None:
    """Find what is to be begun early for a check, if anything."""
    mark = item.get_closest_marker("vdi_begun_early")
    return None if mark is None else mark.kwargs["begin"]
