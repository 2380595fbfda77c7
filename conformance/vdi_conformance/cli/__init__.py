"""The command `vdi-conformance`: its verbs, one module each, and its exit codes."""

import sys
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer

from vdi_conformance import __version__
from vdi_conformance.cli.adapter import adapter
from vdi_conformance.cli.baseline import baseline
from vdi_conformance.cli.certify import certify
from vdi_conformance.cli.compare import compare
from vdi_conformance.cli.prove import prove
from vdi_conformance.cli.questions import questions
from vdi_conformance.cli.refusal import Refusal
from vdi_conformance.cli.replay import replay
from vdi_conformance.cli.report import report
from vdi_conformance.cli.requirements import requirements
from vdi_conformance.cli.run import run
from vdi_conformance.cli.statements import statements
from vdi_conformance.cli.verify import verify
from vdi_conformance.printable import shown, shown_lines

INTERRUPTED: Final = 2
USAGE: Final = 4
SENTENCE: Final = 8000
"""So many characters of what is wrong are told."""
USAGE_ERROR: Final[Any] = typer.BadParameter.__mro__[1]
"""The base of everything that typer finds wrong with a command line; typer does not export it."""

app = typer.Typer(name="vdi-conformance", add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
app.command()(run)
app.command()(replay)
app.command()(report)
app.command()(compare)
app.command()(certify)
app.command()(verify)
app.command()(prove)
app.command()(requirements)
app.command()(questions)
app.command()(statements)
app.add_typer(baseline)
app.add_typer(adapter)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and give its exit code: 4, with one sentence, where the command line is wrong."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = app(given or ["--help"], prog_name=app.info.name, standalone_mode=False)
    except Refusal as refusal:
        return _refused(str(refusal), refusal.account)
    except USAGE_ERROR as error:
        return _refused(f"{error.format_message().rstrip('.')}: try --help.")
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    if not given:
        return USAGE
    return code if isinstance(code, int) else 0


def _refused(sentence: str, account: str = "") -> int:
    typer.echo(f"vdi-conformance: {shown(sentence, SENTENCE)}", err=True)
    if account:
        typer.echo(shown_lines(account), err=True)
    return USAGE


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vdi-conformance {__version__}")
        raise typer.Exit


@app.callback(no_args_is_help=False)
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Judge an implementation of SQL Server's Virtual Device Interface (VDI) by what its documents require."""
