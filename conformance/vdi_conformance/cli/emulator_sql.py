"""`vdi-conformance emulator sql`: a batch on a running emulator, shown as sqlcmd shows it."""

import os
from pathlib import Path
from typing import Annotated

import typer

from vdi_conformance.cli.refusal import UsageRefusal


def sql(
    batch: Annotated[str, typer.Argument(metavar="T-SQL", help="What to run.")],
    directory: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The emulator's directory; otherwise that of VDI_EMULATOR_DIRECTORY."),
    ] = None,
    database: Annotated[str | None, typer.Option(metavar="NAME", help="The database to run it in.")] = None,
) -> int:
    """Run a batch on a running emulator.

    The exit code is 0 where it went well, 1 where it had an error or no emulator answers.
    """
    from vdi_conformance.sqlserver.process import relay
    from vdi_conformance.sqlserver.process.connections import DIRECTORY

    named = str(directory) if directory is not None else os.environ.get(DIRECTORY, "")
    if not named:
        raise UsageRefusal(f"no emulator is named: give its --directory, or set {DIRECTORY}.")
    chosen = ["-d", database] if database is not None else []
    return relay.main("sqlcmd", named, "-b", *chosen, "-Q", batch)
