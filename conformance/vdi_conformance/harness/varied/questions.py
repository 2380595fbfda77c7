"""A question to the set or to one of its objects whose answer no condition changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vdi_conformance.vdi.hresult import failed

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.harness.expectations import Answer


class Question(NamedTuple):
    """A call, the requirement that says what it gives, and its codes: any failure, where none is named."""

    ask: Callable[[], Answer]
    by: str
    codes: tuple[int, ...] = ()

    def is_answered_by(self, answer: Answer) -> bool:
        """Whether it may be."""
        return answer.code in self.codes if self.codes else failed(answer.code)

    def require(self, answer: Answer) -> None:
        """Fail the check unless it may be."""
        if self.codes:
            answer.expect(*self.codes)
        else:
            answer.expect_failure()
