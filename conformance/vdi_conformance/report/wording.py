"""The words that several reports share: topics, facts of a run, how a check ended, how to run it again."""

from collections.abc import Mapping, Sequence
from functools import cache
from shlex import quote
from types import MappingProxyType
from typing import Final

from vdi_conformance.evidence.records import Call, Cause, CheckRecord, Header, KnownFailure, Party
from vdi_conformance.report.scoring import REQUIRED, untried
from vdi_conformance.requirements import catalogue
from vdi_conformance.vdi import completion, hresult

NO_TOPIC: Final = "without a requirement"
"""Where checks are filed whose test worker died: what they judge is not known."""
PACKAGE: Final = "vdi_conformance"
_UNTOLD: Final = frozenset({"thread", "null_out"})


@cache
def topics() -> Mapping[str, str]:
    """Give the titles of all topics, in their order, by the group of their requirements, such as GBH."""
    rows = catalogue().rows
    titles = {group: next(row.topic for row in rows if row.group == group) for group in catalogue().topics}
    return MappingProxyType(titles)


def topic_of(check: CheckRecord) -> str:
    """Name the topic that a check is filed under: that of the first requirement it judges."""
    if not check.rows:
        return NO_TOPIC
    group = check.rows[0].partition("-")[0]
    return f"{group} {topics().get(group, '')}".strip()


def case_name(id: str) -> tuple[str, str]:
    """Split a check's id as tools that know classes and methods want it."""
    module, _, name = id.partition("/")
    return (f"{PACKAGE}.{module}", name) if module and name else (PACKAGE, id)


def facts(header: Header) -> dict[str, str]:
    """Tell what was run against what, and how, as names and values; what is empty is left out."""
    found = {
        **_party("adapter", header.client),
        **_party("server", header.server),
        "suite": header.suite_version,
        "catalogue": header.catalogue_sha256,
        "platform": header.platform,
        "python": header.python,
        "seed": str(header.seed),
        "timeout-scale": f"{header.timeout_scale:g}",
        "selection": "; ".join(header.selection),
        "started": header.started,
    }
    return {name: value for name, value in found.items() if value}


def _party(role: str, party: Party) -> dict[str, str]:
    return {
        role: f"{party.name} {party.version}".strip(),
        f"{role}.reference": party.reference,
        f"{role}.vendor": party.vendor,
        f"{role}.library": party.library,
    }


def headline(check: CheckRecord) -> str:
    """Say in one line why a check did not pass; a verdict that is no plain failure comes first."""
    sentence = "".join(check.cause.sentence.strip().splitlines()[:1]) if check.cause else ""
    told = [sentence] if check.verdict == "failed" else [check.verdict, sentence]
    return ": ".join(filter(None, told)) or check.verdict


def untried_lines(header: Header, checks: Sequence[CheckRecord]) -> list[str]:
    """Name, level by level, what is required and was tried by no check of the run, with a remedy; mostly nothing."""
    found = untried(catalogue().rows, header, checks)
    lines = []
    for level in REQUIRED:
        if ids := [id for id in found if (row := catalogue().get(id)) and row.level == level]:
            lines.append(f"UNTRIED {level}  {', '.join(ids)}")
    if lines:
        lines.append(
            f"{len(found)} requirements were tried by no check, so they are not tested: name a server that the checks "
            "can use, or the profile that is wanted (--profile), which says what is required"
        )
    return lines


def account(header: Header, check: CheckRecord) -> str:
    """Tell in full how a check ended: what is required, what was seen, and how to run it again."""
    lines = [f"{row.id} {row.level}: {row.statement}" for id in check.rows if (row := catalogue().get(id))]
    if check.cause:
        lines.append(check.cause.sentence)
        if check.cause.observed:
            lines.append(expectation(check.cause))
    if check.known:
        lines.append(known_line(check.known))
    if check.detail:
        lines.append(check.detail)
    if check.calls:
        lines += ["last calls of every process:", *map(call_line, check.calls)]
    if check.rows:
        lines.append(f"again: {rerun(header, check)}")
    return "\n".join(lines)


def expectation(cause: Cause) -> str:
    """Set what was expected beside what was observed."""
    return f"expected {' or '.join(cause.expected)}, observed {cause.observed}"


def known_line(known: KnownFailure) -> str:
    """Tell what the baseline says of a known failure."""
    return f"known failure: {known.reason} ({known.issue}; fault of the {known.fault})"


def call_line(call: Call) -> str:
    """Tell one call and its answer in one line."""
    told = ((key, value) for key, value in call.params.items() if key not in _UNTOLD and value is not None)
    params = ", ".join(f"{key}={_shown(key, value)}" for key, value in told)
    return f"{call.number:>7} {call.process:<12} {call.method}({params}) -> {_answer(call)}"


def _answer(call: Call) -> str:
    match call.answer:
        case None:
            return "no answer"
        case str(sentence):
            return sentence.partition("\n")[0]
        case answer:
            return ", ".join(f"{key}={_shown(key, value)}" for key, value in answer.items()) or "done"


def _shown(key: str, value: object) -> str:
    if key == "code" and isinstance(value, int) and (value == 0 or value & 0x80000000):
        return hresult.name_of(value)
    if key == "completion_code" and isinstance(value, int):
        return completion.name_of(value)
    if isinstance(value, dict):
        told = (f"{name}={_shown(name, one)}" for name, one in value.items() if one not in (0, "0x0", None))
        return f"({' '.join(told)})"
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def rerun(header: Header, check: CheckRecord) -> str:
    """Give the command that runs one check again as it was run."""
    parts = ["vdi-conformance", "run", "--adapter", header.client.reference]
    own = header.client.capabilities.get("server", "none") != "none"
    if header.server.reference != (header.client.reference if own else "emulator"):
        parts += ["--server", header.server.reference]
    if header.seed:
        parts += ["--seed", str(header.seed)]
    if header.timeout_scale != 1:
        parts += ["--timeout-scale", f"{header.timeout_scale:g}"]
    return " ".join(quote(part) for part in [*parts, "--check", check.id])
