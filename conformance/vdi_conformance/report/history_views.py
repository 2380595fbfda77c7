"""A history of runs as text, Markdown, a web page or JSON; pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from vdi_conformance.report.comparison import State
from vdi_conformance.report.history import History, HistoryRun, ObservationHistory, RequirementHistory
from vdi_conformance.report.web import rendered
from vdi_conformance.requirements import catalogue
from vdi_conformance.untrusted.printable import code_in_markdown, in_json, in_markdown, shown

LETTERS: Final[Mapping[State, str]] = MappingProxyType(
    {
        "passed": ".",
        "failed": "F",
        "known failure": "K",
        "error": "E",
        "not tested": "N",
        "warning": "W",
        "not applicable": "-",
        "missing": " ",
    }
)
"""How a state is told where there is room for one letter."""
UNOBSERVED: Final = "not observed"


def as_json(history: History) -> str:
    """Give all of it, for programs."""
    return in_json(msgspec.to_builtins(history))


def as_text(history: History) -> str:
    """Give what changed or is not met, a line for each requirement and a letter for each run."""
    lines = [f"{shown(history.adapter)}, {len(history.runs)} runs, the oldest first:"]
    lines += [f"  {number}. {shown(_about(run))}" for number, run in enumerate(history.runs, 1)]
    told = [one for one in history.requirements if one.changed or not one.met]
    if told:
        lines += ["", "Requirements that changed or are not met:"]
        lines += [f"  {shown(one.id):<8} {''.join(LETTERS[state] for state in one.states)}" for one in told]
        lines.append(f"  ({', '.join(f'{letter} {state}' for state, letter in LETTERS.items() if letter.strip())})")
    if history.observations:
        lines += ["", "Open questions that were answered otherwise:"]
        lines += [f"  {shown(f'{one.question} {one.subject}')}: {shown(_answers(one))}" for one in history.observations]
    return "\n".join([*lines, "", _rest(history, told)])


def as_markdown(history: History) -> str:
    """Give what changed or is not met, as a table."""
    told = [one for one in history.requirements if one.changed or not one.met]
    labels = [in_markdown(run.label) for run in history.runs]
    lines = [f"## {in_markdown(history.adapter)}: {len(history.runs)} runs", ""]
    lines += [f"{number}. {in_markdown(_about(run))}" for number, run in enumerate(history.runs, 1)]
    if told:
        lines += ["", *_table(["requirement", *labels], (_cells(one) for one in told))]
    if history.observations:
        lines += ["", "### Open questions that were answered otherwise", ""]
        lines += [
            f"- {code_in_markdown(one.question)} {in_markdown(one.subject)}: {in_markdown(_answers(one))}"
            for one in history.observations
        ]
    return "\n".join([*lines, "", _rest(history, told)])


def as_html(history: History) -> str:
    """Give every requirement, with a column for each run."""
    return rendered(
        "history.html.j2", history=history, catalogue=catalogue(), abouts=[_about(run) for run in history.runs]
    )


FORMATS: Final[Mapping[str, Callable[[History], str]]] = MappingProxyType(
    {"text": as_text, "json": as_json, "markdown": as_markdown, "html": as_html}
)


def _about(run: HistoryRun) -> str:
    counts = ", ".join(f"{number} {verdict}" for verdict, number in run.counts.items() if number)
    return f"{run.label}, {run.started}, suite {run.suite_version}: {counts}"


def _rest(history: History, told: Sequence[RequirementHistory]) -> str:
    same = len(history.requirements) - len(told)
    newest = "The newest run regressed" if history.exit_code else "The newest run did not regress"
    return f"{same} requirements were met in every run that judged them. {newest}."


def _answers(one: ObservationHistory) -> str:
    """Tell the answers of all runs, each once where they follow each other."""
    told = [" and ".join(answers) or UNOBSERVED for answers in one.answers]
    return " -> ".join(answer for before, answer in zip(["", *told], told, strict=False) if answer != before)


def _cells(one: RequirementHistory) -> list[str]:
    return [
        f"{in_markdown(one.id)} {one.level}".rstrip(),
        *("" if state == "missing" else state for state in one.states),
    ]


def _table(head: Sequence[str], lines: Iterator[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for cells in lines:
        yield f"| {' | '.join(cells)} |"
