"""Which HRESULTs the documents list for each method of the client interface.

A method has what its pages, the transition matrix or the page of the Linux library list for it. Codes that only the
header names, without a method, are not here.
"""

from types import MappingProxyType
from typing import Final

from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_CLOSE,
    VD_E_INVALID,
    VD_E_NOTSUPPORTED,
    VD_E_OPEN,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
)

_CREATING: Final = frozenset({NOERROR, VD_E_NOTSUPPORTED, VD_E_PROTOCOL})
_JOINING: Final = frozenset({NOERROR, VD_E_PROTOCOL, VD_E_ABORT})
_SHARING: Final = frozenset({NOERROR, VD_E_PROTOCOL, VD_E_INVALID})

CODES: Final = MappingProxyType(
    {
        "Create": _CREATING,
        "CreateEx": _CREATING,
        "GetConfiguration": frozenset({NOERROR, VD_E_TIMEOUT, VD_E_ABORT, VD_E_PROTOCOL}),
        "OpenDevice": frozenset({NOERROR, VD_E_OPEN, VD_E_PROTOCOL, VD_E_INVALID, VD_E_ABORT}),
        "GetCommand": frozenset({NOERROR, VD_E_CLOSE, VD_E_TIMEOUT, VD_E_ABORT, VD_E_PROTOCOL}),
        "CompleteCommand": frozenset({NOERROR, VD_E_INVALID, VD_E_ABORT, VD_E_PROTOCOL}),
        "SignalAbort": frozenset({NOERROR, VD_E_PROTOCOL}),
        "Close": frozenset({NOERROR, VD_E_PROTOCOL, VD_E_OPEN}),
        "OpenInSecondary": _JOINING,
        "OpenInSecondaryEx": _JOINING,
        "GetBufferHandle": _SHARING,
        "MapBufferHandle": _SHARING,
    }
)
"""The HRESULTs of each method, by its name."""
