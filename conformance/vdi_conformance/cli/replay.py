"""`vdi-conformance replay`: a walk that failed, played once more on an adapter."""

from pathlib import Path
from typing import Annotated

import typer

from vdi_conformance.cli import values
from vdi_conformance.cli.output import look_here
from vdi_conformance.cli.refusal import UsageRefusal, refusing
from vdi_conformance.untrusted.printable import shown, shown_lines


def replay(
    recording: Annotated[Path, typer.Argument(metavar="FILE", help="The walk that a failure names.")],
    adapter: Annotated[
        str, typer.Option(metavar="REF", autocompletion=values.adapters, help="The client, named as for `run`.")
    ],
    server: Annotated[str | None, values.server()] = None,
    timeout_scale: Annotated[float, values.timeout_scale()] = 1,
) -> int:
    """Play a walk that failed once more.

    It tells what came of each step. The exit code is 0 where every answer is permitted, 1 where the walk fails again,
    4 on wrong usage.
    """
    look_here()
    # Here, since the other verbs need none of it, and pytest wants to see Hypothesis before anybody else does.
    from vdi_conformance.harness.testbed import Testbed
    from vdi_conformance.harness.worker_session import WorkerSession
    from vdi_conformance.host.errors import NothingLearnt
    from vdi_conformance.host.spec import RunSettings
    from vdi_conformance.host.supervisor import Supervisor
    from vdi_conformance.pytest_plugin.parties import UnknownParties, ask_parties, parties_of
    from vdi_conformance.walks.recording import NotARecording, load
    from vdi_conformance.walks.series import perform

    with refusing(NotARecording):
        walk = load(recording)
    settings = RunSettings(walk.seed, timeout_scale)
    with refusing(UnknownParties, with_account=True), Supervisor() as supervisor:
        players = ask_parties(supervisor, adapter, server, settings)
    if players[1].capabilities["server"] != "scripted":
        raise UsageRefusal(
            f"{players[1].reference} has no server role that is told every step: name one with --server."
        )
    session = WorkerSession(parties_of(*players, settings))
    testbed = Testbed(session, walk.check)
    try:
        with refusing(NothingLearnt):
            played, failure = perform(testbed, walk.plan, walk.steps)
    finally:
        testbed.processes.end(orderly=False)
        session.close()
    for line in played.trace:
        typer.echo(shown(line))
    typer.echo(shown_lines(f"FAILED  {failure}") if failure else "Every answer is one that the documents permit.")
    return 1 if failure else 0
