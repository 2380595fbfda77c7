"""HRESULTs of the client methods, as unsigned 32-bit numbers (vdierror.h; facility 0x77)."""

from typing import Final

NOERROR: Final = 0x00000000
VD_E_NOTOPEN: Final = 0x80770002
VD_E_TIMEOUT: Final = 0x80770003
VD_E_ABORT: Final = 0x80770004
VD_E_SECURITY: Final = 0x80770005
VD_E_INVALID: Final = 0x80770006
VD_E_INSTANCE_NAME: Final = 0x80770007
VD_E_NOTSUPPORTED: Final = 0x80770009
VD_E_MEMORY: Final = 0x8077000A
VD_E_UNEXPECTED: Final = 0x8077000B
VD_E_PROTOCOL: Final = 0x8077000C
VD_E_OPEN: Final = 0x8077000D
VD_E_CLOSE: Final = 0x8077000E
VD_E_BUSY: Final = 0x8077000F

E_POINTER: Final = 0x80004003
E_ACCESSDENIED: Final = 0x80070005
REGDB_E_CLASSNOTREG: Final = 0x80040154
CLASS_E_CLASSNOTAVAILABLE: Final = 0x80040111

NAMES: Final[dict[int, str]] = {
    value: name for name, value in tuple(globals().items()) if name.isupper() and isinstance(value, int)
}
_FACILITY_WIN32: Final = 0x80070000


def name_of(code: int) -> str:
    """Give the documented name of an HRESULT, or its hexadecimal form where it has none."""
    if code in NAMES:
        return NAMES[code]
    if code & 0xFFFF0000 == _FACILITY_WIN32:
        return f"HRESULT_FROM_WIN32({code & 0xFFFF})"
    return f"0x{code:08X}"


def failed(code: int) -> bool:
    """Tell whether an HRESULT is a failure: its highest bit is set."""
    return bool(code & 0x80000000)
