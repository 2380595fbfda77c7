"""`vdi-conformance reproduce`: failed checks as programs that make the same calls without the suite."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, cast

import typer

from vdi_conformance.adapters.tsql.refusal import NotRunnable
from vdi_conformance.adapters.tsql.statements import render
from vdi_conformance.cli import values
from vdi_conformance.cli.output import distinct, to_standard_output, written
from vdi_conformance.cli.refusal import UsageRefusal, refusing, unknown
from vdi_conformance.contract import Database, Statement
from vdi_conformance.evidence.files import Evidence, NotEvidence, read
from vdi_conformance.evidence.records import CHARGING, CheckRecord
from vdi_conformance.host.codes import PROTOCOL_VERSION
from vdi_conformance.output.console import tell
from vdi_conformance.report.reproduction.planning import program_of
from vdi_conformance.report.reproduction.program import NotReproducible
from vdi_conformance.report.reproduction.source import LANGUAGES, SUFFIXES, Language, source
from vdi_conformance.untrusted.printable import shown

DATABASE: Final = "VDI_DATABASE"
"""What stands in T-SQL where a program puts the name of the database that it is given."""
NAME: Final = 100


def reproduce(
    evidence: Annotated[Path, values.record()],
    check: Annotated[
        str | None, typer.Option(metavar="ID", help="This check alone; without it every check that failed.")
    ] = None,
    lang: Annotated[
        str,
        typer.Option(
            metavar="LANGUAGE",
            parser=values.one_of("language", LANGUAGES),
            autocompletion=values.completing(lambda: LANGUAGES),
            help=f"The language of the programs: {', '.join(LANGUAGES)}.",
        ),
    ] = "python",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Write the programs into this directory; without it the one of --check goes to standard output.",
        ),
    ] = None,
) -> int:
    """Write failed checks as programs that need no suite.

    Each makes the same calls, and is one file, for a bug report and for a debugger: Python with its standard library
    alone, or C++17. It calls a libsqlvdi.so or the COM class of sqlvdi.dll, says how it is built and run in its first
    lines, and ends by REPRODUCED or NOT REPRODUCED. The exit code is 0 where every program was written, 1 where some
    check cannot be one, for the reason that is told, 4 on wrong usage.
    """
    language = cast("Language", lang)
    run = _read(evidence)
    checks = _chosen(run, check)
    if output is None and check is None:
        raise UsageRefusal("programs of all failed checks need a directory: name one with -o, or a check with --check.")
    refused = [_write(run, one, language, output, evidence) for one in checks]
    if not checks:
        tell(f"{evidence} has no check that failed.")
    return 1 if any(refused) else 0


def _read(path: Path) -> Evidence:
    with refusing(NotEvidence):
        return read(path)


def _chosen(run: Evidence, named: str | None) -> list[CheckRecord]:
    if named is None:
        return [one for one in run.checks if one.verdict in CHARGING]
    found = [one for one in run.checks if one.id == named]
    if not found:
        raise unknown("check in this run", named, [one.id for one in run.checks])
    return found


def _write(run: Evidence, check: CheckRecord, language: Language, output: Path | None, evidence: Path) -> bool:
    """Write the program of a check; tell whether there can be none."""
    try:
        text = source(program_of(check, run.header, _sql), language, str(PROTOCOL_VERSION))
    except NotReproducible as reason:
        tell(f"no program for {shown(check.id)}: {reason}.")
        return True
    data = text.encode("utf-8", "backslashreplace")
    if output is None:
        to_standard_output(data)
        return False
    path = output / f"{file_name(check.id)}{SUFFIXES[language]}"
    distinct([("-o", path)], [("EVIDENCE", evidence)])
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageRefusal(f"{output} cannot be made ({error.strerror}): choose another directory.") from error
    written(path, data)
    return False


def file_name(id_: str) -> str:
    """Give the name of a file for a check: its id without what file systems do not take."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", id_).strip("_")[:NAME] or "check"


def _sql(params: Mapping[str, object]) -> str:
    """Write the parameters of statement.execute as T-SQL; what cannot be written is said in its place."""
    try:
        return render(_statement(params), DATABASE)
    except (NotRunnable, KeyError, TypeError, ValueError, AttributeError) as error:
        return f"-- this statement cannot be written: {shown(str(error))}"


def _statement(params: Mapping[str, object]) -> Statement:
    given = dict(params)
    devices, seed, size = given.pop("devices"), given.pop("seed"), given.pop("size")
    if not isinstance(devices, list) or not isinstance(seed, int) or not isinstance(size, int):
        raise ValueError("its devices and sizes are none")
    names = tuple(str(one) for one in devices)
    return Statement(devices=names, database=Database(seed, size), **given)  # type: ignore[arg-type]
