"""Puts the evidence of all shards of a run together; what does not belong together is refused; pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import CheckRecord, Header, Shard
from vdi_conformance.evidence.shards import belongs, whole
from vdi_conformance.untrusted.bounds import MOST_SHARDS

OWN: Final = ("shard", "started")
"""What the headers of shards have each for itself."""
_KERNEL: Final = re.compile(r"^Linux-\d[\d.]*(?:-\d+)?")


class NotMergeable(ValueError):
    """Files that are not all the shards of one run, each once; the sentence says which and what to do."""


class Named(NamedTuple):
    """The evidence of one shard, and what sentences call it."""

    name: str
    evidence: Evidence


class Merged(NamedTuple):
    """A whole run but for its last line; `duration` is from the first start to the last end, in seconds."""

    header: Header
    checks: tuple[CheckRecord, ...]
    duration: float


class _Part(NamedTuple):
    """A file that says that it is a shard."""

    name: str
    shard: Shard
    evidence: Evidence
    started: datetime
    ended: datetime


def merged(given: Iterable[Named]) -> Merged:
    """Put shards together, or raise NotMergeable.

    They are all there, each once, of one run, and hold each check once, which together are those that the whole run
    has. Their selection, but for the shard, is that of the whole.
    """
    parts = sorted((_part(one) for one in given), key=lambda part: part.shard.number)
    if not parts:
        raise NotMergeable("there is no evidence: name the files of all shards")
    _need_one_run(parts)
    _need_each_once(parts)
    for part in parts:
        _need_its_checks(part)
    _need_whole(parts)
    first = min(parts, key=lambda part: part.started)
    header = _common(first.evidence.header, first.shard)
    duration = max(part.ended for part in parts) - first.started
    return Merged(header, tuple(check for part in parts for check in part.evidence.checks), duration.total_seconds())


def _part(given: Named) -> _Part:
    shard = given.evidence.header.shard
    if shard is None:
        raise NotMergeable(f"{given.name} is of no shard: it is a run of its own")
    if not 1 <= shard.number <= shard.of <= MOST_SHARDS:
        raise NotMergeable(f"{given.name} is of shard {shard.label}, which no run has: run it again")
    return _Part(given.name, shard, given.evidence, *_span(given))


def _span(given: Named) -> tuple[datetime, datetime]:
    """Give when it began and when it ended."""
    try:
        started = datetime.fromisoformat(given.evidence.header.started).astimezone(UTC)
        return started, started + timedelta(seconds=given.evidence.footer.duration)
    except (ValueError, OverflowError) as error:
        raise NotMergeable(f"{given.name} does not say when it began and ended: run that shard again") from error


def _common(header: Header, shard: Shard) -> Header:
    """Give what all shards of a run have in common."""
    selection = [said for said in header.selection if said != f"shard {shard.label}"]
    return msgspec.structs.replace(header, shard=None, selection=selection)


def _need_one_run(parts: Sequence[_Part]) -> None:
    first, *others = parts
    own = _compared(first)
    for other in others:
        if (found := first_difference(own, _compared(other))) is not None:
            name, here, there = found
            raise NotMergeable(
                f"{first.name} and {other.name} are not of one run: their {name} differs ({here} and {there})"
            )


def _compared(part: _Part) -> dict[str, Any]:
    """Lay out all in which the shards of a run agree."""
    header = _common(part.evidence.header, part.shard)
    told = msgspec.structs.asdict(header) | {"platform": image(header.platform)}
    plain = {name: value for name, value in msgspec.to_builtins(told).items() if name not in OWN}
    return {"number of shards": part.shard.of, **dict(laid_out(plain))}


def image(platform: str) -> str:
    """Give a platform without what differs between machines that run one image: the release of the kernel of Linux."""
    return _KERNEL.sub("Linux", platform)


def laid_out(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Give each single value by the names that lead to it, such as client.version."""
    for name, one in value.items():
        if isinstance(one, dict):
            yield from laid_out(one, f"{above}{name}.")
        else:
            yield f"{above}{name}", one


def first_difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
    """Give the first name under which two have other values, with both; what one lacks counts as "nothing"."""
    for name in dict.fromkeys((*one, *other)):
        here, there = one.get(name, "nothing"), other.get(name, "nothing")
        if here != there:
            return name, here, there
    return None


def _need_each_once(parts: Sequence[_Part]) -> None:
    names: dict[int, str] = {}
    for part in parts:
        if (other := names.setdefault(part.shard.number, part.name)) is not part.name:
            raise NotMergeable(f"{other} and {part.name} are both of shard {part.shard.label}: leave one of them")
    of = parts[0].shard.of
    if missing := [f"{number}/{of}" for number in range(1, of + 1) if number not in names]:
        raise NotMergeable(f"shard {', '.join(missing)} is missing: name the evidence of all {of}")


def _need_its_checks(part: _Part) -> None:
    footer = part.evidence.footer
    if footer.narrowed:
        raise NotMergeable(f"{part.name} has not all of its shard ({'; '.join(footer.narrowed)}): run it again")
    for check in part.evidence.checks:
        if not belongs(check.id, part.shard):
            raise NotMergeable(f"{part.name} has the check {check.id}, which is of another shard: run it again")


def _need_whole(parts: Sequence[_Part]) -> None:
    """Hold all checks against what each shard says that the whole run has."""
    seen = [check.id for part in parts for check in part.evidence.checks]
    for part in parts:
        if (said := part.evidence.footer.whole) is None:
            raise NotMergeable(f"{part.name} does not say what the whole run has: run that shard again")
        seen += said.left_out
    found = whole(seen)
    for part in parts:
        said = part.evidence.footer.whole
        if said is not None and (said.checks, said.sha256) != (found.checks, found.sha256):
            raise NotMergeable(
                f"the shards hold {found.checks} checks, which are not the {said.checks} that the whole run has by "
                f"{part.name}: run every shard again with the same options"
            )
