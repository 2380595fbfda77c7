"""Manifests: a TOML file that says how the host program of an adapter is started."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any, Final

from vdi_conformance.adapters.unknown import UnknownAdapter
from vdi_conformance.host.spec import AdapterSpec
from vdi_conformance.misfits import plainly

_KEYS: Final = {
    "command": "a list of strings, the program first",
    "name": "a string",
    "env": "a table of strings",
    "directory": "a string",
}


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
    if "command" not in table:
        raise UnknownAdapter(f"{path}: the key 'command' is missing; add {_KEYS['command']}")
    directory = path.parent / table.get("directory", ".")
    if not directory.is_dir():
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
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UnknownAdapter(f"{path}: the manifest cannot be read ({error.strerror}); correct its path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnknownAdapter(f"{path}: the manifest is not TOML ({plainly(error)}); correct it") from error


def _fits(key: str, value: object) -> bool:
    if key == "command":
        return isinstance(value, list) and bool(value) and all(isinstance(part, str) for part in value)
    if key == "env":
        return isinstance(value, dict) and all(isinstance(part, str) for part in value.values())
    return isinstance(value, str)


def _program(manifest: Path, directory: Path, program: str) -> str:
    wanted = str(directory / program) if Path(program).name != program else program
    if (found := shutil.which(wanted)) is None:
        raise UnknownAdapter(f"{manifest}: the key 'command' names {wanted}, which is no program here; correct it")
    return found
