"""`vdi-conformance challenge`: packs what it takes to dispute a requirement."""

import getpass
import platform
from pathlib import Path
from typing import Annotated

import typer

from vdi_conformance.cli import values
from vdi_conformance.cli.checks import checks_by_requirement
from vdi_conformance.cli.output import distinct, writable, written
from vdi_conformance.cli.refusal import UsageRefusal, refusing, unknown
from vdi_conformance.cli.requirements import entry
from vdi_conformance.evidence.files import Evidence, NotEvidence, read
from vdi_conformance.evidence.redaction import Redactor, redacted
from vdi_conformance.report.certificate_archive import pack
from vdi_conformance.report.challenge import about
from vdi_conformance.report.challenge import challenge as files_of
from vdi_conformance.requirements import catalogue


def challenge(
    requirement: Annotated[
        str,
        typer.Argument(metavar="ID", autocompletion=values.requirement_ids, help="The requirement, such as GBH-04."),
    ],
    evidence: Annotated[Path, typer.Option(metavar="FILE", help="The record of a run (run --evidence).")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.zip", callback=writable, help="Write it here.")
    ],
    hide: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="Replace this text too, wherever it stands; may be repeated."),
    ] = None,
) -> None:
    """Pack what it takes to dispute a requirement.

    A form to fill in, with the statement, its sources and what was tried; the requirement in full; and the record of
    the checks that judge it. Directories, accounts, machines, addresses and passwords are replaced, the same name by
    the same word, and what a baseline says is left out. Read it all the same before you send it.
    """
    found = catalogue().get(requirement.upper())
    if found is None:
        raise unknown("requirement", requirement, [one.id for one in catalogue().requirements])
    distinct([("--output", output)], [("--evidence", evidence)])
    run = about(_read(evidence), found.id)
    if not run.checks:
        raise UsageRefusal(f"{evidence} has no check that judges {found.id}: run with --requirement {found.id}.")
    redactor = Redactor({"user": _accounts(), "machine": _machines(), "hidden": hide or []})
    shown = redacted(run, redactor)
    told = redactor.plain(entry(found, checks_by_requirement().get(found.id, ())))
    written(output, pack(files_of(found, told, shown)))
    names = ", ".join(f"{kind} {count}" for kind, count in sorted(redactor.replaced.items())) or "none"
    typer.echo(f"{len(run.checks)} checks of {found.id}; names that were replaced: {names}.")
    typer.echo(f"Read {output} for names that are left, fill in challenge.md, and send it.")


def _read(path: Path) -> Evidence:
    with refusing(NotEvidence):
        return read(path)


def _accounts() -> list[str]:
    """Name who runs this, as far as the system knows."""
    try:
        return [getpass.getuser()]
    except (OSError, KeyError, ImportError):
        return []


def _machines() -> list[str]:
    """Name this machine, in full and without its domain."""
    name = platform.node()
    return [name, name.partition(".")[0]]
