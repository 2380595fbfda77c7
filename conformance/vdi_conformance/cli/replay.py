"""`vdi-conformance replay`: a walk that failed, played once more on an adapter."""

from pathlib import Path
from typing import Annotated

import typer

from vdi_conformance.cli.output import look_here
from vdi_conformance.cli.refusal import Refusal


def replay(
    recording: Annotated[Path, typer.Argument(metavar="FILE", help="The walk that a failure names.")],
    adapter: Annotated[str, typer.Option(metavar="REF", help="The client, named as for `run`.")],
    server: Annotated[
        str | None, typer.Option(metavar="REF", help="The server, where the adapter is not to bring its own.")
    ] = None,
    timeout_scale: Annotated[
        float, typer.Option(metavar="F", min=1, help="Stretch every time limit by this factor.")
    ] = 1,
) -> int:
    """Play a walk that failed once more.

    It tells what came of each step. The exit code is 0 where every answer is permitted, 1 where the walk fails again,
    4 on wrong usage.
    """
    look_here()
    # Here, since the other verbs need none of it, and pytest wants to see Hypothesis before anybody else does.
    from vdi_conformance.host.spec import Settings
    from vdi_conformance.plugins.casting import NoCast, cast, parties
    from vdi_conformance.suite.bench import Bench
    from vdi_conformance.suite.stage import Stage
    from vdi_conformance.suite.walks.recording import NotARecording, load
    from vdi_conformance.suite.walks.walking import play

    try:
        walk = load(recording)
        settings = Settings(walk.seed, timeout_scale)
        players = parties(adapter, server, settings)
    except (NotARecording, NoCast) as error:
        raise Refusal(f"{str(error).rstrip('.')}.") from error
    if players[1].capabilities["server"] != "scripted":
        raise Refusal(f"{players[1].reference} has no server role that is told every step: name one with --server.")
    bench = Bench(cast(*players, settings))
    stage = Stage(bench, walk.check)
    try:
        played, failure = play(stage, walk.plan, walk.steps)
    finally:
        stage.processes.end(orderly=False)
        bench.close()
    for line in played.story:
        typer.echo(line)
    typer.echo(f"FAILED  {failure}" if failure else "Every answer is one that the documents permit.")
    return 1 if failure else 0
