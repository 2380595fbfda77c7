"""Baselines: a vendor's own list of known failures, as a TOML file that people edit."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import msgspec

from vdi_conformance.evidence.records import NOT_TESTED, Cause, Culprit, KnownFailure
from vdi_conformance.requirements import catalogue
from vdi_conformance.untrusted import decoding
from vdi_conformance.untrusted.misfits import plainly
from vdi_conformance.untrusted.printable import in_toml, shown

KEY: Final = "known-failure"
_NEEDED: Final = "requirement or check, cause, reason, issue and fault (implementation, adapter or platform)"
Text = Annotated[str, msgspec.Meta(pattern=r"\S")]


class NotABaseline(ValueError):
    """A file that holds no list of known failures; the sentence says where and what to do."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One known failure: of one check, or of every check that judges a requirement and fails for that cause.

    `cause` is what Cause.name gives, or a list of such names; `expires` is the last day on which the entry covers.
    The cause "not tested" says that the check cannot come to a verdict while failures last that are listed besides.
    """

    requirement: Text | None = None
    check: Text | None = None
    cause: Text | Annotated[list[Text], msgspec.Meta(min_length=1)]
    reason: Text
    issue: Text
    fault: Culprit
    expires: date | None = None

    def __post_init__(self) -> None:
        if (self.requirement is None) == (self.check is None):
            raise ValueError("it must name either a requirement or a check")
        if self.check is None and NOT_TESTED in self.causes:
            raise ValueError(f"the cause '{NOT_TESTED}' is listed check by check, not for a requirement")

    @property
    def target(self) -> str:
        """The id of the requirement or check that it names."""
        return self.requirement or self.check or ""

    @property
    def causes(self) -> Sequence[str]:
        """The causes that it covers."""
        return [self.cause] if isinstance(self.cause, str) else self.cause

    @property
    def lists_failures(self) -> bool:
        """Whether it lists failures, and not only that a check could not come to a verdict."""
        return any(cause != NOT_TESTED for cause in self.causes)

    def addresses(self, check: str, requirements: Iterable[str]) -> bool:
        """Whether it speaks of a check of this id, which judges these requirements."""
        return self.check == check or (self.requirement is not None and self.requirement in requirements)

    def fits(self, cause: Cause | None) -> bool:
        """Whether it speaks of this cause."""
        return cause is not None and cause.name in self.causes

    def known(self) -> KnownFailure:
        """Give what the record of a check that it covers carries."""
        return KnownFailure(entry=self.target, reason=self.reason, issue=self.issue, fault=self.fault)


def load(path: Path) -> tuple[Entry, ...]:
    """Read a baseline, or raise NotABaseline with one sentence."""
    try:
        data = decoding.file_bytes(path)
    except decoding.Unreadable as error:
        raise NotABaseline(f"{path} cannot be read ({error}): correct its path") from error
    try:
        return parse(decoding.text(data), str(path))
    except decoding.Unreadable as error:
        raise NotABaseline(f"{path} is not TOML ({error}): save it as UTF-8") from error


def parse(text: str, name: str) -> tuple[Entry, ...]:
    """Take the entries out of the text of a baseline; `name` is what sentences call it."""
    try:
        table = decoding.toml(text)
    except decoding.Unreadable as error:
        raise NotABaseline(f"{name} is not TOML ({error}): correct it") from error
    listed = table.pop(KEY, [])
    if table or not isinstance(listed, list):
        raise NotABaseline(f"{name} holds {', '.join(table) or 'no list'}: a baseline holds [[{KEY}]] entries only")
    return tuple(_entry(number, one, name) for number, one in enumerate(listed, 1))


def _entry(number: int, table: object, name: str) -> Entry:
    try:
        return msgspec.convert(table, Entry)
    except msgspec.ValidationError as error:
        raise NotABaseline(f"{name}: entry {number} is wrong ({plainly(error)}): it needs {_NEEDED}") from error


def digest(entries: Iterable[Entry]) -> str:
    """Give the SHA-256 digest of entries, the same however their file is spelled."""
    return hashlib.sha256(msgspec.json.encode(list(entries))).hexdigest()


def render(entries: Iterable[Entry], adapter: str, requirements: Mapping[str, Sequence[str]]) -> str:
    """Write a baseline: sorted, the same text for the same entries; `requirements` are those that checks judge."""
    lines = [
        f"# Known failures of {shown(adapter)}.",
        "# `vdi-conformance run --baseline` fails when one of them passes, fails for another cause or is not there.",
        "# `vdi-conformance baseline update` writes all comments anew: what is to be kept belongs into `reason`.",
    ]
    told: Sequence[str] = []
    for entry in sorted(entries, key=lambda one: (one.check is not None, one.target, *_pairs(one))):
        judged = [entry.requirement] if entry.requirement else requirements.get(entry.target, [])
        lines += ["", *(_statement(id_) for id_ in judged if judged != told), f"[[{KEY}]]", *_pairs(entry)]
        told = judged
    return "\n".join(lines) + "\n"


def _statement(id_: str) -> str:
    requirement = catalogue().get(id_)
    return f"# {id_} {requirement.level}: {requirement.statement}" if requirement else f"# {shown(id_)}"


def _pairs(entry: Entry) -> Iterator[str]:
    for key, value in msgspec.structs.asdict(entry).items():
        if value is not None:
            yield f"{key} = {_value(value)}"


def _value(value: str | list[str] | date) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return in_toml(value) if isinstance(value, str) else f"[{', '.join(map(in_toml, value))}]"
