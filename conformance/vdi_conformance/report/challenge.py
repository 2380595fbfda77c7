"""What a vendor sends to dispute a requirement: the form, the requirement, and the record of its checks; pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from vdi_conformance.evidence.files import Evidence, written
from vdi_conformance.evidence.records import CheckRecord
from vdi_conformance.judgement.footers import footer
from vdi_conformance.report.calls import call_line
from vdi_conformance.report.causes import by_cause
from vdi_conformance.report.lanes.shortening import told_calls
from vdi_conformance.report.wording import facts, rerun
from vdi_conformance.requirements import Requirement, catalogue
from vdi_conformance.untrusted.printable import fence_around, in_json, in_markdown, shown_lines

FORM: Final = "challenge.md"
REQUIREMENT: Final = "requirement.json"
EVIDENCE: Final = "evidence.jsonl"
UNMET: Final = ("failed", "warning", "error", "not tested")


def about(run: Evidence, requirement: str) -> Evidence:
    """Give the part of a run that is about a requirement: the checks that judge it or broke it."""
    checks = tuple(one for one in run.checks if requirement in one.requirements or requirement in one.broken)
    selection = [*run.header.selection, f"challenge {requirement}"]
    header = msgspec.structs.replace(run.header, selection=selection, shard=None, profile=None)
    return Evidence(header, checks, footer(header, checks, None, duration=run.footer.duration))


def challenge(requirement: Requirement, entry: Mapping[str, Any], run: Evidence) -> dict[str, bytes]:
    """Make the files; `entry` is the requirement as `requirements --format json` lays it out, `run` its part of a run.

    Neither may hold names any more that nobody else is to read.
    """
    return {
        FORM: _form(requirement, run).encode("utf-8", "replace"),
        REQUIREMENT: in_json(dict(entry)).encode(),
        EVIDENCE: written(run),
    }


def _form(requirement: Requirement, run: Evidence) -> str:
    known = catalogue()
    return _template().render(
        requirement=requirement,
        questions=[(id_, known.questions[id_].text) for id_ in requirement.questions],
        sources=known.sources_of(requirement),
        facts=facts(run.header),
        counts=Counter(check.verdict for check in run.checks),
        causes=by_cause(one for one in run.checks if one.verdict in UNMET),
        again=lambda check: rerun(run.header, check),
        evidence=EVIDENCE,
        about_requirement=REQUIREMENT,
    )


def _calls(check: CheckRecord) -> str:
    return _fenced([call_line(call) for call in told_calls(check)])


def _fenced(lines: Sequence[str]) -> str:
    """Give lines as a block of code, whatever they hold."""
    text = shown_lines("\n".join(lines))
    fence = fence_around(text, 3)
    return f"{fence}\n{text}\n{fence}"


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("vdi_conformance.report"),
        autoescape=False,  # noqa: S701, what is made is Markdown, and every text passes a filter
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"plain": in_markdown, "calls": _calls, "fenced": lambda text: _fenced([text])}
    return environment.get_template("challenge.md.j2")
