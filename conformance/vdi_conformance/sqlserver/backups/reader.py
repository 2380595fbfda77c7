"""Takes the streams of a backup set: its label, which decides whether it is wanted, and what of it is kept; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vdi_conformance.emulator.stream import FrameReader, StreamError, largest_payload
from vdi_conformance.sqlserver.backups import label as labels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.sqlserver.backups.label import Document, Label


class Wish(NamedTuple):
    """What is wanted of a backup set.

    `accept` is given the label of each family and raises what refuses it; `tell` how many bytes of data have come.
    """

    accept: Callable[[Label], None]
    tell: Callable[[int], None]
    label_only: bool = False
    bears_damage: bool = False
    """Go on where contents were altered."""
    ignores_checksums: bool = False


class FamilyReader(FrameReader):
    """Takes the stream of one device."""

    def __init__(self, device: int, device_count: int, wish: Wish, block_size: int) -> None:
        super().__init__(device, device_count)
        self.label: Label | None = None
        self.pieces: dict[int, bytes] = {}
        self.is_damaged = False
        self._wish = wish
        self._block_size = block_size
        self._place = (device, device_count)

    @property
    def is_content(self) -> bool:
        """Whether all that is wanted has come."""
        return self.finished or (self._wish.label_only and self.labelled)

    def take_label(self, label: bytes) -> None:
        """Look whether the set is wanted, and can be read in blocks of this size."""
        self.label = labels.read(label)
        if self.label.block_size != self._block_size:
            raise StreamError(
                3268, f"it was written in blocks of {self.label.block_size} bytes, not of {self._block_size}"
            )
        self._wish.accept(self.label)

    def take_data(self, sequence: int, start: int, part: memoryview) -> None:
        """Keep what belongs to the document."""
        if self.label is None or self._wish.label_only:
            return
        self._wish.tell(len(part))
        device, count = self._place
        offset = ((sequence - 1) * count + device) * largest_payload(self.label.max_transfer_size) + start
        if offset < self.label.document:
            self.pieces[offset] = bytes(part[: self.label.document - offset])

    def take_damage(self, sequence: int) -> None:
        """Refuse altered contents, or note them."""
        self.is_damaged = True
        if self._wish.bears_damage:
            return
        if self.label is not None and self.label.traits.has_checksums and not self._wish.ignores_checksums:
            raise StreamError(3183, f"the contents of frame {sequence} were altered")
        super().take_damage(sequence)


def document_of(readers: Sequence[FamilyReader]) -> Document:
    """Put together what all families had of the document; a StreamError where they do not belong together."""
    if len({reader.backup_id for reader in readers}) != 1:
        raise StreamError(3241, "the devices hold streams of different backups")
    pieces = dict(sorted((offset, piece) for reader in readers for offset, piece in reader.pieces.items()))
    label, data = readers[0].label, b"".join(pieces.values())
    if label is None or len(data) != label.document:
        raise StreamError(3256, "the backup set is incomplete")
    return labels.unpacked(data)
