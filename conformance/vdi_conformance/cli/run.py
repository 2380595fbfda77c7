"""`vdi-conformance run`: the suite on one adapter, for developers and CI."""

import os
import re
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import pytest
import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGE: Final = Path(str(files("vdi_conformance")))
ISOLATING: Final = (
    f"--config-file={PACKAGE / 'cli' / 'pytest.ini'}",
    f"--rootdir={PACKAGE}",
    "-p",
    "no:cacheprovider",
    "--no-header",
)
"""Keeps settings and caches of the directory in which a vendor starts the run out of it."""
RESULT: Final = re.compile(r"[0-9a-f-]{36}-(result\.json|container\.json|globals\.json|attachment\.\w+)")
"""The names that allure-pytest gives to its files."""
FOREIGN: Final = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "ALLURE_TESTPLAN_PATH")


def number(value: str | None) -> str | None:
    """Refuse what is no number of workers."""
    if value is None or value.isdecimal() or value in ("auto", "logical"):
        return value
    raise typer.BadParameter(f"{value!r} is not a number of worker processes, nor 'auto'")


def writable(path: Path | None) -> Path | None:
    """Refuse a file that cannot be written before anything is run."""
    try:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            new = not path.exists()
            path.open("ab").close()
            if new:
                path.unlink()
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written ({error.strerror}), choose another file") from error
    return path


def _emptied(directory: Path | None) -> Path | None:
    """Make the directory and remove earlier results, and nothing else: Allure takes all that it finds for one run."""
    try:
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            for path in directory.iterdir():
                if RESULT.fullmatch(path.name):
                    path.unlink()
    except OSError as error:
        raise typer.BadParameter(f"{directory} cannot be written ({error.strerror}), choose another one") from error
    return directory


def run(
    adapter: Annotated[
        str,
        typer.Option(
            metavar="REF", help="The client: emulator, package.module:Class, path/file.py:Class or a TOML manifest."
        ),
    ],
    server: Annotated[
        str | None,
        typer.Option(metavar="REF", help="The server, where the adapter is not to bring its own; none for no server."),
    ] = None,
    workers: Annotated[
        str | None,
        typer.Option("-n", metavar="N", callback=number, help="Spread the checks over so many worker processes."),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="P", help="The checks of a profile; the verdict is by its requirements.")
    ] = None,
    topic: Annotated[
        list[str] | None, typer.Option(metavar="T", help="Only this topic, such as GBH; may be repeated.")
    ] = None,
    requirement: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only checks that judge this requirement; may be repeated.")
    ] = None,
    check: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only the check of this id; may be repeated.")
    ] = None,
    timeout_scale: Annotated[
        float | None, typer.Option(metavar="F", min=1, help="Stretch every time limit by this factor.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="S", help="Explore with other generated choices.")] = None,
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
    allure: Annotated[
        Path | None,
        typer.Option(metavar="DIR", callback=_emptied, help="Write results for Allure here, in place of older ones."),
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
    values: dict[str, Sequence[object]] = {
        "--vdi-adapter": [adapter],
        "--vdi-server": [server],
        "--vdi-profile": [profile],
        "--vdi-topic": topic or [],
        "--vdi-requirement": requirement or [],
        "--vdi-check": check or [],
        "--vdi-timeout-scale": [timeout_scale],
        "--vdi-seed": [seed],
        "--vdi-baseline": [baseline],
        "--vdi-evidence": [evidence],
        "--vdi-junit": [junit],
        "--alluredir": [allure],
    }
    options = [f"{name}={value}" for name, given in values.items() for value in given if value is not None]
    if allure is None and not any(option.startswith("--alluredir") for option in pytest_options or []):
        options += ["-p", "no:allure_pytest"]
    spread = ["-n", workers, "--dist", "worksteal"] if workers is not None else []
    for variable in FOREIGN:
        os.environ.pop(variable, None)
    # Console scripts do not look into the current directory, where package.module:Class may be found.
    sys.path.append(str(Path.cwd()))
    # Named by its directory: with --pyargs pytest would load the conftest.py of the current one.
    suite = str(PACKAGE / "suite")
    return int(pytest.main([*ISOLATING, *options, *spread, suite, *(pytest_options or [])]))
