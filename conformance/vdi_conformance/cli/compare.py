"""`vdi-conformance compare`: what changed between two runs or over many, and an exit code for gates."""

from pathlib import Path
from typing import Annotated

import typer

from vdi_conformance.cli import values
from vdi_conformance.cli.output import to_standard_output
from vdi_conformance.cli.refusal import refusing
from vdi_conformance.evidence.files import NotEvidence, read
from vdi_conformance.report import comparison_views, history_views
from vdi_conformance.report.comparison import NotComparable
from vdi_conformance.report.comparison import compare as compared
from vdi_conformance.report.history import history

FORMATS = tuple(comparison_views.FORMATS)


def compare(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The evidence of the earliest run.")],
    new: Annotated[
        list[Path], typer.Argument(metavar="NEW...", help="That of later ones, in their order; of the newest last.")
    ],
    format: Annotated[str, values.format_of(*FORMATS)] = "text",
) -> int:
    """Show what changed between runs, regressions first.

    More than two runs, the oldest first, are shown as the history of one adapter. The exit code is 0 where nothing
    regressed from the last run but one to the last, 1 where something did, 4 where the runs cannot be compared.
    """
    with refusing(NotEvidence, NotComparable):
        runs = [read(path) for path in (old, *new)]
        if len(runs) == 2:
            comparison = compared(*runs)
            told, code = comparison_views.FORMATS[format](comparison), comparison.exit_code
        else:
            found = history(runs)
            told, code = history_views.FORMATS[format](found), found.exit_code
    to_standard_output(f"{told}\n".encode())
    return code
