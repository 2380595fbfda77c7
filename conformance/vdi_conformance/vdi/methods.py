"""The methods of the client interface: their names, places and symbols, and the HRESULTs that the documents list.

A method may give what its pages, the transition matrix or the page of the Linux library list for it. Codes that only
the header names, without a method, are not here. Slots are those of vdi.h, symbols those of its Linux edition in the
Itanium ABI, which has neither of the forms with an instance.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Method:
    """One method of IClientVirtualDeviceSet2 or IClientVirtualDevice.

    `slot` is its place in the vtable, `codes` are the HRESULTs that the documents list for it, `symbol` is what
    libsqlvdi.so exports it as.
    """

    name: str
    slot: int
    codes: frozenset[int]
    symbol: str | None = None


def snake_case(name: str) -> str:
    """Write a name of the documents as Python writes it: GetBufferHandle is get_buffer_handle."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


_CREATING: Final = frozenset({NOERROR, VD_E_NOTSUPPORTED, VD_E_PROTOCOL})
_CONFIGURING: Final = frozenset({NOERROR, VD_E_TIMEOUT, VD_E_ABORT, VD_E_PROTOCOL})
_OPENING: Final = frozenset({NOERROR, VD_E_OPEN, VD_E_PROTOCOL, VD_E_INVALID, VD_E_ABORT})
_FETCHING: Final = frozenset({NOERROR, VD_E_CLOSE, VD_E_TIMEOUT, VD_E_ABORT, VD_E_PROTOCOL})
_COMPLETING: Final = frozenset({NOERROR, VD_E_INVALID, VD_E_ABORT, VD_E_PROTOCOL})
_ABORTING: Final = frozenset({NOERROR, VD_E_PROTOCOL})
_CLOSING: Final = frozenset({NOERROR, VD_E_PROTOCOL, VD_E_OPEN})
_JOINING: Final = frozenset({NOERROR, VD_E_PROTOCOL, VD_E_ABORT})
_SHARING: Final = frozenset({NOERROR, VD_E_PROTOCOL, VD_E_INVALID})

_OF_A_SET: Final = (
    Method("Create", 3, _CREATING, "_ZN22ClientVirtualDeviceSet6CreateEPcP8VDConfig"),
    Method("GetConfiguration", 4, _CONFIGURING, "_ZN22ClientVirtualDeviceSet16GetConfigurationElP8VDConfig"),
    Method("OpenDevice", 5, _OPENING, "_ZN22ClientVirtualDeviceSet10OpenDeviceEPcPP19ClientVirtualDevice"),
    Method("Close", 6, _CLOSING, "_ZN22ClientVirtualDeviceSet5CloseEv"),
    Method("SignalAbort", 7, _ABORTING, "_ZN22ClientVirtualDeviceSet11SignalAbortEv"),
    Method("OpenInSecondary", 8, _JOINING, "_ZN22ClientVirtualDeviceSet15OpenInSecondaryEPc"),
    Method("GetBufferHandle", 9, _SHARING, "_ZN22ClientVirtualDeviceSet15GetBufferHandleEPhPj"),
    Method("MapBufferHandle", 10, _SHARING, "_ZN22ClientVirtualDeviceSet15MapBufferHandleEiPPh"),
    Method("CreateEx", 11, _CREATING),
    Method("OpenInSecondaryEx", 12, _JOINING),
)
"""IClientVirtualDeviceSet and IClientVirtualDeviceSet2, in the order of their slots."""
_OF_A_DEVICE: Final = (
    Method("GetCommand", 3, _FETCHING, "_ZN19ClientVirtualDevice10GetCommandElPP11VDC_Command"),
    Method("CompleteCommand", 4, _COMPLETING, "_ZN19ClientVirtualDevice15CompleteCommandEP11VDC_Commandiml"),
)
"""IClientVirtualDevice, in the order of its slots."""
METHODS: Final = MappingProxyType({one.name: one for one in (*_OF_A_SET, *_OF_A_DEVICE)})
"""Every method, by its name."""
SLOTS: Final = MappingProxyType({one.name: one.slot for one in METHODS.values()})
"""The place of each method in the vtable of its interface."""
LINUX_SYMBOLS: Final = MappingProxyType({one.name: one.symbol for one in METHODS.values() if one.symbol is not None})
"""What libsqlvdi.so exports each method as that it has."""
