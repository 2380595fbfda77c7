"""On which threads the calls of a set come, and whether those threads live on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from vdi_conformance.vdi.hresult import NOERROR, VD_E_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.expectations import PendingAnswer, Result
    from vdi_conformance.harness.varied.recommended import Recommendations

T = TypeVar("T")
ANY_THREAD: Final = {"asking": "GBH-17", "mapping": "MBH-26", "fetching": "THR-04"}
"""What breaks where a call fails on another thread than the usual one, and on that one succeeds."""


class Calls:
    """Makes calls on the usual threads, on threads of their own, or on such as end after the call."""

    def __init__(self, threads: str, recommended: Recommendations) -> None:
        self._threads = threads
        self._recommended = recommended

    def make(
        self, what: str, client: Client, usual: str, start: Callable[[str], PendingAnswer[Any, Result[T]]], rule: str
    ) -> T:
        """Make a call that must succeed; give its out-value."""
        label = usual if self._threads == "usual" else what
        answer = start(label).result()
        if self._threads == "ended":
            client.end_thread(label)
        # That nothing is there has nothing to do with a thread.
        if answer.code not in (NOERROR, VD_E_TIMEOUT) and label != usual and (again := start(usual).result()).succeeded:
            with self._recommended.judging(ANY_THREAD[what]):
                answer.expect(NOERROR)
            answer = again
        return answer.expect(NOERROR, by=rule)

    def label(self, what: str, usual: str) -> str:
        """Name the thread of a call that is not to be tried again."""
        return usual if self._threads == "usual" else what

    def end(self, client: Client, label: str) -> None:
        """Let the thread of a call end, where threads do."""
        if self._threads == "ended":
            client.end_thread(label)
