"""The host protocol between bytes and typed messages, without any input or output of its own."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from vdi_conformance.host import codes
from vdi_conformance.host.errors import (
    BY_CODE,
    HostError,
    NotJson,
    UnknownProtocol,
    UnknownRefusal,
    WrongReply,
)
from vdi_conformance.untrusted import decoding
from vdi_conformance.untrusted.misfits import plainly
from vdi_conformance.versions import read_version

if TYPE_CHECKING:
    from vdi_conformance.host.messages.base import Reply, Request

_LONGEST_LINE: Final = 16 << 20
INITIALIZE: Final = "initialize"


class Failure(msgspec.Struct, frozen=True):
    """The error of an answer."""

    code: int
    message: str
    data: Any = None


class HostAnswer(msgspec.Struct, frozen=True):
    """One line of a host: a result or an error under the id of a request."""

    jsonrpc: Literal["2.0"]
    id: int | None = None
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: Failure | msgspec.UnsetType = msgspec.UNSET


class _Claim(msgspec.Struct, frozen=True):
    """What is read of the answer to `initialize` before the rest, whose form another version may have changed."""

    protocol: Any = None


# Escapes are taken one by one from the left, so that a backslash that is escaped itself begins none.
_half_characters: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_encoder = msgspec.json.Encoder()
_answers = msgspec.json.Decoder(HostAnswer)
_claims = msgspec.json.Decoder(_Claim)


@functools.cache
def _decoder(reply: type[Reply]) -> msgspec.json.Decoder[Reply]:
    return msgspec.json.Decoder(reply)


def encode(number: int, request: Request[Any]) -> bytes:
    """Give the line of a request."""
    message = {"jsonrpc": "2.0", "id": number, "method": request.method, "params": request}
    return _encoder.encode(message) + b"\n"


class Lines:
    """Cuts the bytes that a host writes into lines."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._rest: list[bytes] = []
        self._waiting = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Take more bytes and give the lines that are whole now; a line without end is refused."""
        if b"\n" not in data:
            self._rest.append(data)
            self._waiting += len(data)
            if self._waiting > _LONGEST_LINE:
                raise NotJson(self._host, b"".join(self._rest)[:_LONGEST_LINE])
            return []
        *lines, rest = (b"".join(self._rest) + data).split(b"\n")
        self._rest = [rest]
        self._waiting = len(rest)
        return lines


def read_answer(host: str, line: bytes) -> HostAnswer:
    """Read a line as an answer; half a character, which JSON permits, is taken for what it was written as."""
    try:
        decoding.check_json(line)
        return _answers.decode(_half_characters.sub(_as_written, line) if b"\\u" in line else line)
    except (decoding.Unreadable, msgspec.ValidationError) as error:
        raise WrongReply(host, "a request", plainly(error), line) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotJson(host, line) from error


def _as_written(found: re.Match[bytes]) -> bytes:
    return b"\\\\" + found[1] if found[1] else found[0]


def read_reply(host: str, request: Request[Any], answer: HostAnswer, line: bytes) -> Reply | HostError:
    """Read the answer of a request: its reply, or the error that it stands for."""
    if isinstance(answer.error, Failure):
        return _refusal(host, request.method, answer.error)
    if answer.result is msgspec.UNSET:
        return WrongReply(host, request.method, "neither result nor error", line)
    if request.method == INITIALIZE and (refused := _other_protocol(host, answer.result)):
        return refused
    try:
        return _decoder(request.reply).decode(answer.result)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return WrongReply(host, request.method, plainly(error), line)


def _other_protocol(host: str, result: msgspec.Raw) -> UnknownProtocol | None:
    try:
        claimed = read_version(_claims.decode(result).protocol)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if claimed is None or codes.PROTOCOL_VERSION.goes_with(claimed):
        return None
    return UnknownProtocol(host, f"it speaks {claimed}", claimed)


def _refusal(host: str, method: str, failure: Failure) -> HostError:
    # The suite sends what its version asks for: who cannot read that speaks another one, perhaps one without minors.
    misread = method == INITIALIZE and failure.code == codes.INVALID_PARAMS
    if misread or failure.code == codes.PROTOCOL_NOT_SPOKEN:
        return UnknownProtocol(host, failure.message)
    data = failure.data if isinstance(failure.data, dict) else None
    return BY_CODE.get(failure.code, UnknownRefusal)(host, method, failure.message, data)
