"""The catalogue as values: requirements, sources, and what the review said of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Final

LEVELS: Final = ("MUST", "SHOULD", "MAY", "INFO")
BINDS: Final = ("library", "server", "client application")
SOURCE_CLASSES: Final = ("documented", "derived", "observed")
REACHES: Final = MappingProxyType(
    {
        "none": "shows without a server",
        "statement": "shows with any server",
        "scripted": "shows with a server that is told every step (scripted)",
        "abi": "shows in the compiled library alone",
        "platform": "shows on one platform alone",
        "not testable": "does not show from outside",
    }
)
"""What it takes to judge a requirement."""
TAG: Final = re.compile(r"\[([^\]]+)\]")
"""How a requirement's source names a document."""
REASONS: Final = (
    "not visible from outside",
    "platform not available",
    "contradicted by another requirement",
    "outside the contract",
)
"""Why a requirement has no check, where it could have one."""

CAPABILITIES: Final = ("named_instances", "native_abi", "null_out_pointers")
"""What an adapter may declare that requirements depend on."""


@dataclass(frozen=True)
class Change:
    """What the review of a requirement changed against the digest that it was taken from, and why."""

    column: str
    before: str
    after: str
    reason: str


@dataclass(frozen=True)
class Unchecked:
    """Why a requirement has no check: one of REASONS, or that of OF_THE_APPLICATION, and what it means here."""

    reason: str
    sentence: str


OF_THE_APPLICATION: Final = Unchecked(
    "another party is bound", "It binds the client application, whose part the suite plays itself."
)
"""Why no requirement of the client application has a check."""


NOTHING: Final = "nothing"
"""What is not judged of a requirement whose checks ask all that it says."""


@dataclass(frozen=True)
class Scope:
    """How much of a requirement its checks judge, as somebody found who had not written them.

    `not_judged` is what the requirement says and no check asks, or NOTHING; `why` says what stands in the way of that.
    """

    judged: str
    not_judged: str
    why: str


@dataclass(frozen=True)
class Challenge:
    """That somebody disputes a requirement: since when, and what of it in a sentence."""

    since: date
    about: str


@dataclass(frozen=True)
class Requirement:
    """One testable statement: what is required of whom, how firmly, and where that is written.

    `level` is MUST, SHOULD, MAY or INFO; `reach` the least server level at which it can be judged; `questions` the
    open questions that touch it; `optional` the capability without which it may be not applicable, empty where it must
    not. One that is under `challenge` is left out of the next version of each profile, where it is provisional.
    """

    id: str
    topic: str
    level: str
    binds: str
    source_class: str
    reach: str
    questions: tuple[str, ...]
    statement: str
    source: str
    how_to_test: str
    changes: tuple[Change, ...] = ()
    unchecked: Unchecked | None = None
    optional: str = ""
    scope: Scope | None = None
    challenge: Challenge | None = None

    @property
    def has_scope(self) -> bool:
        """Whether it is one of those for which it is told how much of them is judged."""
        return self.binds == "library" and self.level in ("MUST", "SHOULD")

    @property
    def group(self) -> str:
        """The part of the id before the dash, such as GBH."""
        return self.id.partition("-")[0]


@dataclass(frozen=True)
class Reading:
    """One thing that is tried to answer an open question: what the documents permit, and which checks try it.

    `permitted` are names of codes or sentences; it is empty where the list is not a closed one. `checks` are ids
    without their parameters.
    """

    subject: str
    permitted: tuple[str, ...]
    checks: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """What the documents leave open; `unobserved` says why no check records an answer."""

    id: str
    text: str
    readings: tuple[Reading, ...] = ()
    unobserved: str = ""


@dataclass(frozen=True)
class Source:
    """A public document: its tag in the catalogue, its title and its address."""

    tag: str
    title: str
    address: str


@dataclass(frozen=True)
class Catalogue:
    """All requirements in their order, and what they refer to."""

    requirements: tuple[Requirement, ...]
    questions: Mapping[str, Question]
    sources: Mapping[str, Source]

    def get(self, id: str) -> Requirement | None:
        """Find a requirement by its id."""
        return self._by_id.get(id)

    @cached_property
    def _by_id(self) -> Mapping[str, Requirement]:
        return {requirement.id: requirement for requirement in self.requirements}

    def sources_of(self, requirement: Requirement) -> tuple[Source, ...]:
        """Find the documents that a requirement names by their tags."""
        return tuple(self.sources[tag] for tag in TAG.findall(requirement.source) if tag in self.sources)

    @property
    def topics(self) -> tuple[str, ...]:
        """The groups of requirements, such as GBH, in their order."""
        return tuple(dict.fromkeys(requirement.group for requirement in self.requirements))
