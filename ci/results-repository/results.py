"""Checks the certificates of this repository, and makes its page: `results.py check|page|name`.

It needs vdi-conformance[signing] in the Python that runs it, and no network. Exit codes: 0, or 1 where something is
wrong, with one sentence for each.
"""

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

SUITE = (sys.executable, "-P", "-m", "vdi_conformance.cli")
WORST = ("failed", "error", "not tested", "warning", "passed", "not applicable")
MARKS = {
    "passed": "●",
    "failed": "✕",
    "warning": "!",
    "not applicable": "-",
    "not tested": "?",
    "error": "?",
}
LONGEST = 5000


class Refused(Exception):
    """What cannot be accepted; one sentence says why."""


class Certificate(NamedTuple):
    """A certificate: its file, and what it says."""

    file: Path
    manifest: dict[str, Any]
    verdicts: dict[str, str]
    observed: dict[tuple[str, str], str]

    @property
    def title(self) -> str:
        """The implementation and its version."""
        return f"{self.manifest['client']['name']} {self.manifest['client']['version']}"

    @property
    def profile(self) -> str:
        """The profile and its version."""
        return f"{self.manifest['profile']['name']}-{self.manifest['profile']['version']}"

    @property
    def place(self) -> Path:
        """Where it belongs: one place for each vendor, implementation, version, profile and system."""
        client = self.manifest["client"]
        system = self.manifest["platform"].partition("-")[0]
        parts = map(slug, (client["name"], client["version"], self.profile, system))
        return Path("vendors", slug(client["vendor"] or client["name"]), f"{'_'.join(parts)}.zip")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked for."""
    parser = argparse.ArgumentParser(description="Check certificates, or make the page of them.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    check = verbs.add_parser("check", help="say what is wrong with what a directory holds")
    check.add_argument("root", type=Path)
    check.add_argument("--base", type=Path, help="a checkout of what is merged: it must stay, and its keys decide")
    page = verbs.add_parser("page", help="write the page, and the certificates beside it")
    page.add_argument("root", type=Path)
    page.add_argument("--output", type=Path, required=True)
    name = verbs.add_parser("name", help="say where a certificate belongs")
    name.add_argument("certificate", type=Path)
    given = parser.parse_args(arguments)
    try:
        if given.verb == "name":
            print(read(given.certificate).place.as_posix())
            return 0
        if given.verb == "page":
            write_page(given.root, given.output)
            return 0
        wrong = list(problems(given.root, given.base))
    except Refused as error:
        wrong = [str(error)]
    for sentence in wrong:
        print(plain(sentence), file=sys.stderr)
    return 1 if wrong else 0


def problems(root: Path, base: Path | None) -> Iterator[str]:
    """Say in a sentence each what is wrong."""
    for file in sorted((root / "vendors").rglob("*")):
        if file.is_symlink() or (file.is_file() and not _belongs(file.relative_to(root))):
            yield f"{file.relative_to(root)}: only certificates (*.zip), and keys (keys/*.pub), belong here"
    if base is not None:
        yield from _lost(root, base)
    for file in certificates(root):
        if base is not None and _same(file, base / file.relative_to(root)):
            continue
        try:
            accept(file, root, base)
        except Refused as error:
            yield f"{file.relative_to(root)}: {error}"


def accept(file: Path, root: Path, base: Path | None) -> None:
    """Refuse a certificate that is not authentic, signed by its vendor, and where it belongs."""
    vendor = file.parent.relative_to(root)
    known = base is not None and any((base / vendor / "keys").glob("*.pub"))
    keys = sorted(((base if known and base is not None else root) / vendor / "keys").glob("*.pub"))
    if not keys:
        raise Refused(f"{vendor.as_posix()}/keys has no key (*.pub): add that of the vendor")
    if refusals := _refusals(file, keys):
        raise Refused(f"it is not accepted by any key of {vendor.as_posix()}/keys ({refusals[0]})")
    place, here = read(file).place, file.relative_to(root)
    if place != here:
        told = "is there already: leave one of them" if (root / place).exists() else "is where it belongs: move it"
        raise Refused(f"{place.as_posix()} {told}")


def _refusals(file: Path, keys: Sequence[Path]) -> list[str]:
    """Say why no key vouches for a certificate; nothing where one does."""
    said = []
    for key in keys:
        said.append(verify(file, key))
        if not said[-1]:
            return []
    return said


def verify(file: Path, key: Path) -> str:
    """Let the suite verify a certificate by a key; say why it is not authentic, or nothing where it is.

    Only what is authentic has a statement, so that no other end of a process passes for that.
    """
    with TemporaryDirectory() as directory:
        statement = Path(directory) / "statement.json"
        command = [*SUITE, "verify", str(file), "--key", str(key), "--statement", str(statement)]
        ended = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
        if ended.returncode in (0, 1) and statement.exists():
            return ""
        return ended.stderr.strip() or f"verify ended with {ended.returncode}"


def _belongs(file: Path) -> bool:
    parts = file.parts[1:]
    if len(parts) == 1:
        return parts == ("README.md",)
    return (len(parts) == 2 and file.suffix == ".zip") or (
        len(parts) == 3 and parts[1] == "keys" and file.suffix == ".pub"
    )


def _same(file: Path, other: Path) -> bool:
    return file.is_file() and other.is_file() and file.read_bytes() == other.read_bytes()


def _lost(root: Path, base: Path) -> Iterator[str]:
    """Name what is merged and would not stay as it is."""
    for file in [*certificates(base), *sorted((base / "vendors").glob("*/keys/*.pub"))]:
        here = file.relative_to(base)
        if not _same(root / here, file):
            yield f"{here.as_posix()}: it is merged, and never changed or removed; add another version, or another key"


def certificates(root: Path) -> list[Path]:
    """Find all certificates, by their names."""
    return sorted((root / "vendors").glob("*/*.zip"))


def read(file: Path) -> Certificate:
    """Take out of a certificate what names and shows it; whether it is authentic, `verify` says."""
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            verdicts = json.loads(archive.read("verdicts.json"))
            records = [json.loads(line) for line in archive.read("evidence/seed-0.jsonl").splitlines()]
        observed: dict[tuple[str, str], set[str]] = {}
        for record in records:
            for seen in record.get("observations", []):
                observed.setdefault((seen["question"], seen["subject"]), set()).add(seen["answer"])
        found = Certificate(
            file,
            manifest,
            {one["id"]: min(one["verdicts"], key=WORST.index) for one in verdicts},
            {what: " and ".join(sorted(answers)) for what, answers in observed.items()},
        )
        found.place.as_posix()
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(
            f"{file.name} is no certificate as `certify` writes it ({type(error).__name__}: {error})"
        ) from error
    return found


def slug(text: str) -> str:
    """Spell a name so that it can be one of a file on every system."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.") or "unnamed"


def write_page(root: Path, output: Path) -> None:
    """Write index.html, and the certificates that it links to."""
    held = [read(file) for file in certificates(root)]
    held.sort(key=lambda one: (one.manifest["client"]["name"].lower(), one.manifest["started"], one.place))
    here = Path(__file__).parent
    environment = Environment(
        loader=FileSystemLoader(here),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: plain(value) if type(value) is str else value,
    )
    style = (here / "page.css").read_text("utf-8")
    page = environment.get_template("page.html.j2").render(
        certificates=held,
        requirements=_told("requirements"),
        questions=_told("questions"),
        subjects=sorted({what for one in held for what in one.observed}, key=_by_number),
        marks=MARKS,
        digests={one.file: hashlib.sha256(one.file.read_bytes()).hexdigest() for one in held},
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )
    output.mkdir(parents=True, exist_ok=True)
    (output / "index.html").write_text(page, "utf-8")
    for one in held:
        target = output / one.place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(one.file.read_bytes())


def _told(verb: str) -> list[dict[str, Any]]:
    """Ask the suite for its requirements or open questions."""
    ended = subprocess.run([*SUITE, verb, "--format", "json"], capture_output=True, check=False)
    if ended.returncode:
        raise Refused(f"vdi-conformance cannot be run by {sys.executable}: install its wheel with the extra signing")
    told: list[dict[str, Any]] = json.loads(ended.stdout)
    return told


def _by_number(what: tuple[str, str]) -> tuple[int, str, str]:
    return int("".join(filter(str.isdecimal, what[0])) or 0), *what


def plain(text: str) -> str:
    """Give a text of somebody else in one line, without what is not printable."""
    told = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return told if len(told) <= LONGEST else f"{told[:LONGEST]}…"


if __name__ == "__main__":
    raise SystemExit(main())
