"""Manifests: a TOML file that says how the host program of an adapter is started."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Final

from vdi_conformance.adapters.unknown import UnknownAdapter
from vdi_conformance.host.spec import AdapterSpec
from vdi_conformance.untrusted import decoding

_KEYS: Final = {
    "command": "a list of strings, the program first, none with a null character",
    "name": "a string",
    "env": "a table of strings without null characters, whose names have no '='",
    "directory": "a string",
}

_LONGEST: Final = 30_000
"""So much of an argument list, or of an environment, every system passes on."""


def read_manifest(reference: str) -> AdapterSpec:
    """Read a manifest; whatever is wrong with it is an UnknownAdapter that names the file, the key and the remedy.

    `command` is needed. `directory` is where the program is started, relative to the manifest; without it that is the
    manifest's own directory. A program with a path is looked for from there, one without on the PATH.
    """
    path = Path(reference).absolute()
    table = _read(path)
    for key, value in table.items():
        if key not in _KEYS:
            raise UnknownAdapter(f"{path}: the key {key!r} is not known; use {', '.join(_KEYS)}")
        if not _fits(key, value):
            raise UnknownAdapter(f"{path}: the key {key!r} must be {_KEYS[key]}, not {value!r}; correct it")
        if len(repr(value)) > _LONGEST:
            raise UnknownAdapter(f"{path}: the key {key!r} has more than {_LONGEST} characters; shorten it")
    if "command" not in table:
        raise UnknownAdapter(f"{path}: the key 'command' is missing; add {_KEYS['command']}")
    directory = path.parent / table.get("directory", ".")
    if not decoding.is_directory(directory):
        raise UnknownAdapter(f"{path}: the key 'directory' names {directory}, which is no directory; correct it")
    program, *arguments = table["command"]
    return AdapterSpec(
        reference,
        "command",
        table.get("name", path.stem),
        argv=(_program(path, directory, program), *arguments),
        cwd=str(directory),
        env=tuple(table.get("env", {}).items()),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        data = decoding.file_bytes(path)
    except decoding.Unreadable as error:
        raise UnknownAdapter(f"{path}: the manifest cannot be read ({error}); correct its path") from error
    try:
        return decoding.toml(decoding.text(data))
    except decoding.Unreadable as error:
        raise UnknownAdapter(f"{path}: the manifest is not TOML ({error}); correct it") from error


def _fits(key: str, value: object) -> bool:
    if key == "command":
        return isinstance(value, list) and bool(value) and all(map(_can_be_passed, value))
    if key == "env":
        return isinstance(value, dict) and all(
            name and "=" not in name and _can_be_passed(name) and _can_be_passed(one) for name, one in value.items()
        )
    return isinstance(value, str)


def _can_be_passed(value: object) -> bool:
    """Whether a process can be given it as an argument, or in its environment."""
    return isinstance(value, str) and "\0" not in value


def _program(manifest: Path, directory: Path, program: str) -> str:
    wanted = str(directory / program) if Path(program).name != program else program
    if (found := shutil.which(wanted)) is None:
        raise UnknownAdapter(f"{manifest}: the key 'command' names {wanted}, which is no program here; correct it")
    return found
