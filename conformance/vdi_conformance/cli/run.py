"""`vdi-conformance run`: the suite on one adapter, for developers and CI."""

import os
import re
import shlex
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vdi_conformance.cli import values
from vdi_conformance.cli.output import distinct, look_here, read_by, writable
from vdi_conformance.cli.refusal import UsageRefusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RESULT: Final = re.compile(r"[0-9a-f-]{36}-(result\.json|container\.json|globals\.json|attachment\.\w+)")
"""The names that allure-pytest gives to its files."""
CACHED: Final = (
    *("--lf", "--last-failed", "--ff", "--failed-first", "--nf", "--new-first", "--lfnf", "--last-failed-no-failures"),
    *("--sw", "--stepwise", "--sw-skip", "--stepwise-skip", "--sw-reset", "--stepwise-reset"),
    *("--cache-show", "--cache-clear"),
)
"""The options of pytest that need its cache."""
SPREADING: Final = ("worksteal", "each")
ADDED: Final = "PYTEST_ADDOPTS"
"""The variable whose options pytest puts before those of its command line."""


def _empty(directory: Path) -> None:
    """Make the directory and remove earlier results, and nothing else: Allure takes all that it finds for one run."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path in directory.iterdir():
            if RESULT.fullmatch(path.name) and stat.S_ISREG(path.lstat().st_mode):
                path.unlink()
    except OSError as error:
        raise UsageRefusal(
            f"--allure: {directory} cannot be written ({error.strerror}): choose another one."
        ) from error


def _need_no_cache(options: "Iterable[str]") -> None:
    """Refuse options of pytest that live on its cache: a run leaves nothing in the directory where it is started."""
    for option in options:
        if option.partition("=")[0] in CACHED:
            raise UsageRefusal(
                f"{option}: a run keeps no cache of pytest; name the evidence of the earlier run by --failed-in."
            )


def run(
    adapter: Annotated[
        str,
        typer.Option(
            metavar="REF",
            autocompletion=values.adapters,
            help="The client: emulator, package.module:Class, path/file.py:Class or a TOML manifest.",
        ),
    ],
    server: Annotated[str | None, values.server()] = None,
    workers: Annotated[
        str | None,
        typer.Option("-n", metavar="N", parser=values.workers, help="Spread the checks over so many worker processes."),
    ] = None,
    places: Annotated[
        list[str] | None,
        typer.Option(
            "--tx",
            metavar="PLACE",
            help="Run checks there, such as ssh=user@host//chdir=directory; may be repeated.",
        ),
    ] = None,
    dist: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            parser=values.one_of("way to spread checks", SPREADING),
            autocompletion=values.completing(lambda: SPREADING),
            help="With --tx: worksteal spreads the checks over all places, each runs all of them in each place.",
        ),
    ] = SPREADING[0],
    profile: Annotated[
        str | None,
        typer.Option(
            metavar="P",
            autocompletion=values.profile_names,
            help="The checks of a profile; the verdict is by its requirements.",
        ),
    ] = None,
    topic: Annotated[
        list[str] | None,
        typer.Option(metavar="T", autocompletion=values.topics, help="Only this topic, such as GBH; may be repeated."),
    ] = None,
    requirement: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            autocompletion=values.requirement_ids,
            help="Only checks that judge this requirement; may be repeated.",
        ),
    ] = None,
    check: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only the check of this id; may be repeated.")
    ] = None,
    failed_in: Annotated[
        Path | None,
        typer.Option(metavar="EVIDENCE", help="Only what failed, ended in error or was not tested in that run."),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(metavar="K/N", parser=values.shard, help="Only one of N shards: see `evidence merge`."),
    ] = None,
    endurance: Annotated[
        str | None,
        values.endurance("The checks of endurance in place of all others: small (minutes), medium, large (an hour)."),
    ] = None,
    crash_points: Annotated[
        bool,
        typer.Option(
            "--crash-points",
            help="Every crash point in place of all other checks: each process killed, stopped and so on at each step.",
        ),
    ] = False,
    every_combination: Annotated[
        bool,
        typer.Option(
            "--every-combination",
            help="Try each combination of conditions with a statement too, where a server can be told every step.",
        ),
    ] = False,
    timeout_scale: Annotated[float | None, values.timeout_scale()] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="S", parser=values.seed, help="Explore with other generated choices.")
    ] = None,
    examples: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="With --seed: try first what earlier runs found to fail, and keep that here; others are only read.",
        ),
    ] = None,
    challenge: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            parser=values.challenge,
            help="Enter this into the evidence, so that it cannot be that of an earlier run.",
        ),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The known failures, strictly: see `baseline update`.")
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(metavar="FILE", callback=writable, help="Write the record of the run here (JSON Lines)."),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option(metavar="FILE", callback=writable, help="Write JUnit XML here, for CI systems."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", callback=writable, help="Write the run as one web page here."),
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option(metavar="FILE", callback=writable, help="Write it in Markdown here, for a job's summary."),
    ] = None,
    allure: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write results for Allure here, in place of older ones."),
    ] = None,
    pytest_options: Annotated[
        list[str] | None, typer.Argument(metavar="[-- PYTEST OPTIONS]", help="Passed on, such as -- -k prefix.")
    ] = None,
) -> int:
    """Run the checks on an adapter.

    The exit code is 0 where it conforms to what was selected, 1 where it does not or where the baseline is out of
    date, 2 when interrupted, 3 on an internal error, 4 on wrong usage or where every check would fail for trouble that
    is not the adapter's, 5 where nothing was executed, 6 where something was not tested.
    """
    look_here()
    _need_no_cache(pytest_options or [])
    if places and workers is not None:
        raise UsageRefusal("-n and --tx both say how many workers there are: write -n 2 as --tx 2*popen.")
    if dist != SPREADING[0] and not places:
        raise UsageRefusal(f"--dist {dist} needs to be told the places: name each by --tx.")
    reports = {"--junit": junit, "--html": html, "--markdown": markdown}
    distinct(
        [("--evidence", evidence), *reports.items(), ("--allure", allure)],
        [("--baseline", baseline), ("--failed-in", failed_in), *read_by(adapter), *read_by(server)],
    )
    if allure is not None:
        _empty(allure)
    asked: dict[str, Sequence[object]] = {
        "--vdi-adapter": [adapter],
        "--vdi-server": [server],
        "--vdi-profile": [profile],
        "--vdi-topic": topic or [],
        "--vdi-requirement": requirement or [],
        "--vdi-check": check or [],
        "--vdi-failed-in": [failed_in],
        "--vdi-shard": [shard],
        "--vdi-endurance": [endurance],
        "--vdi-timeout-scale": [timeout_scale],
        "--vdi-seed": [seed],
        "--vdi-examples": examples or [],
        "--vdi-challenge": [challenge],
        "--vdi-baseline": [baseline],
        "--vdi-evidence": [evidence],
        **{name.replace("--", "--vdi-"): [path] for name, path in reports.items()},
        "--alluredir": [allure],
    }
    options = [f"{name}={value}" for name, given in asked.items() for value in given if value is not None]
    if allure is None and not any(option.startswith("--alluredir") for option in pytest_options or []):
        options += ["-p", "no:allure_pytest"]
    options += ["--vdi-every-combination"] if every_combination else []
    options += ["--vdi-crash-points"] if crash_points else []
    # Here, so that whatever is wrong with the command line is told at once.
    import pytest

    from vdi_conformance.pytest_plugin.collected import FOREIGN, ISOLATING, PACKAGE

    for variable in FOREIGN:
        os.environ.pop(variable, None)
    # Named by its directory: with --pyargs pytest would load the conftest.py of the current one.
    own = [*ISOLATING, str(PACKAGE / "suite")]
    if not places:
        spread = ["-n", workers, "--dist", "worksteal"] if workers is not None else []
        return int(pytest.main([*own, *options, *spread, *(pytest_options or [])]))
    # Other machines are given the command line, and know these by other paths.
    os.environ[ADDED] = shlex.join(own)
    try:
        spread = ["--vdi-isolated", f"--dist={dist}", *(f"--tx={place}" for place in places)]
        return int(pytest.main([*options, *spread, *(pytest_options or [])]))
    finally:
        del os.environ[ADDED]
