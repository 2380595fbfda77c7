"""Completion codes: the Win32 error numbers that VDI commands are completed with (winerror.h)."""

from typing import Final

ERROR_SUCCESS: Final = 0
ERROR_INVALID_HANDLE: Final = 6
ERROR_ARENA_TRASHED: Final = 7
ERROR_BAD_ENVIRONMENT: Final = 10
ERROR_WRITE_FAULT: Final = 29
ERROR_READ_FAULT: Final = 30
ERROR_HANDLE_EOF: Final = 38
ERROR_HANDLE_DISK_FULL: Final = 39
ERROR_NOT_SUPPORTED: Final = 50
ERROR_DISK_FULL: Final = 112
ERROR_OPERATION_ABORTED: Final = 995
ERROR_END_OF_MEDIA: Final = 1100
ERROR_FILEMARK_DETECTED: Final = 1101
ERROR_NO_DATA_DETECTED: Final = 1104
ERROR_IO_DEVICE: Final = 1117
ERROR_EOM_OVERFLOW: Final = 1129
ERROR_NO_SYSTEM_RESOURCES: Final = 1450

NAMES: Final[dict[int, str]] = {value: name for name, value in tuple(globals().items()) if name.startswith("ERROR_")}


def name_of(code: int) -> str:
    """Give the name of a completion code, or its number where VDI's documents do not name it."""
    return NAMES.get(code, str(code))
