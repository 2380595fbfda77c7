"""Profiles: frozen lists of requirements that a certificate speaks of, as data files with a version each."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from vdi_conformance.requirements.values import Requirement
from vdi_conformance.untrusted import decoding
from vdi_conformance.untrusted.misfits import plainly
from vdi_conformance.untrusted.nearest import meant

Standing = Literal["scored", "reported", "provisional"]
REACHED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"statement": ("none", "statement"), "scripted": ("none", "statement", "scripted")}
)
"""The requirements that a server of that level lets one judge, by their reach."""


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of a profile.

    A requirement that is `scored` decides whether an implementation conforms; one that is `reported` is run and shown,
    nothing more; one that is `excluded` was known and left out. Whatever the catalogue gained since, within `topics`
    and what `server` reaches, is provisional: run, reported, not scored. `joining` says that sets have secondaries,
    `derived` that requirements are scored which follow from documents without standing there. Only what `optional`
    lists may be not applicable, where the adapter does not declare the capability named there.
    """

    name: str
    version: int
    about: str
    server: Literal["statement", "scripted"]
    joining: bool
    derived: bool
    topics: frozenset[str]
    scored: frozenset[str]
    reported: frozenset[str]
    excluded: frozenset[str]
    optional: dict[str, str]
    sha256: str = ""

    @property
    def label(self) -> str:
        """The name and the version, such as core-1."""
        return f"{self.name}-{self.version}"

    def standing(self, requirement: Requirement) -> Standing | None:
        """Tell what a requirement is to this profile; None where it is outside."""
        if requirement.id in self.scored:
            return "scored"
        if requirement.id in self.reported:
            return "reported"
        known = requirement.id in self.excluded or requirement.group not in self.topics
        return (
            None
            if known or requirement.binds != "library" or requirement.reach not in REACHED[self.server]
            else "provisional"
        )

    def selects(self, requirements: Iterable[Requirement]) -> bool:
        """Whether a check of these requirements belongs to the profile: a failure must be about nothing outside."""
        return all(self.standing(requirement) is not None for requirement in requirements)

    def counts(self, requirements: Iterable[str]) -> bool:
        """Whether a check of these requirements is scored: a failure must be about nothing that is not."""
        return self.scored.issuperset(requirements)


def parse(data: bytes, name: str) -> Profile:
    """Read the file of a profile; what is wrong with it is a ValueError."""
    try:
        found = msgspec.convert(decoding.toml(decoding.text(data)), Profile)
    except (decoding.Unreadable, msgspec.ValidationError) as error:
        raise ValueError(f"{name} is no profile: {plainly(error)}") from error
    if twice := (found.scored & found.reported) | (found.scored & found.excluded) | (found.reported & found.excluded):
        raise ValueError(f"{name} lists {min(twice)} more than once: leave one of them")
    return msgspec.structs.replace(found, sha256=hashlib.sha256(data).hexdigest())


@cache
def texts() -> Mapping[str, bytes]:
    """Give the files of all profiles that are shipped, by their labels."""
    directory = files(__package__) / "data" / "profiles"
    found = {file.name.removesuffix(".toml"): file.read_bytes() for file in directory.iterdir()}
    return MappingProxyType(dict(sorted(found.items())))


@cache
def profiles() -> Mapping[str, Profile]:
    """Give every version of every profile, by its label."""
    return MappingProxyType({label: parse(data, f"{label}.toml") for label, data in texts().items()})


def newest() -> tuple[Profile, ...]:
    """Give the newest version of each profile, the smallest profile first."""
    last = {one.name: one for one in sorted(profiles().values(), key=lambda one: one.version)}
    return tuple(sorted(last.values(), key=lambda one: len(one.scored)))


def profile(word: str) -> Profile:
    """Find a profile by its name, which means the newest version, or by its label; ValueError where there is none."""
    by_word = {**profiles(), **{one.name: one for one in newest()}}
    if word not in by_word:
        known = ", ".join(one.name for one in newest())
        near = meant(word, by_word, count=1)
        raise ValueError(f"there is no profile {word!r}; {near}; known are {known}, or with a version, such as core-1")
    return by_word[word]
