"""Hosts made from the skeletons: `python3 ci/hosts/run.py [--lang LANGUAGE ...] [further options of run]`.

Each language of `ci/hosts/languages.toml` gets its skeleton by `adapter init` in `build/hosts`, unchanged, and built as
its user is told to. Then the profile shared-buffers is run through it on the stand-in libsqlvdi.so, with the commands
of the emulator, and must come to the same verdicts and answers as through Python (`sqlserver:PATH`), apart from what
`ci/compare_abis.py` explains. Further options go to `run`, in place of the profile. What this machine cannot offer is
named as not applicable.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tomllib
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import native
from environment import ROOT, alone, call, is_newer_than_the_sources, main, say, tool
from hosts.toolchains import Language, languages
from widths.packages import NotHere

BUILD: Final = ROOT / "build" / "hosts"
REPORTS: Final = ROOT / "reports"
PROFILE: Final = ("--profile", "shared-buffers", "-n", "2")


def run(python: Path, arguments: list[str]) -> int:
    """Try every language that was asked for; the first exit code that is not 0 counts."""
    known = languages()
    parser = argparse.ArgumentParser(prog="ci/hosts/run.py", allow_abbrev=False)
    parser.add_argument("--lang", action="append", choices=sorted(known), help="only this language; may be repeated")
    chosen, further = parser.parse_known_args(arguments)
    if platform.system() != "Linux":
        say("Not applicable: hosts made from the skeletons, since the stand-in libsqlvdi.so is for Linux alone.")
        return 0
    BUILD.mkdir(parents=True, exist_ok=True)
    with alone(BUILD / "in-use.lock"):
        library = native.build()
        made = [manifest for name in chosen.lang or known if (manifest := made_host(python, known[name], library))]
        return _tried(python, made, library, further) if made else 0


def made_host(python: Path, language: Language, library: Path) -> Path | None:
    """Give the manifest of a host for the library; nothing where it cannot be built here, which is said."""
    directory = BUILD / language.name
    try:
        language.build(python, directory, library)
    except NotHere as reason:
        say(f"Not applicable: the skeleton in {language.name}, since {reason}.")
        return None
    return _manifest(directory, library)


def _manifest(directory: Path, library: Path) -> Path:
    """Write a manifest beside the skeleton's own: where the last word is a library, it becomes this one.

    A program that names none there was linked to it.
    """
    words = tomllib.loads((directory / "manifest.toml").read_text(encoding="utf-8"))["command"]
    if words[-1].endswith(library.suffix):
        words[-1] = str(library)
    manifest = directory / "stand-in.toml"
    # JSON writes strings and lists as TOML does.
    manifest.write_text(f"command = {json.dumps(words)}\n", encoding="utf-8")
    return manifest


def _tried(python: Path, manifests: list[Path], library: Path, further: list[str]) -> int:
    """Run the suite through Python, then through each host, and hold every host against Python."""
    selected, place = (further, BUILD) if further else ([*PROFILE], REPORTS)
    through_python = place / "hosts-python.jsonl"
    code = 0
    if further or not is_newer_than_the_sources(through_python):
        code = _run(python, f"sqlserver:{library}", through_python, selected)
    for manifest in manifests:
        evidence = place / f"hosts-{manifest.parent.name}.jsonl"
        code = code or _run(python, str(manifest.relative_to(ROOT)), evidence, selected)
        code = code or call([str(python), "ci/compare_abis.py", str(through_python), str(evidence)])
    return code


def _run(python: Path, adapter: str, evidence: Path, selected: list[str]) -> int:
    options = ["--adapter", adapter, "--server", "emulator", "--evidence", str(evidence), *selected]
    return call([tool(python, "vdi-conformance"), "run", *options])


if __name__ == "__main__":
    raise SystemExit(main(run, sys.argv[1:]))
