"""`vdi-conformance diff`: the same calls on two adapters, and the shortest on which they part."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from vdi_conformance.cli import values
from vdi_conformance.cli.output import look_here, show, to_standard_output
from vdi_conformance.cli.refusal import UsageRefusal, refusing
from vdi_conformance.output.console import tell
from vdi_conformance.untrusted.printable import shown

if TYPE_CHECKING:
    from vdi_conformance.differences.report import Comparison
    from vdi_conformance.evidence.records import Party
    from vdi_conformance.host.spec import RunSettings

FORMATS: Final = ("text", "json")
FIRST: Final = "first"
BROKEN: Final = "broken"
UNTIL: Final = (FIRST, BROKEN, "end")
SEQUENCES: Final = 30
STEPS: Final = 40
SECONDS: Final = 600
EVERY: Final = 10
"""After so many sequences a line tells how far it has come."""


def diff(
    adapter: Annotated[
        list[str],
        typer.Option(
            metavar="REF", autocompletion=values.adapters, help="An adapter, named as for `run`; to be given twice."
        ),
    ],
    server: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REF",
            autocompletion=values.adapters,
            help="The server of both, or given twice that of each; by default as for `run`.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", parser=values.seed, help="Which sequences are drawn, and what they hold.")
    ] = 0,
    sequences: Annotated[
        int,
        typer.Option(
            metavar="N", parser=values.whole(0, 100_000), help="How many sequences are drawn after those of the suite."
        ),
    ] = SEQUENCES,
    steps: Annotated[
        int, typer.Option(metavar="N", parser=values.whole(1, 1000), help="How many steps a drawn sequence has.")
    ] = STEPS,
    time: Annotated[
        int,
        typer.Option(
            metavar="SECONDS", parser=values.whole(1, 1_000_000), help="Begin no further sequence after this time."
        ),
    ] = SECONDS,
    until: Annotated[
        str,
        typer.Option(
            metavar="WHEN",
            parser=values.one_of("end", UNTIL),
            autocompletion=values.completing(lambda: UNTIL),
            help="first: end at the first difference; broken: at the first broken requirement; end: try all.",
        ),
    ] = FIRST,
    format: Annotated[str, values.format_of(*FORMATS)] = "text",
    timeout_scale: Annotated[float, values.timeout_scale()] = 1,
) -> int:
    """Show the shortest sequence on which two adapters part.

    Both get the same calls. Each difference is held against the catalogue. The exit code is 0 where none was found, 1
    where a requirement is broken on a side, 8 where all that differs is permitted, only recommended, or not spoken of,
    4 on wrong usage.
    """
    look_here()
    from vdi_conformance.host.spec import RunSettings

    servers = list(server or [])
    if len(adapter) != 2 or len(servers) > 2:
        raise UsageRefusal(
            "diff compares two adapters: name each with --adapter, and its server at most with --server."
        )
    settings = RunSettings(seed, timeout_scale)
    named: list[str | None] = [*servers] if len(servers) == 2 else [*servers * 2] or [None, None]
    parties = _asked(list(zip(adapter, named, strict=True)), settings)
    found = _compare(parties, settings, sequences, steps, time, until)
    _show(found, format)
    return found.exit_code


def _asked(references: Sequence[tuple[str, str | None]], settings: "RunSettings") -> list[tuple["Party", "Party"]]:
    """Ask client and server of each side who they are."""
    from vdi_conformance.host.supervisor import Supervisor
    from vdi_conformance.pytest_plugin.parties import NOBODY, UnknownParties, ask_parties

    with refusing(UnknownParties, with_account=True), Supervisor() as supervisor:
        found = [ask_parties(supervisor, *one, settings) for one in references]
    if any(server == NOBODY for _, server in found):
        raise UsageRefusal("diff needs a server on each side: leave --server none out.")
    return found


def _compare(
    parties: Sequence[tuple["Party", "Party"]],
    settings: "RunSettings",
    sequences: int,
    steps: int,
    seconds: int,
    until: str,
) -> "Comparison":
    from vdi_conformance.differences import report
    from vdi_conformance.differences.classing import classed
    from vdi_conformance.differences.limits import Limits
    from vdi_conformance.differences.search import Search
    from vdi_conformance.differences.side import Side
    from vdi_conformance.differences.trying import tried
    from vdi_conformance.host.errors import HostError
    from vdi_conformance.pytest_plugin.parties import parties_of

    one, other = (parties_of(*both, settings) for both in parties)
    told: list[report.FoundDifference] = []
    with refusing(HostError), Side(one) as left, Side(other) as right:
        search = Search((left, right), seconds, _progress())
        for difference in search.run(tried(Limits.of(one, other), settings.seed, sequences, steps)):
            told.append(report.found(classed(difference, (left, right))))
            if until == FIRST or (until == BROKEN and told[-1].kind == report.BROKEN_REQUIREMENT):
                break
        return report.Comparison(
            a=report.compared(*parties[0]),
            b=report.compared(*parties[1]),
            seed=settings.seed,
            sequences=search.played,
            steps=search.steps,
            doubtful=search.doubtful,
            seconds=round(search.elapsed, 1),
            differences=told,
        )


def _progress() -> Callable[[str, int], None]:
    """Tell now and then how far it has come."""

    def told(sentence: str, played: int) -> None:
        if played % EVERY == 0:
            tell(shown(sentence))

    return told


def _show(found: "Comparison", format: str) -> None:
    from vdi_conformance.differences import report

    if format == "json":
        to_standard_output(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
        return
    show(report.drawn(found))
