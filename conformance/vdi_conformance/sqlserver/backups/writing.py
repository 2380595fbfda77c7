"""What a backup writes: its label, and the streams of its devices; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.contract import Database as Contents
from vdi_conformance.emulator.stream import Backup, StreamContents
from vdi_conformance.sqlserver.backups import label as labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vdi_conformance.emulator.stream import Frame
    from vdi_conformance.sqlserver.backups.label import Label


class Streams:
    """The streams of one backup; `tell` is told of the bytes of each data frame that has been written."""

    def __init__(self, label: Label, document: bytes, tell: Callable[[int], None]) -> None:
        contents = StreamContents(label.kind == "log", label.traits.is_snapshot)
        self._tell = tell
        self._backup = Backup(
            Contents(label.source.seed, label.source.size if label.kind == "database" else 0),
            label.media.family_count,
            label.block_size,
            label.max_transfer_size,
            label.guid.bytes,
            contents,
            labels.written(label),
            document,
        )

    @property
    def size(self) -> int:
        """How many bytes the data frames hold, all together."""
        return self._backup.size

    def frames(self, device: int) -> Iterator[Frame]:
        """Give the frames of one device."""
        for frame in self._backup.frames(device):
            yield frame
            if frame.is_data:
                self._tell(len(frame.payload))
