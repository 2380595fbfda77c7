"""VDConfig, VDC_Command and VDS_Command: fields and byte offsets (vdi.h, packed to 8 bytes)."""

import struct
from typing import Final, NamedTuple

INFINITE: Final = 0xFFFFFFFF

MIN_DEVICES: Final = 1
MAX_DEVICES: Final = 64
MIN_BLOCK_SIZE: Final = 512
MAX_BLOCK_SIZE: Final = 65536
MAX_ALIGNMENT: Final = 65536
TRANSFER_SIZE_UNIT: Final = 65536
MAX_TRANSFER_SIZE: Final = 4194304
IO_DEPTH: Final = 4


class VDConfig(NamedTuple):
    """The configuration of a virtual device set: 11 unsigned 32-bit fields, 44 bytes (vdi.h).

    Sizes and alignments are in bytes, `server_time_out` is in milliseconds (0 is infinite). The client gives
    the first seven fields, the server the others and the final `features` and `alignment`.
    """

    device_count: int = 1
    features: int = 0
    prefix_zone_size: int = 0
    alignment: int = 0
    soft_file_mark_block_size: int = 0
    eom_warning_size: int = 0
    server_time_out: int = 0
    block_size: int = 0
    max_io_depth: int = 0
    max_transfer_size: int = 0
    buffer_area_size: int = 0

    def pack(self) -> bytes:
        """Give the 44 bytes that the structure has in memory."""
        return VD_CONFIG.pack(*self)

    @classmethod
    def unpack(cls, data: bytes) -> "VDConfig":
        """Read the structure from its 44 bytes."""
        return cls(*VD_CONFIG.unpack(data))


VD_CONFIG: Final = struct.Struct("<11I")

VDC_COMMAND_64: Final = struct.Struct("<iiqQ")
VDC_COMMAND_32: Final = struct.Struct("<iiqI4x")
VDC_COMMAND_OFFSETS: Final = {"command_code": 0, "size": 4, "position": 8, "buffer": 16}
VDC_COMMAND_SIZE: Final = 24
