"""sp_getapplock and sp_releaseapplock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.applocks import COMPATIBLE, Resource
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.sqltypes import INT, SYSNAME
from vdi_conformance.sqlserver.procedures import Parameter, procedure
from vdi_conformance.tds.answers import SqlType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.sqlserver.procedures import Call
    from vdi_conformance.tds.answers import Answer

_BAD_PARAMETER: Final = -999
_WORD: Final = SqlType("nvarchar", 32)
_RESOURCE: Final = Parameter("@Resource", SqlType("nvarchar", 255), is_required=True)
_OWNER: Final = Parameter("@LockOwner", _WORD, "Transaction")
_PRINCIPAL: Final = Parameter("@DbPrincipal", SYSNAME, "public")
_OWNERS: Final = ("transaction", "session")
_FOREVER: Final = -1
_MILLISECONDS: Final = 1000


def _owner(call: Call, name: str) -> bool:
    """Tell whether a lock ends with its transaction, which there must be then (15600)."""
    owner = str(call["@LockOwner"]).lower()
    if owner not in _OWNERS or (owner == "transaction" and not call.state.in_transaction):
        raise fault(15600, name)
    return owner == "transaction"


def _resource(call: Call) -> Resource:
    return Resource(call.state.database.lower(), str(call["@Resource"]))


@procedure(
    "sp_getapplock",
    parameters=(
        _RESOURCE,
        Parameter("@LockMode", _WORD, is_required=True),
        _OWNER,
        Parameter("@LockTimeout", INT),
        _PRINCIPAL,
    ),
)
def _get(call: Call) -> Iterator[Answer]:
    state, call.status = call.state, _BAD_PARAMETER
    wanted = str(call["@LockMode"]).lower()
    mode = next((known for known in COMPATIBLE if known.lower() == wanted), None)
    if mode is None or call["@Resource"] is None:
        raise fault(15600, "sp_getapplock")
    with_transaction = _owner(call, "sp_getapplock")
    timeout = call["@LockTimeout"] if call["@LockTimeout"] is not None else state.globals["LOCK_TIMEOUT"]
    seconds = None if timeout == _FOREVER else timeout / _MILLISECONDS
    locks = state.shared.locks
    call.status = locks.acquire(_resource(call), state.session_id, mode, with_transaction, seconds, state.cancelled)
    yield from ()


@procedure("sp_releaseapplock", parameters=(_RESOURCE, _OWNER, _PRINCIPAL))
def _release(call: Call) -> Iterator[Answer]:
    call.status = _BAD_PARAMETER
    with_transaction = _owner(call, "sp_releaseapplock")
    if not call.state.shared.locks.release(_resource(call), call.state.session_id, with_transaction):
        raise fault(1223, call["@Resource"])
    call.status = 0
    yield from ()
