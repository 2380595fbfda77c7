"""What clients read from the registry of the server (where its backups are), and what they may not do outside of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.sqltypes import NVARCHAR_MAX
from vdi_conformance.sqlserver.procedures import Parameter, procedure
from vdi_conformance.tds.answers import Column, Columns, Row, SqlType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.sqlserver.procedures import Call
    from vdi_conformance.tds.answers import Answer

_KEY: Final = SqlType("nvarchar", 4000)
_PROPERTIES: Final = {
    "backupdirectory": "InstanceDefaultBackupPath",
    "defaultdata": "InstanceDefaultDataPath",
    "defaultlog": "InstanceDefaultLogPath",
}
"""Values of the registry, and the properties of the server that say the same."""


@procedure("xp_cmdshell", parameters=(Parameter("@command", _KEY, is_required=True), Parameter("@no_output", _KEY)))
def _run_nothing(_call: Call) -> Iterator[Answer]:
    raise fault(15281, "sys.xp_cmdshell")


@procedure(
    "xp_instance_regread",
    "xp_regread",
    parameters=(
        Parameter("@rootkey", _KEY, is_required=True),
        Parameter("@key", _KEY, is_required=True),
        Parameter("@value_name", _KEY),
        Parameter("@value", NVARCHAR_MAX, is_output=True),
        Parameter("@no_output", SqlType("nvarchar", 30), is_output=True),
    ),
)
def _read(call: Call) -> Iterator[Answer]:
    name = str(call["@value_name"] or "")
    wanted = _PROPERTIES.get(name.lower())
    found = None if wanted is None else call.state.instance.property(wanted)
    text = None if found is None else str(found).rstrip("/\\")
    if call.was_given("@value"):
        if text is not None:
            call.give_back("@value", text)
        return
    yield Columns((Column("Value", SqlType("nvarchar", 255)), Column("Data", _KEY)))
    yield Row((name, text))
