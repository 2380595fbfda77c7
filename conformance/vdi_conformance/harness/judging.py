"""How a check says what it judges, and the ends other than pass and fail."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Literal, NoReturn, TypeVar

import pytest

from vdi_conformance.host.errors import HostError
from vdi_conformance.private_interfaces import Skip
from vdi_conformance.requirements import Requirement, catalogue

T = TypeVar("T")
Judged = Literal["library", "server"]
JUDGED_PARTIES: Final[tuple[Judged, ...]] = ("library", "server")
"""Who is judged: the server where it is a product of the adapter under test."""


class NotApplicable(Skip):
    """The check needs something optional that the adapter does not declare."""


class NotTested(Skip):
    """The check ran, and found that this run cannot show what it judges."""


class NeedsServer(NotTested):
    """The check asked for a server, and the run has none."""

    def __init__(self) -> None:
        super().__init__("it needs a server, and this run has none: name one with --server")


class Needed(str):
    """The id of a requirement that must hold before a check can judge its own: what breaks there breaks this one.

    A check that uses the same step to judge what it is about says so by `judging`.
    """

    __slots__ = ()


class ConformanceFailure(AssertionError):
    """A call gave what no reading of the documents permits; names of codes are kept apart for reports.

    `by` is the requirement that is broken, where the check judges several, or where one is broken that it only needs.
    """

    def __init__(
        self, sentence: str, expected: tuple[str, ...] = (), observed: str | None = None, by: str | None = None
    ) -> None:
        super().__init__(sentence)
        self.expected = expected
        self.observed = observed
        if by is not None:
            judgeable(by)
        self.by = by


@contextmanager
def judging(requirement: str) -> Iterator[None]:
    """Charge what breaks within to one requirement, unless the check says itself to which."""
    judgeable(requirement)
    try:
        yield
    except (ConformanceFailure, HostError) as failure:
        if failure.by is None or isinstance(failure.by, Needed):
            failure.by = requirement
        raise
    except AssertionError as failure:
        raise ConformanceFailure(str(failure), by=requirement) from failure


def vdi_requirement(*ids: str) -> pytest.MarkDecorator:
    """Name the requirements that a check judges: known ones of one severity, that bind the library or the server."""
    if not ids:
        raise ValueError("a check must judge known requirements, not nothing")
    requirements = [judgeable(id) for id in ids]
    if len({severity(requirement.level) for requirement in requirements}) > 1:
        raise ValueError(f"a check judges requirements of one severity: split the one for {', '.join(ids)}")
    if len({requirement.binds for requirement in requirements}) > 1:
        raise ValueError(f"a check judges the library or the server: split the one for {', '.join(ids)}")
    return pytest.mark.vdi_requirement(*ids)


def judged_party(item: pytest.Item) -> Judged:
    """Tell whom a check judges, the library or the server."""
    bound = (
        requirement.binds for mark in item.iter_markers("vdi_requirement") for requirement in map(judgeable, mark.args)
    )
    return "server" if next(bound, JUDGED_PARTIES[0]) == "server" else "library"


def judgeable(id: str) -> Requirement:
    """Give a requirement that a check may judge, and refuse what there is not and what binds nobody under test."""
    requirement = catalogue().get(id)
    if requirement is None:
        raise ValueError(f"a check must judge known requirements, not {id}")
    if requirement.binds not in JUDGED_PARTIES:
        raise ValueError(
            f"a check judges {' or '.join(JUDGED_PARTIES)}, and {id} binds the {requirement.binds}: name one of those"
        )
    if requirement.unchecked is not None:
        raise ValueError(
            f"unchecked.tsv says why {id} has no check ({requirement.unchecked.reason}): remove one of the two"
        )
    return requirement


@contextmanager
def needing(requirement: str) -> Iterator[None]:
    """Charge what breaks within to a requirement that a check needs, where nothing else is named."""
    try:
        yield
    except (ConformanceFailure, HostError) as failure:
        failure.by = failure.by or Needed(requirement)
        raise


def severity(level: str) -> str:
    """Tell what breaking a requirement of that level means: it fails, warns or is observed."""
    return {"MUST": "fails", "SHOULD": "warns"}.get(level, "observes")


def not_tested(reason: str) -> NoReturn:
    """End the check: this run cannot show what it judges."""
    raise NotTested(reason)


def not_applicable(reason: str) -> NoReturn:
    """End the check: the adapter does not declare what it needs."""
    raise NotApplicable(reason)


class WaitedInVain(ConformanceFailure):
    """A server came to no end, or to one that left its clients waiting."""


class PrerequisiteFailed(ConformanceFailure):
    """What a check begins with could not be set up: a failure, whatever the level of its requirements."""


class MandatoryBroken(ConformanceFailure):
    """What no level excuses showed, such as the end of a process by itself: a failure, whatever the check judges."""


class RecommendationBroken(ConformanceFailure):
    """Something that is only recommended showed in passing: a warning, whatever the check judges."""


def set_up(step: Callable[[], T]) -> T:
    """Take a step before the check begins: what goes wrong there is a failed prerequisite."""
    try:
        return step()
    except ConformanceFailure as failure:
        sentence = f"before the check began: {failure}"
        raise PrerequisiteFailed(sentence, failure.expected, failure.observed, failure.by) from failure
