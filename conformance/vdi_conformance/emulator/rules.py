"""Which names and configurations are good: pure questions about arguments."""

import re
from typing import Final

from vdi_conformance.vdi.commands import (
    SERVER_FEATURES,
    VDF_FILE_MARKS,
    VDF_LIKE_DISK,
    VDF_LIKE_PIPE,
    VDF_LIKE_TAPE,
    VDF_POSITION,
    VDF_RANDOM_ACCESS,
    VDF_REMOVABLE,
    VDF_REVERSE_POSITION,
    VDF_REWIND,
    VDF_SKIP_BLOCKS,
)
from vdi_conformance.vdi.structures import (
    IO_DEPTH,
    MAX_ALIGNMENT,
    MAX_BLOCK_SIZE,
    MAX_DEVICES,
    MAX_TRANSFER_SIZE,
    MIN_BLOCK_SIZE,
    MIN_DEVICES,
    TRANSFER_SIZE_UNIT,
    VDConfig,
)

DEFAULT_INSTANCE: Final = "MSSQLSERVER"
BASE_KIND_BITS: Final = (
    VDF_REWIND | VDF_POSITION | VDF_SKIP_BLOCKS | VDF_REVERSE_POSITION | VDF_FILE_MARKS | VDF_RANDOM_ACCESS
)
BASE_KINDS: Final = frozenset({VDF_LIKE_PIPE, VDF_LIKE_TAPE & ~VDF_REMOVABLE, VDF_LIKE_DISK})
_INSTANCE_NAME: Final = re.compile(r"[^\W\d][\w$#]{0,15}|[&#][\w$#]{0,15}")


def instance_of(name: str | None) -> str | None:
    """Give the instance that a name stands for, or None where no instance can have that name.

    None, "" and MSSQLSERVER are the default instance. Any other name that SQL Server's set-up would accept
    (a letter, `_`, `&` or `#`, then up to 15 letters, digits, `_`, `$` or `#`) is an instance that runs.
    """
    if not name:
        return DEFAULT_INSTANCE
    return name.upper() if _INSTANCE_NAME.fullmatch(name) else None


def set_name_is_valid(name: str) -> bool:
    """Tell whether a set may have this name: any text without a backslash."""
    return name != "" and "\\" not in name


def is_power_of_two(number: int) -> bool:
    """Tell whether a number is a power of 2."""
    return number > 0 and number & (number - 1) == 0


def is_supported(config: VDConfig) -> bool:
    """Tell whether the client's half of a configuration can be served."""
    base = config.features & BASE_KIND_BITS
    tape_without_media = base == VDF_LIKE_TAPE & ~VDF_REMOVABLE and not config.features & VDF_REMOVABLE
    return (
        MIN_DEVICES <= config.device_count <= MAX_DEVICES
        and (config.alignment == 0 or (is_power_of_two(config.alignment) and config.alignment <= MAX_ALIGNMENT))
        and base in BASE_KINDS
        and not tape_without_media
    )


def as_requested(config: VDConfig) -> VDConfig:
    """Keep the client's half of a configuration and drop what only the server may give."""
    return config._replace(
        features=config.features & ~SERVER_FEATURES,
        block_size=0,
        max_io_depth=IO_DEPTH,
        max_transfer_size=0,
        buffer_area_size=0,
    )


def server_half_is_valid(alignment: int, block_size: int, max_transfer_size: int) -> bool:
    """Tell whether BeginConfiguration may be called with these sizes (bytes)."""
    return (
        is_power_of_two(block_size)
        and MIN_BLOCK_SIZE <= block_size <= MAX_BLOCK_SIZE
        and (alignment == 0 or (is_power_of_two(alignment) and block_size <= alignment <= MAX_ALIGNMENT))
        and max_transfer_size % TRANSFER_SIZE_UNIT == 0
        and 0 < max_transfer_size <= MAX_TRANSFER_SIZE
    )


def as_configured(
    requested: VDConfig, features: int, alignment: int, block_size: int, max_transfer_size: int
) -> VDConfig:
    """Join both halves; the final alignment satisfies the client's wish, the server's, and the block size."""
    return requested._replace(
        features=features,
        alignment=max(requested.alignment, alignment, block_size),
        block_size=block_size,
        max_transfer_size=max_transfer_size,
    )
