"""Requests of the transaction manager [MS-TDS 2.2.6.9]."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from vdi_conformance.tds.malformed import Malformed
from vdi_conformance.tds.reading import FieldReader, after_headers, decoded

_BEGINS: Final = 1


class TransactionAct(IntEnum):
    """What is asked for."""

    GET_COORDINATOR = 0
    PROPAGATE = 1
    BEGIN = 5
    PROMOTE = 6
    COMMIT = 7
    ROLL_BACK = 8
    SAVE = 9


class TransactionRequest(NamedTuple):
    """A request; `begins` says that a transaction begins when the other one has ended."""

    act: TransactionAct
    name: str = ""
    begins: bool = False


def read_transaction_request(payload: bytes) -> TransactionRequest:
    """Read a request; levels of isolation are not told, since there is only one."""
    reader = after_headers(payload)
    number = reader.number(2)
    if number not in frozenset(TransactionAct):
        raise Malformed(f"the transaction manager has no request {number}")
    act = TransactionAct(number)
    match act:
        case TransactionAct.BEGIN:
            reader.byte()
            return TransactionRequest(act, _name(reader))
        case TransactionAct.COMMIT | TransactionAct.ROLL_BACK:
            name = _name(reader)
            return TransactionRequest(act, name, bool(reader.has_more and reader.byte() & _BEGINS))
        case TransactionAct.SAVE:
            return TransactionRequest(act, _name(reader))
    return TransactionRequest(act)


def _name(reader: FieldReader) -> str:
    return decoded(reader.take(reader.byte()))
