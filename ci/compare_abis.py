"""Holds the evidence of one ABI against that of another: `python ci/compare_abis.py [--part] FIRST SECOND`.

With `--part` the second run is of a part of the checks, and the others of the first one are left out.

Both must come to the same verdicts and give the same answers. What may differ is explained: by a capability that they
do not share, by their platforms, by who sends the commands, or by what their processes are.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from vdi_conformance.evidence.files import Evidence, NotEvidence, read
from vdi_conformance.evidence.records import CheckRecord

PART: Final = "--part"
PLATFORM: Final = "the platform"
SERVER_ROLE: Final = "server_role"
"""The level at which the server that sends the commands can be told what to do."""
_CAUSES: Final = {
    "addresses of this process have no more than 32 bits": "the width of a process",
    # Hosts of ours have read their files before they change their account.
    "where the host program lies": "the place of a host program",
    # The other run was of no profile.
    "does not ask for": "what the profile asks for",
    # A prefix of Wine lets in nobody but its owner.
    "the adapter cannot be started by user": "the accounts that can start it",
}
"""What sentences of checks that are not applicable say of a process, and not of its adapter."""


class Touched(NamedTuple):
    """What else a difference in a capability changes: answers to open questions, and requirements."""

    questions: frozenset[str] = frozenset()
    requirements: frozenset[str] = frozenset()


# Who has no instances but the usual one refuses others, or has all there can be without saying so.
_INSTANCES: Final = Touched(frozenset({"Q9", "Q10", "ABI-28"}), frozenset({"NAM-04"}))
TOUCHED: Final = {
    "named_instances": _INSTANCES,
    # The library for Linux has no names of instances at all.
    "native_abi": _INSTANCES,
    "server_under_test": Touched(),
    # Names of files there have slashes of two kinds.
    PLATFORM: Touched(frozenset({"Q11"})),
    # The directory of a SQL Server is closed to other accounts, so that what these are answered is seen.
    SERVER_ROLE: Touched(frozenset({"Q56", "ABI-28"})),
}


class Difference(NamedTuple):
    """What differs, in words, and why that may be; nothing where it may not."""

    what: str
    why: str = ""


def differences(first: Evidence, second: Evidence) -> Iterator[Difference]:
    """Give whatever differs between two whole runs."""
    causes = [name for name in TOUCHED if _trait(first, name) != _trait(second, name)]
    theirs = {check.id: check for check in second.checks}
    for name in sorted({check.id for check in first.checks} ^ theirs.keys()):
        yield Difference(f"{name} was in one run alone")
    for check in first.checks:
        other = theirs.get(check.id)
        if other is None:
            continue
        if check.verdict != other.verdict:
            why = next((name for name in causes if _depend((check, other), name)), "") or _cause(check, other)
            yield Difference(f"a check {check.verdict} and {other.verdict}" if why else _told(check, other), why)
        else:
            yield from _readings(check, other, causes)


def _trait(evidence: Evidence, name: str) -> object:
    if name == PLATFORM:
        return evidence.header.platform.partition("-")[0]
    if name == SERVER_ROLE:
        return evidence.header.server.capabilities.get("server")
    return evidence.header.client.capabilities[name]


def _depend(checks: tuple[CheckRecord, CheckRecord], cause: str) -> bool:
    """Tell whether one was not applicable for want of a capability, or both are about what that touches."""
    needed = any(cause in sentence.replace(" ", "_") for sentence in _sentences(checks))
    warned = "failed" not in (one.verdict for one in checks)
    return needed or (warned and TOUCHED[cause].requirements.issuperset(checks[0].requirements))


def _cause(*checks: CheckRecord) -> str:
    """Give what a process lacks of itself, where that is why one was not applicable."""
    told = " ".join(_sentences(checks))
    return next((cause for words, cause in _CAUSES.items() if words in told), "")


def _sentences(checks: tuple[CheckRecord, ...]) -> list[str]:
    """Give the sentences of those that were not applicable."""
    return [one.cause.sentence for one in checks if one.verdict == "not applicable" and one.cause]


def _told(check: CheckRecord, other: CheckRecord) -> str:
    sentence = f": {other.cause.sentence}" if other.cause else ""
    return f"{check.id} {check.verdict} and {other.verdict}{sentence}"


def _readings(check: CheckRecord, other: CheckRecord, causes: Iterable[str]) -> Iterator[Difference]:
    """Give the answers to open questions that one check saw in one run alone."""
    ours, theirs = ({(seen.question, seen.subject): seen.answer for seen in of.observations} for of in (check, other))
    for key in sorted(ours.keys() | theirs.keys()):
        if ours.get(key) != theirs.get(key):
            question, subject = key
            why = next((name for name in causes if question in TOUCHED[name].questions), "")
            yield Difference(f"{question}, {subject}: {ours.get(key, 'none')} and {theirs.get(key, 'none')}", why)


def main(paths: list[str]) -> int:
    """Print every difference with its explanation; 1 where one has none, 4 where there is no evidence."""
    try:
        first, second = (read(Path(path)) for path in paths if path != PART)
    except NotEvidence as error:
        print(error)
        return 4
    if PART in paths:
        tried = {check.id for check in second.checks}
        first = replace(first, checks=tuple(check for check in first.checks if check.id in tried))
    found = Counter(differences(first, second))
    for (what, why), count in found.items():
        times = f"{count} times " if count > 1 else ""
        print(f"{times}{what}: {f'since {why} differs' if why else 'NOT EXPLAINED'}")
    unexplained = sum(count for difference, count in found.items() if not difference.why)
    verdict = f"{unexplained} of them not explained" if unexplained else "each of them explained"
    names = " and ".join(evidence.header.client.reference.partition(":")[0] for evidence in (first, second))
    print(f"{names}: {len(first.checks)} checks, differences: {found.total()}, {verdict}.")
    return 1 if unexplained else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
