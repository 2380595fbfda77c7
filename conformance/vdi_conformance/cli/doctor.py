"""`vdi-conformance doctor`: tests a host, and says of each mistake how to put it right."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from vdi_conformance.cli import values
from vdi_conformance.cli.output import look_here, show
from vdi_conformance.cli.refusal import refusing
from vdi_conformance.cli.requirements import FORMATS, JSON, TEXT
from vdi_conformance.output.console import tell

PATIENCE: Final = 10


def doctor(
    adapter: Annotated[
        str, typer.Option(metavar="REF", autocompletion=values.adapters, help="The client, named as for `run`.")
    ],
    server: Annotated[str | None, values.server()] = None,
    patience: Annotated[
        int,
        typer.Option(
            metavar="SECONDS", parser=values.whole(1, 600), help="So long each answer is waited for, 1 to 600 seconds."
        ),
    ] = PATIENCE,
    format: Annotated[str, values.format_of(*FORMATS)] = TEXT,
) -> int:
    """Test a host, and say how to mend what is wrong.

    A host is a process that speaks the host protocol; the library that it shows is not judged. Each finding says what
    was tried, what came, and its remedy. The exit code is 0 where nothing was found, 1 where something was, 2 when
    interrupted, 3 on an internal error, 4 on wrong usage or where the host cannot be started at all, 6 where something
    could not be tried and nothing was found.
    """
    look_here()
    # Here, since the other verbs need none of it, and pytest wants to see Hypothesis before anybody else does.
    import msgspec

    from vdi_conformance.adapters.unknown import UnknownAdapter
    from vdi_conformance.doctor.doctor import examine
    from vdi_conformance.doctor.telling import told
    from vdi_conformance.host.errors import NothingLearnt
    from vdi_conformance.untrusted.printable import in_json

    with refusing(UnknownAdapter, NothingLearnt):
        report = examine(adapter, server, patience, lambda name: tell(f"examining {name}"))
    if format == JSON:
        typer.echo(in_json(msgspec.to_builtins(report)))
    else:
        show(told(report))
    return report.exit_code
