"""The numbers of the host protocol that both ends know: its version and its error codes (JSON-RPC 2.0 and our own)."""

from typing import Final

PROTOCOL_VERSION: Final = 1

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
ADAPTER_RAISED: Final = -32000
ADAPTER_NOT_LOADED: Final = -32001
PROTOCOL_NOT_SPOKEN: Final = -32002
MEMORY_FAULT: Final = -32003
IMPLEMENTATION_UNAVAILABLE: Final = -32004


class Refused(Exception):
    """A request is answered with an error: its code, one sentence, and data for whoever looks closer."""

    def __init__(self, code: int, message: str, data: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data
