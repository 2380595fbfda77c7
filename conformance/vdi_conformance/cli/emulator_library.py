"""`vdi-conformance emulator library`: the stand-ins of the client libraries, to be linked and loaded by programs."""

import shutil
from pathlib import Path
from typing import Annotated, Final

import typer

from vdi_conformance.cli import values
from vdi_conformance.cli.refusal import UsageRefusal
from vdi_conformance.standins.building import SOURCES, NotBuilt

BITS: Final = ("64", "32")


def library(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where it is written; made where it is missing.")],
    windows: Annotated[
        bool, typer.Option("--windows", help="sqlvdi.dll, sqlcmd.exe and osql.exe, by MinGW; otherwise libsqlvdi.so.")
    ] = False,
    bits: Annotated[
        str, typer.Option(metavar="N", parser=values.one_of("width", BITS), help="With --windows: 64 or 32.")
    ] = BITS[0],
    sources: Annotated[bool, typer.Option("--sources", help="The C++ sources, for a compiler elsewhere.")] = False,
) -> int:
    """Build the stand-ins of the client libraries.

    Their clients reach the emulator that VDI_EMULATOR_DIRECTORY names. They have the interfaces of the libraries that
    SQL Server brings, and are no copies of these: what is shown with them says nothing of those.
    """
    from vdi_conformance.standins.targets import provide

    try:
        directory.mkdir(parents=True, exist_ok=True)
        if sources:
            shutil.copytree(SOURCES, directory, dirs_exist_ok=True)
            typer.echo(directory)
            return 0
    except OSError as error:
        raise UsageRefusal(f"{directory} cannot be written ({error.strerror}): name another directory.") from error
    try:
        for made in provide(directory, int(bits) if windows else None):
            typer.echo(made)
    except NotBuilt as reason:
        raise UsageRefusal(str(reason)) from reason
    return 0
