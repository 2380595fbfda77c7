"""The numbers of the host protocol that both ends know: its version and its error codes (JSON-RPC 2.0 and our own).

An optional member of a reply, a capability, or a method that no host must have raises the minor version. Both ends
ignore what they do not know of it, and the suite sends a new member of a request only to a host whose minor has it.
Anything else raises the major. What `initialize` is sent stays the same within a major, since it comes before the
answer that tells the host's version.
"""

from typing import Final

from vdi_conformance.versions import Version

PROTOCOL_VERSION: Final = Version(2, 0)

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
