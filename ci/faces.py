"""Holds the evidence of one face of an implementation against that of another: `python ci/faces.py FIRST SECOND`.

Both must come to the same verdicts and give the same answers. What may differ is explained: checks that need a
capability which the second face does not declare, and answers about instance names where it has none.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from vdi_conformance.evidence.files import Evidence, read
from vdi_conformance.evidence.records import CheckRecord

WITHOUT: Final = {
    "named_instances": frozenset({"Q9", "Q10", "ABI-28"}),
    "server_under_test": frozenset[str](),
}
"""Capabilities that a face may lack, each with the open questions that are answered otherwise without it."""


class Difference(NamedTuple):
    """What differs, in words, and why that may be; nothing where it may not."""

    what: str
    why: str = ""


def differences(first: Evidence, second: Evidence) -> Iterator[Difference]:
    """Give whatever differs between two whole runs."""
    lacking = [name for name in WITHOUT if _declares(first, name) and not _declares(second, name)]
    theirs = {check.id: check for check in second.checks}
    for name in sorted({check.id for check in first.checks} ^ theirs.keys()):
        yield Difference(f"{name} was in one run alone")
    for check in first.checks:
        other = theirs.get(check.id)
        if other is None:
            continue
        if check.verdict != other.verdict:
            why = next((name for name in lacking if _needs(other, name)), "")
            yield Difference(f"a check {check.verdict} and {other.verdict}" if why else _told(check, other), why)
        else:
            yield from _readings(check, other, lacking)


def _declares(evidence: Evidence, capability: str) -> bool:
    return bool(evidence.header.client.capabilities[capability])


def _needs(check: CheckRecord, capability: str) -> bool:
    """Tell whether a check was not applicable for want of a capability, which its sentence names."""
    sentence = check.cause.sentence if check.cause else ""
    return check.verdict == "not applicable" and capability in sentence.replace(" ", "_")


def _told(check: CheckRecord, other: CheckRecord) -> str:
    sentence = f": {other.cause.sentence}" if other.cause else ""
    return f"{check.id} {check.verdict} and {other.verdict}{sentence}"


def _readings(check: CheckRecord, other: CheckRecord, lacking: Iterable[str]) -> Iterator[Difference]:
    """Give the answers to open questions that one check saw in one run alone."""
    ours, theirs = ({(seen.question, seen.subject): seen.answer for seen in of.observations} for of in (check, other))
    for key in sorted(ours.keys() | theirs.keys()):
        if ours.get(key) != theirs.get(key):
            question, subject = key
            why = next((name for name in lacking if question in WITHOUT[name]), "")
            yield Difference(f"{question}, {subject}: {ours.get(key, 'none')} and {theirs.get(key, 'none')}", why)


def main(paths: list[str]) -> int:
    """Print every difference with its explanation; 1 where one has none."""
    first, second = (read(Path(path)) for path in paths)
    found = Counter(differences(first, second))
    for (what, why), count in found.items():
        times = f"{count} times " if count > 1 else ""
        print(f"{times}{what}: {f'{why} is not declared' if why else 'NOT EXPLAINED'}")
    unexplained = sum(count for difference, count in found.items() if not difference.why)
    verdict = f"{unexplained} differences are not explained" if unexplained else "every difference is explained"
    names = " and ".join(evidence.header.client.reference.partition(":")[0] for evidence in (first, second))
    print(f"{names}: {len(first.checks)} checks, {found.total()} differences; {verdict}.")
    return 1 if unexplained else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
