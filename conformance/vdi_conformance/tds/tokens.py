"""Tokens, of which a server's messages consist [MS-TDS 2.2.7]."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Final

from vdi_conformance.tds.column_values import written_type
from vdi_conformance.tds.type_codes import COLLATION
from vdi_conformance.tds.writing import long_text, short_bytes, short_text, token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.tds.answers import Column, Message, OutputValue

LONGEST_MESSAGE: Final = 16_000
"""Characters, so that the token's length fits into two bytes."""
PROGRAM: Final = "Microsoft SQL Server"
"""What drivers know the product by."""
SELECT: Final = 0xC1
"""The command that a count of rows is told to be of, where rows were given."""
_DESCRIPTOR: Final = 8
"""Bytes of the number of a transaction."""
_INTERFACE: Final = 1
_OUTPUT: Final = 1
_NULLABLE: Final = 1


class Token(IntEnum):
    """What a token is."""

    RETURN_STATUS = 0x79
    COLUMNS = 0x81
    ERROR = 0xAA
    INFO = 0xAB
    RETURN_VALUE = 0xAC
    LOGIN = 0xAD
    ROW = 0xD1
    CHANGE = 0xE3
    DONE = 0xFD
    DONE_PROCEDURE = 0xFE
    DONE_IN_PROCEDURE = 0xFF


class Change(IntEnum):
    """What of the surroundings of a session has changed."""

    DATABASE = 1
    LANGUAGE = 2
    PACKET_SIZE = 4
    COLLATION = 7
    BEGUN = 8
    COMMITTED = 9
    ROLLED_BACK = 10
    RESET = 18


class Done(IntFlag):
    """Bits of what is said at the end of a statement."""

    MORE = 0x01
    ERROR = 0x02
    COUNT = 0x10
    ATTENTION = 0x20


def encode_message(message: Message, server: str) -> bytes:
    """Give a message, which is INFO or ERROR."""
    content = (
        message.number.to_bytes(4, "little", signed=True)
        + bytes([message.state, message.severity])
        + long_text(message.text, LONGEST_MESSAGE)
        + short_text(server)
        + short_text(message.procedure)
        + message.line.to_bytes(4, "little")
    )
    return token(Token.ERROR if message.is_error else Token.INFO, content)


def encode_done(status: int, rows: int | None = None, kind: Token = Token.DONE, command: int = 0) -> bytes:
    """Give the end of a statement, or of a procedure."""
    counted = status | (Done.COUNT if rows is not None else 0)
    return (
        bytes([kind])
        + counted.to_bytes(2, "little")
        + command.to_bytes(2, "little")
        + (rows or 0).to_bytes(8, "little")
    )


def encode_columns(columns: Sequence[Column]) -> bytes:
    """Give what the columns of rows are."""
    parts = [bytes([Token.COLUMNS]), len(columns).to_bytes(2, "little")]
    for column in columns:
        flags = _NULLABLE if column.nullable else 0
        parts += [bytes(4), flags.to_bytes(2, "little"), written_type(column.type).info, short_text(column.name)]
    return b"".join(parts)


def encode_return_status(value: int) -> bytes:
    """Give what a procedure returns."""
    return bytes([Token.RETURN_STATUS]) + value.to_bytes(4, "little", signed=True)


def encode_output(output: OutputValue, place: int) -> bytes:
    """Give the value of a parameter back; `place` is its place among the parameters of the call, from 0 on."""
    written = written_type(output.type)
    head = place.to_bytes(2, "little") + short_text(output.name) + bytes([_OUTPUT]) + bytes(6)
    return bytes([Token.RETURN_VALUE]) + head + written.info + written.write(output.value)


def encode_text_change(change: Change, new: str, old: str = "") -> bytes:
    """Tell of another database, language or size of packets."""
    return token(Token.CHANGE, bytes([change]) + short_text(new) + short_text(old))


def encode_bytes_change(change: Change, new: bytes = b"", old: bytes = b"") -> bytes:
    """Tell of another collation or transaction, or that the session is as new."""
    return token(Token.CHANGE, bytes([change]) + short_bytes(new) + short_bytes(old))


def encode_begun(transaction: int) -> bytes:
    """Tell of a transaction that has begun."""
    return encode_bytes_change(Change.BEGUN, transaction.to_bytes(_DESCRIPTOR, "little"))


def encode_ended(transaction: int, is_committed: bool) -> bytes:
    """Tell of a transaction that has ended."""
    change = Change.COMMITTED if is_committed else Change.ROLLED_BACK
    return encode_bytes_change(change, old=transaction.to_bytes(_DESCRIPTOR, "little"))


def encode_collation() -> bytes:
    """Tell of the collation, which does not change."""
    return encode_bytes_change(Change.COLLATION, COLLATION)


def encode_login(version: tuple[int, int, int], spoken: int) -> bytes:
    """Say that the login was taken, by which version of the server, and in which one of TDS."""
    major, minor, build = version
    content = (
        bytes([_INTERFACE])
        + spoken.to_bytes(4, "big")
        + short_text(PROGRAM)
        + bytes([major, minor])
        + build.to_bytes(2, "big")
    )
    return token(Token.LOGIN, content)
