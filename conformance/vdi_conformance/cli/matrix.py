"""`vdi-conformance matrix`: the runs of one adapter on several platforms, beside each other."""

from pathlib import Path
from typing import Annotated, Final

import typer

from vdi_conformance.cli import values
from vdi_conformance.cli.output import distinct, to_standard_output, written
from vdi_conformance.cli.refusal import UsageRefusal
from vdi_conformance.evidence.files import NotEvidence, read
from vdi_conformance.report.comparison import NotComparable
from vdi_conformance.report.matrix import matrix as beside_each_other
from vdi_conformance.report.matrix_views import FORMATS

FEWEST: Final = 2


def matrix(
    evidence: Annotated[
        list[Path], typer.Argument(metavar="EVIDENCE...", help="The evidence of each platform, at least of two.")
    ],
    format: Annotated[str, values.format_of(*FORMATS)] = "text",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it here, not to standard output.")
    ] = None,
) -> int:
    """Show requirements by platform, those that differ first.

    The evidence is what `run --dist each` leaves, or that of one run on each platform. The exit code is 0 where all
    platforms came to the same, 1 where a requirement or a check differs, 4 where the runs are not of one adapter, suite
    and selection.
    """
    distinct([("--output", output)], [(str(path), path) for path in evidence])
    if len(evidence) < FEWEST:
        raise UsageRefusal("a matrix needs the evidence of two platforms at least: name another file.")
    try:
        found = beside_each_other([read(path) for path in evidence])
    except (NotEvidence, NotComparable) as error:
        raise UsageRefusal(f"{error}.") from error
    told = f"{FORMATS[format](found)}\n".encode()
    if output is None:
        to_standard_output(told)
    else:
        written(output, told)
    return found.exit_code
