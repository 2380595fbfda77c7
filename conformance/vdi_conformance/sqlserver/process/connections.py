"""How programs reach a running emulator: addresses, connection strings and variables; pure."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vdi_conformance.sqlserver.process.counts import Account

USER: Final = "sa"
DIRECTORY: Final = "VDI_EMULATOR_DIRECTORY"
PASSWORD: Final = "VDI_EMULATOR_PASSWORD"  # noqa: S105 - the name of a variable
ADDRESS: Final = "VDI_EMULATOR_ADDRESS"
CONNECTION: Final = "VDI_SQLSERVER_CONNECTION"
LIBRARY: Final = "VDI_SQLVDI_LIBRARY"
_LOADER: Final = "LD_LIBRARY_PATH"
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - what is listened at, not what this listens at
PORT: Final = 1433


class Connections(NamedTuple):
    """Where an emulator is; no `port` where it does not speak TDS."""

    directory: Path
    programs: Path
    server_name: str
    host: str
    port: int | None
    password: str
    library: Path | None = None

    @property
    def address(self) -> str | None:
        """The host and the port to connect to."""
        if self.port is None:
            return None
        host = "127.0.0.1" if self.host in _EVERYWHERE else self.host
        return f"{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def odbc(self) -> str | None:
        """A connection string of Microsoft's driver."""
        if self.address is None:
            return None
        host, _, port = self.address.rpartition(":")
        server = f"Server={host.strip('[]')},{port}"
        return f"{server};UID={USER};PWD={_braced(self.password)};Encrypt=yes;TrustServerCertificate=yes"

    @property
    def pymssql(self) -> Mapping[str, str] | None:
        """The arguments of pymssql.connect."""
        if self.address is None:
            return None
        host, _, port = self.address.rpartition(":")
        return {"server": host.strip("[]"), "port": port, "user": USER, "password": self.password}

    def variables(self, existing: Mapping[str, str]) -> dict[str, str]:
        """Give the variables of a program that uses the emulator, on top of those that there are."""
        own = {DIRECTORY: str(self.directory), PASSWORD: self.password, ADDRESS: self.address, CONNECTION: self.odbc}
        told = {name: value for name, value in own.items() if value is not None}
        told["PATH"] = _before(str(self.programs), existing.get("PATH"), os.pathsep)
        told["WINEPATH"] = _before(f"Z:{self.programs}".replace("/", "\\"), existing.get("WINEPATH"), ";")
        if os.name == "nt":
            del told["WINEPATH"]
        if self.library is not None:
            told[LIBRARY] = str(self.library)
            if os.name != "nt":
                told[_LOADER] = _before(str(self.library.parent), existing.get(_LOADER), os.pathsep)
        return told

    def as_json(self, account: Account | None = None) -> str:
        """Tell all of it for a program, and at the end what was done."""
        told = {
            "directory": str(self.directory),
            "server": self.server_name,
            "address": self.address,
            "user": USER,
            "password": self.password,
            "odbc": self.odbc,
            "pymssql": self.pymssql,
            "programs": str(self.programs),
            "library": str(self.library) if self.library is not None else None,
            "variables": self.variables({}),
            "account": account._asdict() if account is not None else None,
        }
        return json.dumps(told, indent=2) + "\n"

    def as_text(self) -> str:
        """Tell what a person needs."""
        lines = [
            ("Server", self.server_name),
            ("TDS", self.address or "no port: sqlcmd and osql alone"),
            ("Login", f"{USER}, password {self.password}"),
            ("ODBC", self.odbc),
            ("pymssql", f"pymssql.connect({_keywords(self.pymssql)})" if self.pymssql else None),
            ("Clients", f"{DIRECTORY}={self.directory}"),
            ("Programs", f"sqlcmd and osql in {self.programs}"),
            ("Library", str(self.library) if self.library is not None else None),
        ]
        return "".join(f"{name + ':':<10}{value}\n" for name, value in lines if value is not None)


def _braced(password: str) -> str:
    """Write a value so that a connection string takes it as it is."""
    return "{" + password.replace("}", "}}") + "}" if set(password) & set(";{}= ") else password


def _keywords(arguments: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())


def _before(first: str, others: str | None, separator: str) -> str:
    return f"{first}{separator}{others}" if others else first
