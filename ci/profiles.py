"""Writes the profiles by the rule below, or freezes them: `ci/profiles.py [--freeze]`, with the Python of `.venv`.

A profile has every requirement of the library in its topics that can be judged at its server level and has a check. A
requirement is scored unless it only observes (MAY, INFO), is about one platform (LNX, with checks of its own) or shows
on one platform alone: then it is reported. What comes out as not tested when the emulator is tried is excluded, such as
a requirement of `core` whose every check has secondaries. One that is under challenge (`challenged.tsv`) is not listed
at all, which makes it provisional.

A version that `frozen-profiles.tsv` lists is never written again: where its requirements would differ, a new one is.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Final, NamedTuple

from vdi_conformance.cli.checks import checks_by_requirement
from vdi_conformance.evidence.files import read
from vdi_conformance.judgement.scoring import by_requirement
from vdi_conformance.requirements import Requirement, catalogue
from vdi_conformance.requirements.profiles import REACHED, parse

ROOT: Final = Path(__file__).resolve().parents[1]
DIRECTORY: Final = ROOT / "conformance" / "vdi_conformance" / "requirements" / "data" / "profiles"
FROZEN: Final = ROOT / "ci" / "frozen-profiles.tsv"
SHARING: Final = ("GBH", "MBH", "SEC")
PLATFORM: Final = "LNX"


class Rule(NamedTuple):
    """What a profile is, before requirements are known."""

    about: str
    server: str
    joining: bool
    without: tuple[str, ...]
    derived: bool = True


RULES: Final = {
    "core": Rule("sets of one process each, judged with a server that runs statements", "statement", False, SHARING),
    "shared-buffers": Rule(
        "sets of several processes that share buffers by handles, judged with a server that runs statements",
        "statement",
        True,
        (),
    ),
    "full": Rule("all that can be checked, which needs a server that is told every step", "scripted", True, ()),
}


def main() -> int:
    """Write or freeze."""
    if sys.argv[1:] == ["--freeze"]:
        freeze()
    else:
        for name, rule in RULES.items():
            write(name, rule)
    return 0


def write(name: str, rule: Rule) -> None:
    """Write the newest version of a profile anew, or a new one where that is frozen and differs."""
    last = max((int(path.stem.rpartition("-")[2]) for path in DIRECTORY.glob(f"{name}-*.toml")), default=1)
    version = last + (f"{name}-{last}" in frozen())
    path = DIRECTORY / f"{name}-{version}.toml"
    path.write_bytes(text(name, version, rule, frozenset()))
    untested = tried(path)
    made = text(name, version, rule, untested)
    if version > last and made == _renumbered(DIRECTORY / f"{name}-{last}.toml", last, version):
        path.unlink()
        return
    path.write_bytes(made)
    sys.stdout.write(f"wrote {path.name}; not tested, so left out: {', '.join(sorted(untested)) or 'none'}\n")


def _renumbered(path: Path, old: int, new: int) -> bytes:
    return path.read_bytes().replace(f"\nversion = {old}\n".encode(), f"\nversion = {new}\n".encode())


def text(name: str, version: int, rule: Rule, untested: frozenset[str]) -> bytes:
    """Give the file of a profile."""
    requirements = [
        requirement
        for requirement in catalogue().requirements
        if requirement.binds == "library" and requirement.group not in rule.without and requirement.challenge is None
    ]
    if rule.server != "scripted":
        requirements = [requirement for requirement in requirements if requirement.reach in REACHED[rule.server]]
    held = [
        requirement
        for requirement in requirements
        if requirement.id in checks_by_requirement() and requirement.id not in untested
    ]
    scored = [requirement for requirement in held if _decides(requirement, rule)]
    values = {
        "name": name,
        "version": version,
        "about": rule.about,
        "server": rule.server,
        "joining": rule.joining,
        "derived": rule.derived,
        "topics": list(dict.fromkeys(requirement.group for requirement in requirements)),
        "scored": [requirement.id for requirement in scored],
        "reported": [requirement.id for requirement in held if requirement not in scored],
        "excluded": [requirement.id for requirement in requirements if requirement not in held],
    }
    lines = [f"{key} = {_value(value)}" for key, value in values.items()]
    optional = [f'{requirement.id} = "{requirement.optional}"' for requirement in scored if requirement.optional]
    return "\n".join([*lines, "", "[optional]", *optional, ""]).encode()


def _decides(requirement: Requirement, rule: Rule) -> bool:
    return (
        requirement.level in ("MUST", "SHOULD")
        and requirement.reach != "platform"
        and not _of_one_platform(requirement)
        and (rule.derived or requirement.source_class != "derived")
    )


def _of_one_platform(requirement: Requirement) -> bool:
    """Whether it holds on one platform alone, and no check of it judges another topic as well."""
    others = {
        check for id_, checks in checks_by_requirement().items() if not id_.startswith(PLATFORM) for check in checks
    }
    return requirement.group == PLATFORM and others.isdisjoint(checks_by_requirement()[requirement.id])


def _value(value: object) -> str:
    if not isinstance(value, list):
        return json.dumps(value)
    lines = textwrap.wrap(", ".join(f'"{one}"' for one in value), 110)
    return "\n".join(["[", *(f"    {line}" for line in lines), "]"]) if value else "[]"


def tried(path: Path) -> frozenset[str]:
    """Give the requirements of a profile by which the emulator cannot be judged, as the profile stands."""
    profile = parse(path.read_bytes(), path.name)
    with tempfile.TemporaryDirectory() as directory:
        evidence = Path(directory) / "evidence.jsonl"
        options = ["--adapter", "emulator", "-n", "2", "--profile", profile.label, "--evidence", str(evidence)]
        command = [sys.executable, "-m", "vdi_conformance.cli", "run", *options]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        run = read(evidence)
    requirements = by_requirement(profile, catalogue().requirements, run.header.client, run.checks)
    return frozenset(
        requirement.id for requirement in requirements if requirement.verdict in ("not tested", "not applicable")
    )


def frozen() -> dict[str, str]:
    """Give the hashes of the frozen versions by their labels."""
    _, *lines = FROZEN.read_text("utf-8").splitlines()
    return dict(line.split("\t") for line in lines)


def freeze() -> None:
    """List every version that there is; one that is listed already must be what it was."""
    held = frozen()
    for path in sorted(DIRECTORY.glob("*.toml")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if held.setdefault(path.stem, digest) != digest:
            raise SystemExit(f"{path.name} is frozen and was changed: put it back, changes belong into a new version")
    lines = ["profile\tsha256", *(f"{label}\t{digest}" for label, digest in sorted(held.items()))]
    FROZEN.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
