"""Raw outcomes of calls, with the expectations that checks hold against them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar, cast

from vdi_conformance.harness.judging import ConformanceFailure, judgeable
from vdi_conformance.host.messages.base import Reply
from vdi_conformance.host.process import Pending
from vdi_conformance.vdi.hresult import NOERROR, VD_E_TIMEOUT, failed, name_of


class Observe(Protocol):
    """Takes what was seen of an open question: what was tried, the answer, and all answers that are permitted."""

    def __call__(self, question: str, subject: str, answer: str, permitted: Sequence[str] = ()) -> None:
        """Take it."""
        ...


T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
R = TypeVar("R", bound=Reply)
SLOW: Final = " (for an implementation that needs longer there is --timeout-scale)"


def in_hexadecimal(numbers: Iterable[int]) -> str:
    """Tell handles or addresses."""
    return ", ".join(map(hex, numbers)) or "none"


@dataclass(frozen=True)
class Answer:
    """The HRESULT of one call; `call` says which one, and in which process.

    An expectation names in `by` the requirement that is broken where the check judges several.
    """

    call: str
    code: int
    observer: Observe = field(repr=False)

    @property
    def name(self) -> str:
        """The name of the HRESULT."""
        return name_of(self.code)

    @property
    def succeeded(self) -> bool:
        """Whether the call gave NOERROR."""
        return self.code == NOERROR

    def expect_failure(self, by: str | None = None) -> None:
        """Fail the check unless the call failed, with whatever code."""
        if not failed(self.code):
            sentence = f"{self.call} gave {self.name} instead of a failure"
            raise ConformanceFailure(sentence, ("a failure",), self.name, by)

    def permit(self, question: str, subject: str, *codes: int, by: str | None = None) -> int:
        """Accept any of these codes and record which one came, as the answer to an open question."""
        self.expect(*codes, by=by)
        self.observer(question, subject, self.name, [name_of(code) for code in codes])
        return self.code

    def observe(self, question: str, subject: str) -> None:
        """Record what came, whatever it is."""
        self.observer(question, subject, self.name)

    def expect(self, *codes: int, by: str | None = None) -> object:
        """Fail the check unless the call gave one of these codes."""
        if by is not None:
            judgeable(by)
        if self.code not in codes:
            names = tuple(name_of(code) for code in codes)
            remedy = SLOW if self.code == VD_E_TIMEOUT else ""
            sentence = f"{self.call} gave {self.name} instead of {' or '.join(names)}{remedy}"
            raise ConformanceFailure(sentence, names, self.name, by)
        return None


@dataclass(frozen=True)
class Code(Answer):
    """The answer of a call without an out-value."""


@dataclass(frozen=True)
class Result(Answer, Generic[T]):
    """The answer of a call with an out-value."""

    value: T | None = None

    def expect(self, *codes: int, by: str | None = None) -> T:
        """Fail the check unless the call gave one of these codes; give the out-value, which NOERROR promises."""
        super().expect(*codes, by=by)
        if self.code == NOERROR and self.value is None:
            raise ConformanceFailure(f"{self.call} gave NOERROR and handed nothing out", by=by)
        return cast("T", self.value)


class PendingAnswer(Generic[R, A]):
    """A call that was started and may still wait; `patience` in seconds before scaling."""

    def __init__(self, pending: Pending[R], convert: Callable[[R], A], patience: float = 10.0) -> None:
        self.pending = pending
        self._convert = convert
        self._patience = patience

    @property
    def done(self) -> bool:
        """Whether the call has returned."""
        return self.pending.done

    def then(self, convert: Callable[[A], B]) -> "PendingAnswer[R, B]":
        """Give the same call, its answer converted further; to be asked instead of this one."""
        return PendingAnswer(self.pending, lambda reply: convert(self._convert(reply)), self._patience)

    def result(self) -> A:
        """Wait for its end; to be asked once."""
        return self._convert(self.pending.result(patience=self._patience))
