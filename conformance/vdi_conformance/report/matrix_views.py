"""A matrix of platforms as text, Markdown, a web page or JSON: what differs comes first; pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from vdi_conformance.report.history_views import LETTERS, UNOBSERVED
from vdi_conformance.report.matrix import Line, Matrix, Platform
from vdi_conformance.report.web import rendered
from vdi_conformance.requirements import catalogue
from vdi_conformance.untrusted.printable import in_json, in_markdown, shown


def as_json(found: Matrix) -> str:
    """Give all of it, for programs."""
    return in_json(msgspec.to_builtins(found))


def as_text(found: Matrix) -> str:
    """Give what differs or is not met, a line for each requirement or check and a letter for each platform."""
    lines = [f"{shown(found.adapter)} on {len(found.platforms)} platforms:"]
    lines += [f"  {number}. {shown(_about(one))}" for number, one in enumerate(found.platforms, 1)]
    for title, told in _sections(found):
        lines += ["", f"{title}:"]
        lines += [f"  {''.join(LETTERS[state] for state in one.states)}  {shown(one.id)}" for one in told]
    if any(True for _ in _sections(found)):
        lines.append(f"  ({', '.join(f'{letter} {state}' for state, letter in LETTERS.items() if letter.strip())})")
    if found.observations:
        lines += ["", "Open questions that platforms answer otherwise:"]
        for one in found.observations:
            answers = "; ".join(_answers(one.answers))
            lines.append(f"  {shown(f'{one.question} {one.subject}')}: {shown(answers)}")
    return "\n".join([*lines, "", conclusion(found)])


def as_markdown(found: Matrix) -> str:
    """Give what differs or is not met, as tables."""
    names = [in_markdown(one.name) for one in found.platforms]
    lines = [f"## {in_markdown(found.adapter)} on {len(found.platforms)} platforms", "", conclusion(found), ""]
    lines += [f"{number}. {in_markdown(_about(one))}" for number, one in enumerate(found.platforms, 1)]
    for title, told in _sections(found):
        cells = ([in_markdown(one.id), *map(_cell, one.states)] for one in told)
        lines += ["", f"### {title}", "", *_table(["", *names], cells)]
    if found.observations:
        answers = (
            [in_markdown(f"{one.question} {one.subject}"), *map(in_markdown, _answers(one.answers))]
            for one in found.observations
        )
        lines += ["", "### Open questions that platforms answer otherwise", "", *_table(["", *names], answers)]
    return "\n".join(lines)


def as_html(found: Matrix) -> str:
    """Give every requirement, with a column for each platform."""
    return rendered(
        "matrix.html.j2",
        matrix=found,
        catalogue=catalogue(),
        abouts=[_about(one) for one in found.platforms],
        conclusion=conclusion(found),
    )


FORMATS: Final[Mapping[str, Callable[[Matrix], str]]] = MappingProxyType(
    {"text": as_text, "json": as_json, "markdown": as_markdown, "html": as_html}
)


def conclusion(found: Matrix) -> str:
    """Say in one sentence how far the platforms agree."""
    differing = sum(one.differs for one in found.requirements)
    unmet = sum(not one.differs and not one.met for one in found.requirements)
    return (
        f"Of {len(found.requirements)} requirements {differing} differ between platforms, {unmet} are alike on all and "
        f"not met; {len(found.checks)} checks and {len(found.observations)} answers to open questions differ."
    )


def _sections(found: Matrix) -> Iterator[tuple[str, Sequence[Line]]]:
    differing = [one for one in found.requirements if one.differs]
    unmet = [one for one in found.requirements if not one.differs and not one.met]
    for title, told in (
        ("Requirements that differ between platforms", differing),
        ("Checks that differ between platforms", found.checks),
        ("Requirements that are not met on any", unmet),
    ):
        if told:
            yield title, told


def _about(one: Platform) -> str:
    counts = ", ".join(f"{number} {verdict}" for verdict, number in one.counts.items() if number)
    where = f"{one.name} ({one.platform}, Python {one.python})"
    return f"{where}, version {one.version}: {counts}; exit code {one.exit_code}"


def _cell(state: str) -> str:
    return "" if state == "missing" else state


def _answers(answers: Sequence[Sequence[str]]) -> list[str]:
    return [" and ".join(one) or UNOBSERVED for one in answers]


def _table(head: Sequence[str], lines: Iterator[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for cells in lines:
        yield f"| {' | '.join(cells)} |"
