"""`vdi-conformance report`: makes a report of a run again from its evidence."""

from pathlib import Path
from typing import Annotated

import typer

from vdi_conformance.cli import values
from vdi_conformance.cli.output import distinct, to_standard_output, written
from vdi_conformance.cli.refusal import UsageRefusal, unknown
from vdi_conformance.evidence.files import NotEvidence, read
from vdi_conformance.report.formats import FORMATS


def report(
    format: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT",
            autocompletion=values.completing(lambda: FORMATS),
            help=f"What to make: {', '.join(FORMATS)}.",
        ),
    ],
    evidence: Annotated[Path, typer.Argument(metavar="EVIDENCE", help="The record of a run (run --evidence).")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it here, not to standard output.")
    ] = None,
) -> None:
    """Make a report of a whole run from its evidence."""
    if format not in FORMATS:
        raise unknown("report format", format, FORMATS)
    distinct([("--output", output)], [("EVIDENCE", evidence)])
    try:
        made = FORMATS[format](read(evidence))
    except NotEvidence as error:
        raise UsageRefusal(f"{error}.") from error
    if output is None:
        to_standard_output(made)
        return
    written(output, made)
