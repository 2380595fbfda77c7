"""Writes the profiles by the rule below, or freezes them: `ci/profiles.py [--freeze]`, with the Python of `.venv`.

A profile has every row of the library in its topics that can be judged at its server level and has a check. A row is
scored unless it only observes (MAY, INFO) or is about one platform (LNX, with checks of its own): then it is reported.
What comes out as not tested when the emulator is tried is excluded, such as a row of `core` whose every check has
secondaries.

A version that `frozen-profiles.tsv` lists is never written again: where its rows would differ, a new one is.
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

from vdi_conformance.cli.checks import checks_by_row
from vdi_conformance.evidence.files import read
from vdi_conformance.report.scoring import by_requirement
from vdi_conformance.requirements import Requirement, catalogue
from vdi_conformance.requirements.profiles import REACHED, parse

ROOT: Final = Path(__file__).resolve().parents[1]
DIRECTORY: Final = ROOT / "conformance" / "vdi_conformance" / "requirements" / "data" / "profiles"
FROZEN: Final = ROOT / "ci" / "frozen-profiles.tsv"
SHARING: Final = ("GBH", "MBH", "SEC")
PLATFORM: Final = "LNX"


class Rule(NamedTuple):
    """What a profile is, before rows are known."""

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
    rows = [row for row in catalogue().rows if row.binds == "library" and row.group not in rule.without]
    if rule.server != "scripted":
        rows = [row for row in rows if row.reach in REACHED[rule.server]]
    held = [row for row in rows if row.id in checks_by_row() and row.id not in untested]
    scored = [row for row in held if _decides(row, rule)]
    values = {
        "name": name,
        "version": version,
        "about": rule.about,
        "server": rule.server,
        "joining": rule.joining,
        "derived": rule.derived,
        "topics": list(dict.fromkeys(row.group for row in rows)),
        "scored": [row.id for row in scored],
        "reported": [row.id for row in held if row not in scored],
        "excluded": [row.id for row in rows if row not in held],
    }
    lines = [f"{key} = {_value(value)}" for key, value in values.items()]
    optional = [f'{row.id} = "{row.optional}"' for row in scored if row.optional]
    return "\n".join([*lines, "", "[optional]", *optional, ""]).encode()


def _decides(row: Requirement, rule: Rule) -> bool:
    return (
        row.level in ("MUST", "SHOULD")
        and not _of_one_platform(row)
        and (rule.derived or row.source_class != "derived")
    )


def _of_one_platform(row: Requirement) -> bool:
    """Whether it says what holds on one platform alone, and no check of it judges a row of another topic as well."""
    others = {check for id_, checks in checks_by_row().items() if not id_.startswith(PLATFORM) for check in checks}
    return row.group == PLATFORM and others.isdisjoint(checks_by_row()[row.id])


def _value(value: object) -> str:
    if not isinstance(value, list):
        return json.dumps(value)
    lines = textwrap.wrap(", ".join(f'"{one}"' for one in value), 110)
    return "\n".join(["[", *(f"    {line}" for line in lines), "]"]) if value else "[]"


def tried(path: Path) -> frozenset[str]:
    """Give the rows of a profile that the emulator cannot be judged by, where the profile is as it stands there."""
    profile = parse(path.read_bytes(), path.name)
    with tempfile.TemporaryDirectory() as directory:
        evidence = Path(directory) / "evidence.jsonl"
        options = ["--adapter", "emulator", "-n", "2", "--profile", profile.label, "--evidence", str(evidence)]
        command = [sys.executable, "-m", "vdi_conformance.cli", "run", *options]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        run = read(evidence)
    rows = by_requirement(profile, catalogue().rows, run.header.client, run.checks)
    return frozenset(row.id for row in rows if row.verdict in ("not tested", "not applicable"))


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
