"""Command codes, origins and feature bits (vdi.h: VDCommands, VDWhence, VDFeatures)."""

from typing import Final

VDC_READ: Final = 1
VDC_WRITE: Final = 2
VDC_CLEAR_ERROR: Final = 3
VDC_REWIND: Final = 4
VDC_WRITE_MARK: Final = 5
VDC_SKIP_MARKS: Final = 6
VDC_SKIP_BLOCKS: Final = 7
VDC_LOAD: Final = 8
VDC_GET_POSITION: Final = 9
VDC_SET_POSITION: Final = 10
VDC_DISCARD: Final = 11
VDC_FLUSH: Final = 12
VDC_SNAPSHOT: Final = 13
VDC_MOUNT_SNAPSHOT: Final = 14
VDC_PREPARE_TO_FREEZE: Final = 15
VDC_FILE_INFO_BEGIN: Final = 16
VDC_FILE_INFO_END: Final = 17
VDC_GET_ERROR: Final = 18
VDC_COMPLETE: Final = 19

NAMES: Final[dict[int, str]] = {value: name for name, value in tuple(globals().items()) if name.startswith("VDC_")}
DATA_COMMANDS: Final = frozenset({VDC_READ, VDC_WRITE})

WHENCE_BEGINNING: Final = 0
WHENCE_CURRENT: Final = 1
WHENCE_END: Final = 2

VDF_LIKE_PIPE: Final = 0x0
VDF_REMOVABLE: Final = 0x1
VDF_REWIND: Final = 0x2
VDF_POSITION: Final = 0x10
VDF_SKIP_BLOCKS: Final = 0x20
VDF_REVERSE_POSITION: Final = 0x40
VDF_DISCARD: Final = 0x80
VDF_FILE_MARKS: Final = 0x100
VDF_RANDOM_ACCESS: Final = 0x200
VDF_SNAPSHOT_PREPARE: Final = 0x400
VDF_ENUM_FROZEN_FILES: Final = 0x800
VDF_VSS_WRITER: Final = 0x1000
VDF_REQUEST_COMPLETE: Final = 0x2000
VDF_WRITE_MEDIA: Final = 0x10000
VDF_READ_MEDIA: Final = 0x20000
VDF_COMPLETE_ENABLED: Final = 0x40000
VDF_LATCH_STATS: Final = 0x80000000
VDF_LIKE_TAPE: Final = 0x173
VDF_LIKE_DISK: Final = VDF_RANDOM_ACCESS

SERVER_FEATURES: Final = VDF_WRITE_MEDIA | VDF_READ_MEDIA | VDF_COMPLETE_ENABLED


def name_of(code: int) -> str:
    """Give the name of a command code, or its number where the headers do not name it."""
    return NAMES.get(code, f"VDC_{code}")
