"""What a certificate asks for: fixed options, two seeds, and faults that must be found on the spot."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

FORMAT: Final = 1
SEEDS: Final = (0, 1)
TIMEOUT_SCALE: Final = 1.0
WORKERS: Final = 2
PLUGINS: Final = ("pytest-xdist",)
"""The plugins of pytest that its runs have, by their distributions, beside those of pytest and of the suite."""


class Canary(NamedTuple):
    """A fault that is put around the adapter, and the requirement that must be seen broken then."""

    fault: str
    requirement: str

    @property
    def reference(self) -> str:
        """The adapter to run."""
        topic = self.requirement.partition("-")[0].lower()
        return f"vdi_fixtures.broken.{topic}.{self.fault}:Broken"


_TWICE: Final = Canary("double_completion_accepted", "CMP-03")
_SHARING: Final = (Canary("mapping_copies", "MBH-02"), Canary("outsider_maps", "MBH-13"), _TWICE)
CANARIES: Final[Mapping[str, tuple[Canary, ...]]] = MappingProxyType(
    {"core": (Canary("closed_devices_take_results", "CMP-06"), _TWICE), "shared-buffers": _SHARING, "full": _SHARING}
)
"""By the names of profiles."""
