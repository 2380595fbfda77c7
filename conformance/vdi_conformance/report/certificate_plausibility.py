"""Refuses evidence that no run of the certification can leave, although digests and verdicts follow from it; pure."""

import re
from collections.abc import Container, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from vdi_conformance.contract import Capabilities
from vdi_conformance.evidence.files import Evidence, written
from vdi_conformance.evidence.records import CHARGING, TOOLS, CheckRecord, Header, Observation, Party, Verdict
from vdi_conformance.report.certificate import Found
from vdi_conformance.report.certificate_archive import InvalidCertificate
from vdi_conformance.report.certification import PLUGINS, WORKERS
from vdi_conformance.requirements import Requirement
from vdi_conformance.requirements.profiles import Profile
from vdi_conformance.untrusted import bounds
from vdi_conformance.vdi.hresult import NAMES, failed, name_of
from vdi_conformance.vdi.methods import METHODS

SKEW: Final = timedelta(minutes=10)
"""So far two clocks may be apart, and one clock be set while the runs are made."""
ROUNDING: Final = 5.0
"""Seconds by which durations may not add up."""
DECIDED: Final[tuple[Verdict, ...]] = ("passed", "warning")
"""Verdicts that no check comes to without having called anything."""
JOINING: Final = ("OpenInSecondary", "OpenInSecondaryEx")
_VALUES: Final = {name: value for value, name in NAMES.items()}
_WIN32: Final = re.compile(r"HRESULT_FROM_WIN32\((\d{1,5})\)")
_SHA_256: Final = re.compile("[0-9a-f]{64}")
_HEX: Final = re.compile("0x[0-9A-F]{8}")


class Asked(NamedTuple):
    """What the certificate's own catalogue and profile say, so that it is found at once."""

    profile: Profile
    requirements: Mapping[str, Requirement]
    questions: Container[str]
    permitted: Mapping[tuple[str, str], frozenset[str]]

    @classmethod
    def by(cls, found: Found) -> "Asked":
        """Take it from what was read."""
        requirements = {requirement.id: requirement for requirement in found.catalogue.requirements}
        readings = [(one.id, reading) for one in found.catalogue.questions.values() for reading in one.readings]
        permitted = {(id_, reading.subject): frozenset(reading.permitted) for id_, reading in readings}
        return cls(found.profile, requirements, requirements.keys() | found.catalogue.questions.keys(), permitted)


def check_run(name: str, data: bytes, found: Found, run: Evidence, now: datetime) -> None:
    """Refuse a run that cannot be, by what each of its lines says."""
    if written(run) != data:
        raise InvalidCertificate(f"{name} is not spelled as a run writes it")
    for problem in _of_the_whole(run, now):
        raise InvalidCertificate(f"{name} is of a run that cannot be: {problem}")
    asked = Asked.by(found)
    for check in run.checks:
        for problem in _of_a_check(check, run.header, asked):
            raise InvalidCertificate(f"{name} has a record of {check.id} that no run leaves: {problem}")


def check_order(found: Found) -> None:
    """Refuse runs that were made at the same time: the certification makes one after the other."""
    runs = [*found.runs, *(run for _, run in found.canaries)]
    for earlier, later in pairwise(runs):
        if _ended(earlier) > _started(later.header) + SKEW:
            raise InvalidCertificate("its runs overlap, and `certify` makes one after the other")
    if len({tuple(run.header.tools.items()) for run in runs}) > 1:
        raise InvalidCertificate("its runs were made with different versions of pytest and what belongs to it")


def _of_the_whole(run: Evidence, now: datetime) -> Iterator[str]:
    header, footer = run.header, run.footer
    try:
        begun = _started(header)
    except ValueError:
        yield f"it began at {header.started!r}, which is no time in UTC"
        return
    if not 0 <= footer.duration <= timedelta(days=366).total_seconds():
        yield f"it took {footer.duration:g} s"
    elif begun > now + SKEW or _ended(run) > now + SKEW:
        yield f"it began at {header.started} and took {footer.duration:g} s, and it is {now.isoformat('T', 'seconds')}"
    if any(check.duration < 0 for check in run.checks):
        yield "a check took less than no time"
    elif sum(check.duration for check in run.checks) > WORKERS * (footer.duration + ROUNDING):
        yield f"its checks took longer than {WORKERS} workers had"
    if header.challenge and not bounds.is_challenge(header.challenge):
        yield "its challenge is none that a run takes"
    if tuple(header.tools) != TOOLS or not all(header.tools.values()):
        yield f"its tools are not {', '.join(TOOLS)}"
    if tuple(header.plugins) != PLUGINS:
        yield f"it had the plugins {', '.join(header.plugins) or 'none'}, `certify` loads {', '.join(PLUGINS)} alone"
    yield from _of_the_parties(header)
    if header.machines or any(check.machine for check in run.checks):
        yield "it was spread over machines, and `certify` runs on one"


def _of_the_parties(header: Header) -> Iterator[str]:
    for role, party in (("client", header.client), ("server", header.server)):
        try:
            declared = Capabilities.from_mapping(party.capabilities).to_mapping()
        except ValueError as error:
            yield f"its {role} has an {error}"
            continue
        if declared != party.capabilities:
            yield f"its {role} does not say whether it has every capability"
        yield from _of_the_pins(role, party)
    if header.server.capabilities.get("server") not in ("statement", "scripted"):
        yield "its server has no server role"


def _of_the_pins(role: str, party: Party) -> Iterator[str]:
    """Hold the files that a party is made of against what a run pins."""
    if not party.pins:
        yield f"none of the files of its {role} is pinned"
    if not all(_SHA_256.fullmatch(pin.sha256) for pin in party.pins.values()):
        yield f"its {role} has a file whose digest is no SHA-256"
    if list(party.pins) != sorted(party.pins):
        yield f"the files of its {role} are not in the order of their paths"
    compiled = party.capabilities.get("native_abi") != "none"
    if compiled and not any(pin.kind == "library" for pin in party.pins.values()):
        yield f"its {role} has a compiled library that is not pinned: the adapter must name the path of its file"


def _of_a_check(check: CheckRecord, header: Header, asked: Asked) -> Iterator[str]:
    judged = [asked.requirements[id_] for id_ in check.requirements if id_ in asked.requirements]
    if check.verdict in DECIDED:
        yield from _of_a_decision(check, header, judged)
    if check.verdict == "passed" and (check.calls or check.detail):
        yield "it passed, and tells of a failure"
    yield from _of_the_charge(check, asked)
    yield from _of_the_codes(check)
    yield from _of_levels(check, header, asked.profile, judged)
    for seen in check.observations:
        yield from _of_an_observation(seen, asked)
    if min(check.requests.client, check.requests.statements, check.requests.steps) < 0:
        yield "it called fewer methods than none"


def _of_a_decision(check: CheckRecord, header: Header, judged: list[Requirement]) -> Iterator[str]:
    library = any(requirement.binds == "library" for requirement in judged)
    if not (
        check.requests.client if library else check.requests.client + check.requests.statements + check.requests.steps
    ):
        yield f"it ended as {check.verdict} without any call"
    # Checks that call compiled code by themselves give no codes of the adapter's methods.
    if library and not check.codes and header.client.capabilities.get("native_abi") == "none":
        yield f"it ended as {check.verdict} without any answer of a client method"


def _of_the_charge(check: CheckRecord, asked: Asked) -> Iterator[str]:
    """Hold what it broke against its verdict."""
    broken = [asked.requirements[id_] for id_ in check.broken if id_ in asked.requirements]
    if len(broken) != len(check.broken):
        yield "it broke what is no requirement"
    if bool(check.broken) != (check.verdict in CHARGING):
        yield "what it broke does not go with its verdict"
    if check.verdict == "warning" and any(requirement.level == "MUST" for requirement in broken):
        yield "a MUST was broken, which is a failure"


def _of_the_codes(check: CheckRecord) -> Iterator[str]:
    for method, names in check.codes.items():
        values = [_value(name) for name in names]
        if method not in METHODS:
            yield f"there is no method {method!r}"
        elif not names or None in values or len(set(names)) != len(names):
            yield f"{method} gave what is no list of HRESULTs"
        elif check.verdict == "passed" and any(value and not failed(value) for value in values):
            yield f"it passed, and {method} gave a success other than NOERROR"


def _value(name: str) -> int | None:
    """Give the HRESULT of a name; None where no HRESULT is called so."""
    value = _VALUES.get(name)
    if value is None and (win32 := _WIN32.fullmatch(name)):
        value = 0x80070000 | int(win32[1])
    elif value is None and _HEX.fullmatch(name):
        value = int(name, 16)
    return value if value is not None and value <= 0xFFFFFFFF and name_of(value) == name else None


def _of_levels(check: CheckRecord, header: Header, profile: Profile, judged: list[Requirement]) -> Iterator[str]:
    """Hold what a check did, and what it came to, against the server that there was and what the profile asks for."""
    at_most = {header.server.capabilities.get("server"), profile.server}
    if at_most != {"scripted"}:
        if check.requests.steps:
            yield "it told a server every step, at the level of statements"
        if check.verdict in DECIDED and any(requirement.reach == "scripted" for requirement in judged):
            yield f"it ended as {check.verdict}, at the level of statements"
    if not profile.joining and any(method in check.codes for method in JOINING):
        yield f"a process joined a set, which {profile.name} does not ask for"


def _of_an_observation(seen: Observation, asked: Asked) -> Iterator[str]:
    if seen.question not in asked.questions:
        yield f"it answers {seen.question!r}, which is no open question"
    if seen.permitted and seen.answer not in seen.permitted:
        yield f"the answer to {seen.question} is none of those that it calls permitted"
    # The catalogue has what several checks permit together.
    if not asked.permitted.get((seen.question, seen.subject), frozenset(seen.permitted)).issuperset(seen.permitted):
        yield f"it permits other answers to {seen.question} than the catalogue"


def _started(header: Header) -> datetime:
    """Give when a run began; ValueError where it does not say that in UTC."""
    begun = datetime.fromisoformat(header.started)
    if begun.utcoffset() != timedelta(0) or begun.astimezone(UTC).isoformat(timespec="seconds") != header.started:
        raise ValueError("it is no time in UTC")
    return begun


def _ended(run: Evidence) -> datetime:
    return _started(run.header) + timedelta(seconds=run.footer.duration)
