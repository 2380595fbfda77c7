"""The C++ skeleton as a Windows program: `python3 ci/hosts/com.py [--bits 64] [--bits 32] [further options of run]`.

It calls the stand-in sqlvdi.dll as programs do that are compiled against its header: the class that is registered makes
an object, whose methods are called through its vtable, from a 64-bit and from a 32-bit process in Wine. The suite and
the server stay outside of it. The topics GetBufferHandle, MapBufferHandle and CompleteCommand must come to the same
verdicts as through Python and libsqlvdi.so, apart from what `ci/compare_abis.py` explains. Further options go to `run`,
in place of the topics. What this machine cannot offer is named as not applicable.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import native
from environment import ROOT, Unprepared, alone, call, clean_variables, main, say, tool, wait
from widths import standins, wine32
from widths.packages import NotHere, install
from wine import standin, system
from wine.prefix import Prefix

if TYPE_CHECKING:
    from collections.abc import Sequence

assert sys.platform != "win32", "on Windows the C++ skeleton needs no Wine"

BUILD: Final = ROOT / "build" / "hosts"
TOPICS: Final = ("--topic", "GBH", "--topic", "MBH", "--topic", "CMP")
_JSON: Final = "nlohmann-json3-dev"
_HEADERS: Final = Path("/usr/include/nlohmann")
_PACKAGE: Final = Path("/usr/share/cmake/nlohmann_json")
# With so long a path a broker listens at a port, which a process in Wine can reach.
_BEYOND_A_SOCKET: Final = "x" * 120
_OF_WINE: Final = "WINE"
_NARROW: Final = 32
_UNTRIED: Final = 6


class Width(NamedTuple):
    """A width of processes: its compiler with std::thread, and the package of that."""

    bits: int
    compiler: str
    package: str

    def prefix(self) -> Prefix:
        """Make a Windows of this width; NotHere or Unprepared where that cannot be."""
        if self.bits == _NARROW:
            return wine32.provide(ROOT / "build" / "widths" / "wine")
        system.provide()
        (ROOT / "build" / "wine").mkdir(parents=True, exist_ok=True)
        prefix = Prefix(ROOT / "build" / "wine" / "prefix")
        prefix.make()
        return prefix

    def library(self) -> Path:
        """Build the stand-in of this width."""
        if self.bits == _NARROW:
            return standins.for_windows().build(ROOT / "build" / "widths" / "windows")
        return standin.library().build(ROOT / "build" / "wine" / "stand-in")


WIDTHS: Final = {
    64: Width(64, "x86_64-w64-mingw32-g++-posix", "g++-mingw-w64-x86-64-posix"),
    32: Width(32, "i686-w64-mingw32-g++-posix", "g++-mingw-w64-i686-posix"),
}


def run(python: Path, arguments: list[str]) -> int:
    """Try every width that was asked for; the first exit code that is not 0 counts."""
    parser = argparse.ArgumentParser(prog="ci/hosts/com.py", allow_abbrev=False)
    parser.add_argument("--bits", action="append", type=int, choices=sorted(WIDTHS), help="only this width")
    chosen, further = parser.parse_known_args(arguments)
    code = 0
    BUILD.mkdir(parents=True, exist_ok=True)
    with alone(BUILD / "in-use.lock"):
        for bits in chosen.bits or WIDTHS:
            code = code or _tried(python, WIDTHS[bits], further or [*TOPICS])
    return code


def _tried(python: Path, width: Width, selected: Sequence[str]) -> int:
    try:
        if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            raise NotHere("it is made on Linux on 64-bit x86 alone")
        install("cmake", "make", _JSON, width.package)
        prefix = width.prefix()
    except (NotHere, Unprepared) as reason:
        say(f"Not applicable: a {width.bits}-bit host through COM, since {reason}.")
        return 0
    library, program = width.library(), _program(python, width)
    with prefix:
        if code := prefix.run(["regsvr32", "/s", f"Z:{library}"], ROOT):
            raise Unprepared(f"The stand-in could not be registered (regsvr32 ended with exit code {code}).")
        return _compared(python, width, _manifest(prefix, program), selected)


def _program(python: Path, width: Width) -> Path:
    """Build the skeleton as its user does, but for Windows."""
    sources, made = BUILD / f"com-{width.bits}", BUILD / f"com-{width.bits}" / "build"
    _write(python, sources)
    told = ["-DCMAKE_SYSTEM_NAME=Windows", f"-DCMAKE_CXX_COMPILER={width.compiler}", f"-Dnlohmann_json_DIR={_json()}"]
    for command in (["-S", str(sources), "-B", str(made), *told], ["--build", str(made), "--parallel", "2"]):
        done = subprocess.run(["cmake", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)  # noqa: S607
        if done.returncode:
            said = done.stdout.decode(errors="replace")
            raise Unprepared(f"The {width.bits}-bit host could not be built: {said}")
    return made / "vdi-host.exe"


def _write(python: Path, directory: Path) -> None:
    """Write the skeleton, but leave files alone that are right already: what was built from them is so too."""
    with TemporaryDirectory(dir=BUILD) as scratch:
        fresh = Path(scratch) / "cpp"
        command = [tool(python, "vdi-conformance"), "adapter", "init", str(fresh), "--lang", "cpp"]
        subprocess.run(command, check=True, env=clean_variables(), stdout=subprocess.DEVNULL)
        for path in fresh.rglob("*"):
            kept = directory / path.relative_to(fresh)
            if path.is_file() and not (kept.is_file() and kept.read_bytes() == path.read_bytes()):
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, kept)


def _json() -> Path:
    """Give the headers of the JSON library apart from those of this system, which are not for Windows."""
    root = BUILD / "json"
    shutil.copytree(_HEADERS, root / "include" / _HEADERS.name, dirs_exist_ok=True)
    return shutil.copytree(_PACKAGE, root / "share" / "cmake" / _PACKAGE.name, dirs_exist_ok=True)


def _manifest(prefix: Prefix, program: Path) -> Path:
    manifest = program.parents[1] / "wine.toml"
    variables = {name: value for name, value in prefix.variables.items() if name.startswith(_OF_WINE)}
    # JSON writes strings and lists as TOML does.
    lines = [f"command = {json.dumps([*prefix.starting, str(program)])}", "[env]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in variables.items()]
    manifest.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return manifest


def _compared(python: Path, width: Width, manifest: Path, selected: Sequence[str]) -> int:
    """Run the same checks through Python on Linux and through the host, and hold one against the other."""
    through_python, evidence = BUILD / "com-python.jsonl", BUILD / f"com-{width.bits}.jsonl"
    code = _run(python, f"sqlserver:{native.build()}", through_python, {}, selected)
    code = code or through_com(python, manifest, evidence, selected)
    # What Wine cannot offer leaves requirements untried; the comparison tells whether each check has its reason.
    return (
        code
        if code not in (0, _UNTRIED)
        else call([str(python), "ci/compare_abis.py", str(through_python), str(evidence)])
    )


def through_com(python: Path, manifest: Path, evidence: Path, selected: Sequence[str]) -> int:
    """Run checks through a host in Wine, with the files of the run at so long a path that a port is listened at."""
    # Hosts that are started one by one have their files where TMPDIR says.
    starting = ["--vdi-start", "spawn"] if "--" in selected else ["--", "--vdi-start", "spawn"]
    with TemporaryDirectory() as near:
        far = Path(near) / _BEYOND_A_SOCKET
        far.mkdir()
        # Other accounts are to be kept away by Wine, not by a directory.
        for path in (Path(near), far):
            path.chmod(0o755)
        return _run(python, str(manifest.relative_to(ROOT)), evidence, {"TMPDIR": str(far)}, [*selected, *starting])


def _run(python: Path, adapter: str, evidence: Path, variables: dict[str, str], selected: Sequence[str]) -> int:
    options = ["--adapter", adapter, "--server", "emulator", "--evidence", str(evidence), "-n", "2", *selected]
    command = [tool(python, "vdi-conformance"), "run", *options]
    with subprocess.Popen(command, cwd=ROOT, env=clean_variables() | variables) as process:
        return wait(process)


if __name__ == "__main__":
    raise SystemExit(main(run, sys.argv[1:]))
