"""SERVERPROPERTY: what the server says of itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vdi_conformance.data_tables import shipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vdi_conformance.sqlserver.parts import Identification
    from vdi_conformance.sqlserver.places import Places
    from vdi_conformance.tds.answers import Value


def properties(known: Identification, places: Places) -> Mapping[str, Value]:
    """Give every property by its name in lower case."""
    version = ".".join(map(str, known.version))
    major, minor, build = map(str, known.version)
    told: Mapping[str, Value] = {
        **{line["property"]: _value(line) for line in shipped("vdi_conformance.sqlserver", "properties.tsv")},
        "ComputerNamePhysicalNetBIOS": known.machine,
        "ErrorLogFileName": str(places.log / "ERRORLOG"),
        "InstanceDefaultBackupPath": places.backup_path,
        "InstanceDefaultDataPath": places.data_path,
        "InstanceDefaultLogPath": places.data_path,
        "InstanceName": known.instance,
        "MachineName": known.machine,
        "ProcessID": os.getpid(),
        "ProductBuild": build,
        "ProductMajorVersion": major,
        "ProductMinorVersion": minor,
        "ProductVersion": f"{version}.0",
        "ResourceVersion": version,
        "ServerName": known.server_name,
    }
    return {name.casefold(): value for name, value in told.items()}


def _value(line: Mapping[str, str]) -> Value:
    return line["value"] if line["type"] == "nvarchar" else int(line["value"])
