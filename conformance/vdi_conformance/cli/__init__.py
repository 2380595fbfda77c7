"""The command `vdi-conformance`: its verbs, one module each, and its exit codes."""

import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, TextIO, cast

import typer
from typer.main import get_command

from vdi_conformance import __version__
from vdi_conformance.cli.completion import OPTIONS, completion
from vdi_conformance.cli.refusal import UsageRefusal
from vdi_conformance.cli.usage import sentence
from vdi_conformance.cli.verbs import Verbs
from vdi_conformance.output.console import Guarded, tell
from vdi_conformance.untrusted.printable import shown, shown_lines

INTERRUPTED: Final = 2
INTERNAL: Final = 3
USAGE: Final = 4
SENTENCE: Final = 8000
"""So many characters of what is wrong are told."""
USAGE_ERROR: Final[Any] = typer.BadParameter.__mro__[1]
"""The base of everything that typer finds wrong with a command line; typer does not export it."""

app = typer.Typer(
    name="vdi-conformance",
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and give its exit code: 4, with one sentence, where the command line is wrong."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with _guarded() as lost:
            code = _performed(given)
        # A run that could not tell how it went has said so itself.
        return _ended(f"{lost[0]}.", INTERNAL) if lost and code != INTERNAL else code
    except (OSError, MemoryError) as error:
        remedy = "see whether the machine is short of memory, files or processes, then try again"
        return _ended(f"it could not go on ({type(error).__name__}: {error}): {remedy}.", INTERNAL)
    except Exception:
        return _ended("an internal error; please report it:", INTERNAL, traceback.format_exc().rstrip())


def _performed(given: Sequence[str]) -> int:
    try:
        if given and given[0] in OPTIONS:
            return completion(app, given)
        code = _command()(given or ["--help"], prog_name=app.info.name, standalone_mode=False)
    except UsageRefusal as refusal:
        return _ended(str(refusal), USAGE, refusal.account)
    except USAGE_ERROR as error:
        return _ended(sentence(error, _command(), given), USAGE)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    if not given:
        return USAGE
    return code if isinstance(code, int) else 0


@cache
def _command() -> Any:
    """Make once what reads command lines, which takes longer than to read one."""
    return get_command(app)


@contextmanager
def _guarded() -> Iterator[list[str]]:
    """Give what says that standard output was lost, at the end at the latest; where there is none, nothing is told."""
    before, lost = sys.stdout, list[str]()
    stream = before or Path(os.devnull).open("w")  # noqa: SIM115, it is the process's own from here on
    guarded = Guarded(stream)
    guarded.listen(lost.append)
    sys.stdout = cast("TextIO", guarded)
    try:
        yield lost
        guarded.flush()
    finally:
        sys.stdout = before


def _ended(sentence: str, code: int, account: str = "") -> int:
    tell(f"vdi-conformance: {shown(sentence, SENTENCE)}")
    if account:
        tell(shown_lines(account))
    return code


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
