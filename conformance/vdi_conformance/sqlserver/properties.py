"""SERVERPROPERTY: what the server says of itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vdi_conformance.sqlserver.databases.model import COLLATION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vdi_conformance.sqlserver.parts import Identification
    from vdi_conformance.sqlserver.places import Places
    from vdi_conformance.tds.answers import Value


def properties(known: Identification, places: Places) -> Mapping[str, Value]:
    """Give every property by its name in lower case."""
    version = ".".join(map(str, known.version))
    told: Mapping[str, Value] = {
        "BuildClrVersion": "v4.0.30319",
        "Collation": COLLATION,
        "ComputerNamePhysicalNetBIOS": known.machine,
        "Edition": "Developer Edition (64-bit)",
        "EditionID": -2117995310,
        "EngineEdition": 3,
        "FilestreamConfiguredLevel": 0,
        "FilestreamEffectiveLevel": 0,
        "HadrManagerStatus": 2,
        "InstanceDefaultBackupPath": places.backup_path,
        "InstanceDefaultDataPath": places.data_path,
        "InstanceDefaultLogPath": places.data_path,
        "ErrorLogFileName": str(places.log / "ERRORLOG"),
        "InstanceName": known.instance,
        "IsAdvancedAnalyticsInstalled": 0,
        "IsBigDataCluster": 0,
        "IsClustered": 0,
        "IsFullTextInstalled": 0,
        "IsHadrEnabled": 0,
        "IsIntegratedSecurityOnly": 0,
        "IsLocalDB": 0,
        "IsPolybaseInstalled": 0,
        "IsSingleUser": 0,
        "IsXTPSupported": 0,
        "LCID": 1033,
        "LicenseType": "DISABLED",
        "MachineName": known.machine,
        "ProcessID": os.getpid(),
        "ProductBuild": str(known.version[2]),
        "ProductLevel": "RTM",
        "ProductMajorVersion": str(known.version[0]),
        "ProductMinorVersion": str(known.version[1]),
        "ProductVersion": f"{version}.0",
        "ResourceVersion": version,
        "ServerName": known.server_name,
        "SqlCharSet": 1,
        "SqlCharSetName": "iso_1",
        "SqlSortOrder": 52,
        "SqlSortOrderName": "nocase_iso",
    }
    return {name.casefold(): value for name, value in told.items()}
