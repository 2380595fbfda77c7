"""The words that several reports share: topics, facts of a run, how a check ended, how to run it again."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from shlex import quote
from types import MappingProxyType
from typing import Final

from vdi_conformance import crash_points
from vdi_conformance.evidence.records import APPLICATION, Cause, CheckRecord, Header, KnownFailure, Party
from vdi_conformance.judgement.charges import concerned
from vdi_conformance.judgement.scoring import REQUIRED, untested
from vdi_conformance.report.calls import call_lines
from vdi_conformance.report.lanes.shortening import told_calls
from vdi_conformance.requirements import catalogue
from vdi_conformance.untrusted.printable import shown, shown_lines

NO_TOPIC: Final = "without a requirement"
"""Where checks are filed whose test worker died: what they judge is not known."""
PACKAGE: Final = "vdi_conformance"
SELECTING: Final = ("profile", "topic", "requirement", "check", "endurance")
"""The words of a selection that are options of `run`."""
JUDGE: Final = ("vdi-conformance", "emulator", "--judge", "EVIDENCE")
"""The command under which a client application is judged again, whatever it then does."""
ACCOUNT: Final = 100_000
COMMAND: Final = 10_000
"""So many characters have the account of a check, and the command that runs it again, at the most."""


@cache
def topics() -> Mapping[str, str]:
    """Give the titles of all topics, in their order, by the group of their requirements, such as GBH."""
    requirements = catalogue().requirements
    titles = {
        group: next(requirement.topic for requirement in requirements if requirement.group == group)
        for group in catalogue().topics
    }
    return MappingProxyType(titles)


def group_of(check: CheckRecord) -> str:
    """Name the group that a check is filed under in every report, and counted in: that of its first requirement."""
    return check.requirements[0].partition("-")[0] if check.requirements else ""


def topic(group: str) -> str:
    """Give a group with its title; the empty one stands for checks of which nobody knows what they judge."""
    return f"{group} {topics().get(group, '')}".strip() or NO_TOPIC


def topic_of(check: CheckRecord) -> str:
    """Name the topic that a check is filed under."""
    return topic(group_of(check))


def numbered(names: Sequence[str]) -> Iterator[str]:
    """Number those that are alike, so that each can be told from all others."""
    many, so_far = Counter(names), Counter[str]()
    for name in names:
        so_far[name] += 1
        yield f"{name} #{so_far[name]}" if many[name] > 1 else name


def case_name(id: str) -> tuple[str, str]:
    """Split a check's id as tools that know classes and methods want it."""
    module, _, name = id.partition("/")
    return (f"{PACKAGE}.{module}", name) if module and name else (PACKAGE, id)


def facts(header: Header) -> dict[str, str]:
    """Tell what was run against what, and how, as names and values; what is empty is left out."""
    found = {
        **_party("adapter", header.client),
        **_party("server", header.server),
        "server.behind": header.server.server_version,
        "suite": header.suite_version,
        "catalogue": header.catalogue_sha256,
        "platform": header.platform,
        "python": header.python,
        "machines": ", ".join(machine.name for machine in header.machines),
        "seed": str(header.seed),
        "timeout-scale": f"{header.timeout_scale:g}",
        "selection": "; ".join(header.selection),
        "challenge": header.challenge,
        "started": header.started,
    }
    return {name: shown(value) for name, value in found.items() if value}


def _party(role: str, party: Party) -> dict[str, str]:
    return {
        role: f"{party.name} {party.version}".strip(),
        f"{role}.reference": party.reference,
        f"{role}.vendor": party.vendor,
        f"{role}.library": party.library,
        f"{role}.sha256": ", ".join(party.core.values()),
    }


def headline(check: CheckRecord) -> str:
    """Say in one line why a check did not pass; a verdict that is no plain failure comes first."""
    sentence = "".join(check.cause.sentence.strip().splitlines()[:1]) if check.cause else ""
    told = [sentence] if check.verdict == "failed" else [check.verdict, sentence]
    return shown(": ".join(filter(None, told)) or check.verdict)


def untested_lines(header: Header, checks: Sequence[CheckRecord]) -> list[str]:
    """Name, level by level, what is required and was tried by no check of the run, with a remedy; mostly nothing."""
    found = untested(catalogue().requirements, header, checks)
    lines = []
    for level in REQUIRED:
        if ids := [id for id in found if (requirement := catalogue().get(id)) and requirement.level == level]:
            lines.append(f"UNTRIED {level}  {', '.join(ids)}")
    if lines:
        what = f"{len(found)} requirements were" if len(found) > 1 else "1 requirement was"
        lines.append(
            f"{what} tried by no check, and so not tested: name a server that the checks can use, or the profile that "
            "is wanted (--profile), which says what is required"
        )
    return lines


def account(header: Header, check: CheckRecord) -> str:
    """Tell in full how a check ended: what is required, what was seen, and how to run it again."""
    lines = [
        f"{requirement.id} {requirement.level}: {requirement.statement}"
        for id in concerned(check)
        if (requirement := catalogue().get(id))
    ]
    if check.about:
        lines.append(check.about)
    if check.cause:
        lines.append(check.cause.sentence)
        if check.cause.observed:
            lines.append(expectation(check.cause))
    if check.machine:
        lines.append(f"on {check.machine}")
    if check.known:
        lines.append(known_line(check.known))
    if check.detail:
        lines.append(check.detail)
    if check.calls:
        lines += ["calls:", *call_lines(told_calls(check), check.unexpected)]
    if check.requirements:
        lines.append(f"again: {rerun(header, check)}")
    return shown_lines("\n".join(lines), ACCOUNT)


def expectation(cause: Cause) -> str:
    """Set what was expected beside what was observed."""
    return shown(f"expected {' or '.join(cause.expected)}, observed {cause.observed}")


def known_line(known: KnownFailure) -> str:
    """Tell what the baseline says of a known failure."""
    return shown(f"known failure: {known.reason} ({known.issue}; fault of the {known.fault})")


def rerun(header: Header, check: CheckRecord) -> str:
    """Give the command that runs one check again as it was run."""
    if header.client.reference == APPLICATION:
        return _command(JUDGE)
    return _command([*_run(header), "--check", check.id])


def program(check: CheckRecord) -> str:
    """Give the command that makes a program of a failed check."""
    return _command(["vdi-conformance", "reproduce", "EVIDENCE", "--check", check.id])


def rerun_all(header: Header) -> str:
    """Give the command that makes the run again; what else was selected is told by the header's `selection`."""
    if header.client.reference == APPLICATION:
        return _command(JUDGE)
    parts = _run(header)
    parts += ["--crash-points"] if crash_points.SELECTION in header.selection else []
    for selected in header.selection:
        word, _, value = selected.partition(" ")
        if word in SELECTING:
            parts += [f"--{word}", value]
    return _command(parts)


def _run(header: Header) -> list[str]:
    parts = ["vdi-conformance", "run", "--adapter", header.client.reference]
    own = header.client.capabilities.get("server", "none") != "none"
    if header.server.reference != (header.client.reference if own else "emulator"):
        parts += ["--server", header.server.reference]
    if header.seed:
        parts += ["--seed", str(header.seed)]
    if header.timeout_scale != 1:
        parts += ["--timeout-scale", f"{header.timeout_scale:g}"]
    return parts


def _command(parts: Sequence[str]) -> str:
    return shown(" ".join(map(quote, parts)), COMMAND)
