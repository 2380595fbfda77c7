"""`vdi-conformance adapter host`: one process of an adapter that speaks the host protocol."""

import os
import subprocess
import sys
from typing import Annotated

import typer

from vdi_conformance.adapters.references import resolve
from vdi_conformance.adapters.unknown import UnknownAdapter
from vdi_conformance.cli import values
from vdi_conformance.cli.output import look_here
from vdi_conformance.cli.refusal import UsageRefusal, refusing


def host(
    reference: Annotated[
        str, typer.Argument(metavar="REF", autocompletion=values.adapters, help="The adapter, named as for `run`.")
    ],
) -> None:
    """Be one process of an adapter: take requests of the host protocol from standard input, answer on standard output.

    It is what programs that `reproduce` writes take for their --server-host, and it serves to try a host by hand.
    """
    look_here()
    with refusing(UnknownAdapter):
        spec = resolve(reference)
    os.environ.update(spec.env)
    if spec.kind == "command":
        raise typer.Exit(_started(list(spec.argv), spec.cwd))
    # Here, since the other verbs need none of it.
    from vdi_conformance.host.child.entry import spawned_main

    spawned_main(spec.target, 0)


def _started(argv: list[str], directory: str | None) -> int:
    """Run the program of a manifest, with the streams of this one."""
    try:
        return subprocess.run(argv, cwd=directory, check=False, stdin=sys.stdin, stdout=1).returncode
    except OSError as error:
        raise UsageRefusal(f"{argv[0]} cannot be started ({error.strerror}): correct the manifest.") from error
