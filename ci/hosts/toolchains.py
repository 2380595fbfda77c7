"""What builds a skeleton of `adapter init`: found on this machine, or installed from Debian's packages."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any, Final, NamedTuple

from environment import ROOT, Unprepared, clean_variables, say, tool
from widths.packages import NotHere, install

_LANGUAGES: Final = Path(__file__).with_name("languages.toml")
_TEMPLATES: Final = ROOT / "conformance" / "vdi_conformance" / "cli" / "templates"
_DIRECTORY: Final = "{{directory}}"
_LIBRARY_VARIABLE: Final = "VDI_SQLVDI_LIBRARY"
_STAMP: Final = "made-from.txt"


class Language(NamedTuple):
    """A language that there is a skeleton in, with what `languages.toml` says of it."""

    name: str
    programs: dict[str, str]
    libraries: tuple[str, ...]
    files: dict[str, str]
    registry: tuple[str, ...]
    kept: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...]
    otherwise: Language | None

    def build(self, python: Path, directory: Path, library: Path) -> None:
        """Make the skeleton and build it where that is not up to date; NotHere where this machine cannot.

        The library is named to builds that link to it.
        """
        if self.otherwise is not None and not self._has_programs():
            say(f"The skeleton in {self.name} by {_listed(self.otherwise.programs)}: no {_listed(self.programs)} here.")
            self.otherwise.build(python, directory, library)
            return
        self._need_programs()
        stamp, wanted = directory / _STAMP, self._fingerprint()
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
            return
        self._write(python, directory)
        if not self._has_libraries(directory):
            self._need_registry(directory)
        variables = clean_variables() | {_LIBRARY_VARIABLE: str(library)}
        for command in self.commands:
            say(f"Building the skeleton in {self.name}: {' '.join(command)}")
            if subprocess.run(_found(command), cwd=directory, env=variables, check=False).returncode:
                raise Unprepared(f"The skeleton in {self.name} could not be built: the lines above say why.")
        stamp.write_text(wanted, encoding="utf-8")

    def _has_programs(self) -> bool:
        """Tell whether all programs are there and say their versions, which `dotnet` without an SDK does not."""
        return all(
            shutil.which(program) is not None and _said_version(program).returncode == 0 for program in self.programs
        )

    def _need_programs(self) -> None:
        missing = [package for program, package in self.programs.items() if shutil.which(program) is None]
        if missing:
            install(*missing)

    def _fingerprint(self) -> str:
        """Say in one line what the build is made from: the template, and the programs."""
        digest = hashlib.sha256(repr(self).encode())
        for path in sorted(path for path in (_TEMPLATES / self.name).rglob("*") if path.is_file()):
            digest.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
        for program in self.programs:
            version = _said_version(program)
            version.check_returncode()
            digest.update(program.encode() + b"\0" + version.stdout + b"\0")
        return digest.hexdigest()

    def _write(self, python: Path, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        for entry in directory.iterdir():
            if entry.name in self.kept:
                continue
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        command = [tool(python, "vdi-conformance"), "adapter", "init", str(directory), "--lang", self.name]
        subprocess.run(command, check=True, env=clean_variables(), stdout=subprocess.DEVNULL)

    def _has_libraries(self, directory: Path) -> bool:
        """Tell whether the libraries come from Debian's packages, and see that they are used."""
        if not self.libraries:
            return False
        try:
            install(*self.libraries)
        except NotHere:
            if not self.registry:
                raise
            return False
        for name, text in self.files.items():
            (directory / name).parent.mkdir(exist_ok=True)
            (directory / name).write_text(text, encoding="utf-8")
        return True

    def _need_registry(self, directory: Path) -> None:
        if not self.registry:
            return
        done = subprocess.run(
            _found(self.registry), cwd=directory, env=clean_variables(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = " ".join(done.stderr.split())[-200:]
            raise NotHere(f"what it is built from cannot be had (`{' '.join(self.registry)}` says: {said})")


def languages() -> dict[str, Language]:
    """Give every language by its name."""
    table = tomllib.loads(_LANGUAGES.read_text(encoding="utf-8"))
    return {name: _language(name, **said) for name, said in table.items()}


def _language(name: str, programs: dict[str, str], **more: Any) -> Language:
    return Language(
        name,
        programs,
        tuple(more.get("libraries", ())),
        more.get("files", {}),
        tuple(more.get("registry", ())),
        tuple(more.get("kept", ())),
        tuple(tuple(words) for words in more["build"]) if "build" in more else _told(name),
        _language(name, **more["otherwise"]) if "otherwise" in more else None,
    )


def _told(name: str) -> tuple[tuple[str, ...], ...]:
    """Give the commands that a skeleton's user is told, as they are in its own directory."""
    about = tomllib.loads((_TEMPLATES / name / "template.toml").read_text(encoding="utf-8"))
    return tuple(tuple(word.replace(_DIRECTORY, ".") for word in words) for words in about.get("build", ()))


def _said_version(program: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(_found([program, "--version"]), capture_output=True, check=False)


def _listed(programs: dict[str, str]) -> str:
    return " and ".join(programs)


def _found(command: list[str] | tuple[str, ...]) -> list[str]:
    """Give a command with the path of its program, since that of npm is a script on Windows."""
    return [shutil.which(command[0]) or command[0], *command[1:]]
