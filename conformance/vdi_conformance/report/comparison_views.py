"""A comparison of two runs as text, Markdown, a web page or JSON: regressions first; pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from vdi_conformance.counting import counted
from vdi_conformance.report.comparison import CheckChange, Comparison, ObservationChange, RequirementChange, Side
from vdi_conformance.report.web import rendered
from vdi_conformance.requirements import catalogue
from vdi_conformance.untrusted.printable import code_in_markdown, in_json, in_markdown, shown

SENTENCE: Final = 5000
"""So many characters of a sentence are told; names and values have less."""


class CodeChange(str):
    """A part of a line that is a name: an id, a verdict, a value."""

    __slots__ = ()


Line = Sequence[str]


@dataclass(frozen=True)
class Section:
    """A title, and items of one line or more."""

    title: str
    items: Sequence[Sequence[Line]]


def as_json(comparison: Comparison) -> str:
    """Give all of it, for programs."""
    return in_json(msgspec.to_builtins(comparison))


def as_text(comparison: Comparison) -> str:
    """Give what changed, for a terminal or a log."""
    lines = []
    for section in _sections(comparison):
        lines.append(f"{section.title}:")
        for head, *details in section.items:
            lines.append(f"  {_plain(head)}")
            lines += [f"      {_plain(detail)}" for detail in details]
        lines.append("")
    return "\n".join([*lines, conclusion(comparison)])


def as_markdown(comparison: Comparison) -> str:
    """Give what changed, for a comment."""
    lines = [conclusion(comparison)]
    for section in _sections(comparison):
        lines += ["", f"### {section.title}", ""]
        for head, *details in section.items:
            lines.append(f"- {_marked(head)}")
            lines += [f"  - {_marked(detail)}" for detail in details]
    return "\n".join(lines)


def as_html(comparison: Comparison) -> str:
    """Give what changed as a web page, which needs nothing beside it."""
    sections = [
        (section.title, [[_drawn(line) for line in lines] for lines in section.items])
        for section in _sections(comparison)
    ]
    return rendered("comparison.html.j2", comparison=comparison, conclusion=conclusion(comparison), sections=sections)


FORMATS: Final[dict[str, Callable[[Comparison], str]]] = {
    "text": as_text,
    "json": as_json,
    "markdown": as_markdown,
    "html": as_html,
}


def conclusion(comparison: Comparison) -> str:
    """Say in one sentence whether anything regressed."""
    regressed = len(comparison.regressions), len(comparison.regressed_requirements)
    fixed = len(comparison.fixed), len(comparison.fixed_requirements)
    return (
        f"{counted(regressed[1], 'requirement')} and {counted(regressed[0], 'check')} regressed, "
        f"{counted(fixed[1], 'requirement')} and {counted(fixed[0], 'check')} fixed, "
        f"{counted(len(comparison.observations), 'observation')} changed, "
        f"{counted(comparison.unchanged, 'check')} unchanged."
    )


def _sections(comparison: Comparison) -> Iterator[Section]:
    named: dict[str, Sequence[Sequence[Line]]] = {
        "Requirements that regressed": [*map(_requirement, comparison.regressed_requirements)],
        "Checks that regressed": [*map(_check, comparison.regressions)],
        "Requirements that were fixed": [*map(_requirement, comparison.fixed_requirements)],
        "Checks that were fixed": [*map(_check, comparison.fixed)],
        "Checks with another verdict": [*map(_check, comparison.other_verdicts)],
        "Checks that still fail, for another cause": [*map(_check, comparison.other_causes)],
        "New checks": [*map(_check, comparison.new)],
        "Removed checks": [*map(_check, comparison.removed)],
        "Requirements judged for the first time": [[_named(id_)] for id_ in comparison.new_requirements],
        "Requirements no longer judged": [[_named(id_)] for id_ in comparison.removed_requirements],
        "Open questions that were answered otherwise": [*map(_observation, comparison.observations)],
        "What else differs between the runs": [
            [[CodeChange(one.name), ": ", CodeChange(_value(one.old)), " -> ", CodeChange(_value(one.new))]]
            for one in comparison.settings
        ],
    }
    return (Section(title, items) for title, items in named.items() if items)


def _requirement(change: RequirementChange) -> Sequence[Line]:
    return [[*_named(change.id), " ", CodeChange(change.old), " -> ", CodeChange(change.new)], *_statement(change.id)]


def _named(id_: str) -> Line:
    requirement = catalogue().get(id_)
    return [CodeChange(id_), f" {requirement.level}" if requirement else ""]


def _statement(id_: str) -> Iterator[Line]:
    if requirement := catalogue().get(id_):
        yield [requirement.statement]


def _check(change: CheckChange) -> Sequence[Line]:
    head = [
        CodeChange(change.id),
        f" ({', '.join(change.requirements)}) ",
        CodeChange(change.old.state),
        " -> ",
        CodeChange(change.new.state),
    ]
    told = ((word, side) for word, side in (("was", change.old), ("is", change.new)) if side.sentence)
    return [head, *([f"{word} ", *_cause(side)] for word, side in told)]


def _cause(side: Side) -> Line:
    first_line, _, _ = side.sentence.partition("\n")
    return [CodeChange(side.cause or ""), f": {first_line}"]


def _observation(change: ObservationChange) -> Sequence[Line]:
    old, new = (" or ".join(answers) or "not observed" for answers in (change.old, change.new))
    return [[CodeChange(change.question), f" {change.subject}: ", CodeChange(old), " -> ", CodeChange(new)]]


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) and value else msgspec.json.encode(value).decode()


def _plain(line: Line) -> str:
    return shown("".join(line), SENTENCE)


def _drawn(line: Line) -> list[tuple[bool, str]]:
    """Give the parts of a line, with whether each is a name."""
    return [(isinstance(part, CodeChange), str(part)) for part in line]


def _marked(line: Line) -> str:
    return "".join(
        code_in_markdown(part) if isinstance(part, CodeChange) else in_markdown(part, SENTENCE) for part in line
    )
