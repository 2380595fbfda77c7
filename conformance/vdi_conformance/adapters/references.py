"""What a reference to an adapter leads to."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Final

from vdi_conformance.adapters.manifest import read_manifest
from vdi_conformance.adapters.sqlserver import LIBRARY_VARIABLE
from vdi_conformance.adapters.unknown import UnknownAdapter
from vdi_conformance.host.spec import AdapterSpec
from vdi_conformance.untrusted import decoding

SQL_SERVER: Final = "sqlserver"
BUILT_IN: Final = {
    "emulator": "vdi_conformance.adapters.emulator:Emulator",
    SQL_SERVER: f"vdi_conformance.adapters.sqlserver_{'windows' if sys.platform == 'win32' else 'linux'}:SqlServer",
}
_OUR_PACKAGES: Final = ("vdi_conformance", "vdi_fixtures")
_EMULATOR: Final = (
    "vdi_conformance.adapters.emulator",
    *(
        f"vdi_conformance.emulator.{module}"
        for module in ("client", "broker", "broker_connection", "server", "statement")
    ),
)
_FORMS: Final = (
    f"use a built-in name ({', '.join(BUILT_IN)}), sqlserver:PATH of a library, package.module:Class, "
    "path/file.py:Class, "
    "or the path of a manifest (*.toml)"
)


def resolve(reference: str) -> AdapterSpec:
    """Find out how the adapter of that reference is started; the adapter itself is not imported here.

    A reference that leads nowhere is an UnknownAdapter, in one sentence with a remedy.
    """
    if not decoding.is_unicode(reference):
        raise UnknownAdapter(f"the adapter {reference!r} cannot be named in a report: rename it so that it is UTF-8")
    if reference == "emulator":
        return AdapterSpec(reference, "python", reference, target=BUILT_IN[reference], preload=_EMULATOR)
    if reference.partition(":")[0] == SQL_SERVER:
        return _sql_server(reference)
    if reference.endswith(".toml"):
        return read_manifest(reference)
    place, colon, name = reference.rpartition(":")
    if not colon or not place or not all(part.isidentifier() for part in name.split(".")):
        raise UnknownAdapter(f"{reference!r} is no reference to an adapter: {_FORMS}")
    target = _file(reference, place) if place.endswith(".py") else _module(reference, place)
    # Our own adapters, the broken ones included, are made of the emulator.
    preload = _EMULATOR if place.partition(".")[0] in _OUR_PACKAGES else ()
    return AdapterSpec(reference, "python", name, target=f"{target}:{name}", preload=preload)


def _sql_server(reference: str) -> AdapterSpec:
    """Find the library that a reference names; without one, the variable or the usual place is tried where it runs."""
    _, colon, place = reference.partition(":")
    path = Path(place).absolute()
    if colon and not decoding.is_file(path):
        raise UnknownAdapter(f"the adapter {reference!r} cannot be found: there is no library {path}; correct its path")
    env = ((LIBRARY_VARIABLE, str(path)),) if colon else ()
    target = BUILT_IN[SQL_SERVER]
    return AdapterSpec(reference, "python", SQL_SERVER, target=target, env=env, preload=(target.partition(":")[0],))


def _file(reference: str, place: str) -> str:
    path = Path(place).absolute()
    if not decoding.is_file(path):
        raise UnknownAdapter(f"the adapter {reference!r} cannot be found: there is no file {path}; correct its path")
    return str(path)


def _module(reference: str, place: str) -> str:
    if not all(part.isidentifier() for part in place.split(".")):
        raise UnknownAdapter(f"{reference!r} is no reference to an adapter: {_FORMS}")
    package = place.partition(".")[0]
    if package not in sys.modules and importlib.util.find_spec(package) is None:
        raise UnknownAdapter(
            f"the adapter {reference!r} cannot be found: no package {package!r} is installed here; "
            f"install it, or name its file (path/file.py:Class)"
        )
    return place
