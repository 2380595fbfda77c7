"""`vdi-conformance emulator`: an emulated SQL Server that real programs talk to, and what belongs to it."""

import os
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from vdi_conformance.cli import values
from vdi_conformance.cli.emulator_library import library
from vdi_conformance.cli.emulator_sql import sql
from vdi_conformance.cli.emulator_values import address, completions, group_of, sized
from vdi_conformance.cli.output import writable
from vdi_conformance.cli.verb import Verb

ANYWHERE: Final = "127.0.0.1:0"
NO_TDS: Final = "none"
STDOUT: Final = Path("-")
COMMAND: Final = "vdi_conformance.command"


class WithCommand(TyperGroup):
    """A verb with verbs of its own, or a command after --."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command aside before anything of it is taken for an option or a verb."""
        if "--" in args and args[0] not in self.commands:
            at = args.index("--")
            ctx.meta[COMMAND] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)


def _writable(path: Path | None) -> Path | None:
    return path if path == STDOUT else writable(path)


emulator = typer.Typer(name="emulator", cls=WithCommand, rich_markup_mode=None)
emulator.command(cls=Verb)(library)
emulator.command(cls=Verb)(sql)


@emulator.callback(
    invoke_without_command=True, no_args_is_help=False, subcommand_metavar="[-- COMMAND ...] | library | sql"
)
def run(
    context: typer.Context,
    directory: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where clients find it; otherwise a temporary directory.")
    ] = None,
    tds: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", help="Where drivers connect; port 0 chooses one, none leaves it out."),
    ] = ANYWHERE,
    database: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SIZE", help="A database, its size in bytes or as 20M or 1G; may be repeated."),
    ] = None,
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", callback=writable, help="Write the server's error log here.")
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            callback=_writable,
            help="Write how to connect here as JSON, and the account at the end; - is standard output.",
        ),
    ] = None,
    instance: Annotated[
        str | None, typer.Option(metavar="NAME", help="Be this named instance, not the default one.")
    ] = None,
    group: Annotated[
        str | None, typer.Option(metavar="GROUP", help="Let the accounts of a group use the directory (Linux).")
    ] = None,
    windows: Annotated[
        bool, typer.Option("--windows", help="Clients are Windows programs in Wine: listen at ports, give them .exe.")
    ] = False,
    seconds: Annotated[
        bool, typer.Option("--seconds", help="The time-outs of libsqlvdi.so are seconds, not milliseconds.")
    ] = False,
    slow: Annotated[
        int,
        typer.Option(metavar="MILLISECONDS", parser=values.whole(0, 3_600_000), help="Wait before each command."),
    ] = 0,
    abort_after: Annotated[
        int | None,
        typer.Option(metavar="N", parser=values.whole(1, 2**31), help="Abort each set after so many commands."),
    ] = None,
    die_after: Annotated[
        int | None,
        typer.Option(metavar="N", parser=values.whole(1, 2**31), help="Let the server of a set die after so many."),
    ] = None,
    fail_completion: Annotated[
        list[str] | None,
        typer.Option(metavar="N=CODE", help="Take the Nth completion of a set for this code; may be repeated."),
    ] = None,
    reading: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Read the documents so, where they leave a choice; may be repeated."),
    ] = None,
    judge: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            callback=writable,
            help="Judge the client applications that come, and write the evidence here.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="S", parser=values.seed, help="Other contents of databases, other handles.")
    ] = 0,
) -> int | None:
    """Be a SQL Server, as far as backup programs see one.

    It takes T-SQL over TDS and by sqlcmd, and does BACKUP and RESTORE over VDI. It ends on Ctrl-C or SIGTERM. With a
    command after -- it runs that with everything set that a client needs, ends with it, and gives its exit code. The
    password of sa is made at the start, or taken from VDI_EMULATOR_PASSWORD. With --judge the exit code is that of the
    verdicts over client applications, where it is not 0.
    """
    if context.invoked_subcommand is not None:
        return None
    # Here, since the other verbs need none of it.
    from vdi_conformance.cli.emulator_run import serve
    from vdi_conformance.sqlserver.process.connections import PASSWORD
    from vdi_conformance.sqlserver.process.process import Wanted
    from vdi_conformance.sqlserver.process.switches import Switches

    wanted = Wanted(
        directory=directory,
        address=None if tds == NO_TDS else address(tds),
        databases=tuple(sized(one) for one in database or ()),
        password=os.environ.get(PASSWORD) or None,
        instance=instance,
        group=group_of(group),
        seed=seed,
        log=log,
        switches=Switches(slow, abort_after, die_after, completions(fail_completion or ())),
        readings=tuple(reading or ()),
        counts_seconds=seconds,
        for_windows=windows,
    )
    return serve(wanted, context.meta.get(COMMAND, []), json, judge)
