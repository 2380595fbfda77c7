"""`vdi-conformance report`: makes a report of a run again from its evidence."""

from pathlib import Path
from typing import Annotated

import typer

from vdi_conformance.cli import values
from vdi_conformance.cli.output import distinct, to_standard_output, written
from vdi_conformance.cli.refusal import refusing
from vdi_conformance.evidence.files import NotEvidence, read
from vdi_conformance.report.formats import FORMATS


def report(
    format: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT",
            parser=values.one_of("report format", FORMATS),
            autocompletion=values.completing(lambda: FORMATS),
            help=f"What to make: {', '.join(FORMATS)}.",
        ),
    ],
    evidence: Annotated[Path, values.record()],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it here, not to standard output.")
    ] = None,
) -> None:
    """Make a report of a whole run from its evidence."""
    distinct([("--output", output)], [("EVIDENCE", evidence)])
    with refusing(NotEvidence):
        made = FORMATS[format](read(evidence))
    if output is None:
        to_standard_output(made)
        return
    written(output, made)
