"""`vdi-conformance compare`: what changed between two runs, and an exit code for gates."""

from pathlib import Path
from typing import Annotated

import typer

from vdi_conformance.cli import values
from vdi_conformance.cli.refusal import UsageRefusal, unknown
from vdi_conformance.evidence.files import NotEvidence, read
from vdi_conformance.report.comparison import NotComparable
from vdi_conformance.report.comparison import compare as compared
from vdi_conformance.report.comparison_views import FORMATS


def compare(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The evidence of the earlier run.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The evidence of the later run.")],
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="F",
            autocompletion=values.completing(lambda: FORMATS),
            help=f"One of {', '.join(FORMATS)}.",
        ),
    ] = "text",
) -> int:
    """Show what changed between two runs, regressions first.

    The exit code is 0 where nothing regressed, 1 where something did, 4 where the runs cannot be compared.
    """
    if format_ not in FORMATS:
        raise unknown("format", format_, FORMATS)
    try:
        comparison = compared(read(old), read(new))
    except (NotEvidence, NotComparable) as error:
        raise UsageRefusal(f"{error}.") from error
    typer.echo(FORMATS[format_](comparison))
    return comparison.exit_code
