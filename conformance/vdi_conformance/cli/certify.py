"""`vdi-conformance certify`: a fixed certification that ends in a certificate which anybody can verify."""

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer

from vdi_conformance.adapters import UnknownAdapter, resolve
from vdi_conformance.cli import values
from vdi_conformance.cli.keys import private_key
from vdi_conformance.cli.output import distinct, read_by, writable, written
from vdi_conformance.cli.refusal import refusing
from vdi_conformance.cli.shipped import shipped, tables
from vdi_conformance.host.spec import AdapterSpec
from vdi_conformance.judgement.exit_codes import ENDED
from vdi_conformance.report.certificate import EXIT_CODES, Parts, certificate
from vdi_conformance.report.certificate_archive import InvalidCertificate, pack
from vdi_conformance.report.certificate_verification import verified
from vdi_conformance.report.certification import CANARIES, SEEDS, WORKERS, Canary
from vdi_conformance.requirements.profiles import Profile, profile, texts
from vdi_conformance.untrusted.printable import shown, shown_lines
from vdi_fixtures.wrapping import AROUND

PLUGINS: Final = ("--disable-plugin-autoload", "-p", "xdist.plugin", "-p", "vdi_conformance.pytest_plugin")
"""What pytest is told, so that nothing which is installed beside the suite has a say."""
UNWANTED: Final = (AROUND, "PYTHONOPTIMIZE")
"""Variables that would make the runs others than those of a certificate."""
WHOLE: Final = (*ENDED, 6)
"""Exit codes of runs that came to their end and left evidence."""


class Unfinished(Exception):
    """A run did not come to its end; `code` is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def certify(
    adapter: Annotated[
        str, typer.Option(metavar="REF", autocompletion=values.adapters, help="The adapter, named as for `run`.")
    ],
    profile_name: Annotated[
        str,
        typer.Option("--profile", metavar="P", autocompletion=values.profile_names, help="What it is to conform to."),
    ],
    output: Annotated[Path, typer.Option(metavar="FILE.zip", callback=writable, help="Write the certificate here.")],
    challenge: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            parser=values.challenge,
            help="Enter this into every run: chosen by whoever asks for the certificate, it shows that it is no older.",
        ),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Sign it with this private key, such as `keys new` makes.")
    ] = None,
) -> int:
    """Judge an adapter by a profile, and certify the outcome.

    The certificate is written whatever comes out. Two whole runs with fixed seeds and options, whose verdicts must
    agree; faults are put around an adapter that is a Python class, and must be found. The exit code is 0 where it
    conforms, 1 where it does not, 6 where something was not tested, seeds disagree or a fault was not found, 4 on
    wrong usage.
    """
    distinct([("--output", output)], [("--key", key), *read_by(adapter)])
    signer = None if key is None else private_key(key)
    with refusing(ValueError, UnknownAdapter):
        asked = profile(profile_name)
        spec = resolve(adapter)
    try:
        with TemporaryDirectory() as directory:
            parts = _performed(adapter, spec, asked, Path(directory), challenge)
    except Unfinished as error:
        return error.code
    made = pack(certificate(parts))
    try:
        authentic = verified(made, shipped(), datetime.now(UTC))
    except InvalidCertificate as error:
        typer.echo(f"vdi-conformance: the runs make no certificate: {shown(str(error))}.", err=True)
        return EXIT_CODES["incomplete"]
    manifest = authentic.manifest
    for line in (f"{manifest.outcome} to the profile {asked.label}: {output}", *manifest.reasons):
        typer.echo(shown_lines(line))
    if signer is not None:
        made = authentic.signed(signer.sign)
        typer.echo(f"signed with the key {signer.public.id}")
    written(output, made)
    return EXIT_CODES[manifest.outcome]


def _performed(adapter: str, spec: AdapterSpec, asked: Profile, directory: Path, challenge: str | None) -> Parts:
    """Make every run, and give what they leave."""
    common = ["--profile", asked.label, *([] if challenge is None else [f"--challenge={challenge}"])]
    canaries = CANARIES.get(asked.name, ()) if spec.target else ()
    steps = len(SEEDS) + len(canaries)
    runs = []
    for number, seed in enumerate(SEEDS, 1):
        typer.echo(f"== {number} of {steps}: a whole run of {asked.label} with seed {seed}")
        options = ["--adapter", adapter, *common, "--seed", str(seed), "-n", str(WORKERS)]
        runs.append(_run(directory / f"{seed}.jsonl", options))
    found = {}
    for number, canary in enumerate(canaries, len(SEEDS) + 1):
        typer.echo(f"== {number} of {steps}: the fault {canary.fault}, which must break {canary.requirement}")
        found[canary.fault] = _try(canary, spec, common, directory)
    return Parts(tables(), texts()[asked.label], tuple(runs), found)


def _try(canary: Canary, spec: AdapterSpec, common: Sequence[str], directory: Path) -> bytes:
    """Put a fault around the adapter, and run the checks that must find it."""
    options = ["--adapter", canary.reference, *common, "--requirement", canary.requirement]
    return _run(directory / f"{canary.fault}.jsonl", options, around=spec, quiet=True)


def _run(evidence: Path, options: Sequence[str], around: AdapterSpec | None = None, quiet: bool = False) -> bytes:
    """Run the suite in a process of its own, and give the evidence."""
    # -P: like a console script, it takes no modules of the current directory for its own.
    start = [sys.executable, "-P", "-m", "vdi_conformance.cli", "run"]
    command = [*start, *options, "--evidence", str(evidence), "--", *PLUGINS]
    variables = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    if around is not None:
        variables |= {**dict(around.env), AROUND: around.target}
    done = subprocess.run(command, env=variables, stdout=subprocess.DEVNULL if quiet else None, check=False)
    if done.returncode not in WHOLE:
        raise Unfinished(done.returncode)
    return evidence.read_bytes()
