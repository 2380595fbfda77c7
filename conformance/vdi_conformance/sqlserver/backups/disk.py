"""Backups on disk: files that hold the streams of backup sets, one behind the other."""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.emulator.stream import HEADER_SIZE, MEDIA, StreamError, StreamHeader
from vdi_conformance.sqlserver.backups import label as labels
from vdi_conformance.sqlserver.backups.media import MediaFailure, Place
from vdi_conformance.sqlserver.backups.reader import FamilyReader
from vdi_conformance.sqlserver.databases.activities import Busy
from vdi_conformance.sqlserver.messages import message, with_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import BinaryIO

    from vdi_conformance.emulator.statement import Sizes
    from vdi_conformance.sqlserver.backups.label import Label
    from vdi_conformance.sqlserver.backups.media import MakeStreams
    from vdi_conformance.sqlserver.backups.reader import Wish
    from vdi_conformance.sqlserver.backups.writing import Streams
    from vdi_conformance.sqlserver.databases.activities import Activities

_PIECE: Final = 1 << 20
_SYSTEM_ERRORS: Final = {
    errno.ENOENT: "2(The system cannot find the file specified.)",
    errno.ENOTDIR: "3(The system cannot find the path specified.)",
    errno.EACCES: "5(Access is denied.)",
    errno.EISDIR: "5(Access is denied.)",
    errno.ENOSPC: "112(There is not enough space on the disk.)",
}
_IN_USE: Final = "32(The process cannot access the file because it is being used by another process.)"
_NOT_READY: Final = "21(The device is not ready.)"


class _Found(NamedTuple):
    """A backup set in a file: from `start` up to `end`."""

    start: int
    end: int
    label: Label


class _Cancelled(Exception):
    """Somebody asked for the end."""


class DiskMedia:
    """Files, each with one family (backups.media.Media)."""

    type_name = "DISK"
    device_type = 2

    def __init__(self, files: Sequence[tuple[str, Path]], written: Activities, now: Callable[[], datetime]) -> None:
        self.names = tuple(name for name, _ in files)
        self._paths = tuple(path for _, path in files)
        self._written = written
        self._now = now
        self._cancelled = False
        self._starts = [0] * len(files)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let no other backup write to the files (3201) meanwhile."""
        with ExitStack() as stack:
            for name, path in zip(self.names, self._paths, strict=True):
                try:
                    stack.enter_context(self._written.holding(str(path), "backup"))
                except Busy:
                    raise MediaFailure((message(3201, device=name, error=_IN_USE),)) from None
            yield

    def place(self, overwrites: bool, skips: bool) -> Place:
        """Go behind what is there already, which has to be of as many families; or overwrite it."""
        found = [] if overwrites and skips else [self._sets(index) for index in range(len(self.names))]
        if overwrites:
            self._require_expired(found)
            return Place()
        if not any(found):
            return Place()
        media = {(one[0].label.media.guid, one[0].label.media.family_count, len(one)) for one in found if one}
        if len(media) != 1 or not all(found) or found[0][0].label.media.family_count != len(self.names):
            text = f"The files '{', '.join(self.names)}' are not all of one media set: use WITH FORMAT for a new one."
            raise MediaFailure((with_text(3132, text),))
        self._starts = [one[-1].end for one in found]
        return Place(found[0][0].label.media, len(found[0]) + 1)

    def _require_expired(self, found: Sequence[Sequence[_Found]]) -> None:
        for name, sets in zip(self.names, found, strict=False):
            expires = max((one.label.expires for one in sets if one.label.expires is not None), default=None)
            if expires is not None and expires > self._now():
                raise MediaFailure((message(4030, device=name, expiration=expires),))

    def write(self, sizes: Sizes, snapshot: bool, make: MakeStreams) -> None:
        """Write the streams, one after the other; where that fails, what was there before them stays."""
        streams = make(sizes.block_size, sizes.max_transfer_size)
        for index, path in enumerate(self._paths):
            self._watched(index, partial(self._append, path, streams, index))

    def _append(self, path: Path, streams: Streams, index: int) -> None:
        start = self._starts[index]
        with path.open("r+b" if path.exists() else "w+b") as file:
            file.seek(start)
            try:
                for frame in streams.frames(index):
                    self._look()
                    whole = bytearray(frame.size)
                    frame.write_to(memoryview(whole))
                    file.write(whole)
                file.truncate()
            except BaseException:
                file.truncate(start)
                raise

    def read(self, sizes: Sizes, snapshot: bool, wish: Wish, position: int) -> Sequence[FamilyReader]:
        """Read a backup set from each file; blocks have the size that they were written with."""
        return [self._read(index, wish, position) for index in range(len(self.names))]

    def positions(self, sizes: Sizes, wish: Wish) -> Sequence[Sequence[FamilyReader]]:
        """Read the labels of every set."""
        count = len(self._sets(0))
        if count == 0:
            raise MediaFailure((with_text(3254, f"The volume on device '{self.names[0]}' is empty."),))
        return [self.read(sizes, False, wish, position) for position in range(1, count + 1)]

    def cancel(self) -> None:
        """End before the next piece."""
        self._cancelled = True

    def _read(self, index: int, wish: Wish, position: int) -> FamilyReader:
        sets = self._sets(index, must_exist=True)
        if not sets:
            raise MediaFailure((with_text(3254, f"The volume on device '{self.names[index]}' is empty."),))
        if not 1 <= position <= len(sets):
            raise MediaFailure((message(4038, position=position, device=self.names[index]),))
        found = sets[position - 1]
        reader = FamilyReader(index, len(self.names), wish, found.label.block_size)
        self._watched(index, lambda: self._feed(self._paths[index], found, reader))
        return reader

    def _feed(self, path: Path, found: _Found, reader: FamilyReader) -> None:
        with path.open("rb") as file:
            file.seek(found.start)
            left = found.end - found.start
            while not reader.is_content:
                self._look()
                piece = file.read(min(left, _PIECE if reader.labelled else found.label.block_size))
                left -= len(piece)
                reader.feed(memoryview(piece))
                if not piece:
                    reader.end()

    def _sets(self, index: int, must_exist: bool = False) -> Sequence[_Found]:
        """Give the backup sets of a file, in their order; one that is not there has none."""
        path = self._paths[index]
        if not must_exist and not path.exists():
            return ()
        found: list[_Found] = []
        self._watched(index, lambda: found.extend(_sets_of(path)))
        return found

    def _look(self) -> None:
        if self._cancelled:
            raise _Cancelled

    def _watched(self, index: int, work: Callable[[], object]) -> None:
        """Do something with a file, and explain what went wrong."""
        name = self.names[index]
        try:
            work()
        except StreamError as error:
            told = with_text(error.number, f"The medium on device '{name}' cannot be used: {error}.")
            raise MediaFailure((told,)) from error
        except OSError as error:
            system = _SYSTEM_ERRORS.get(error.errno or 0, _NOT_READY)
            logged = with_text(
                18204, f"BackupDiskFile: failure of backup device '{name}'. Operating system error {system}."
            )
            raise MediaFailure((message(3201, device=name, error=system),), (logged,)) from error
        except _Cancelled:
            raise MediaFailure((message(3204, text="The statement was aborted, since it was cancelled."),)) from None


def _sets_of(path: Path) -> Iterator[_Found]:
    """Find the backup sets of a file by the headers of its frames."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        start = 0
        while start < size:
            label, end = _one_set(file, start, size)
            yield _Found(start, end, label)
            start = end


def _one_set(file: BinaryIO, start: int, size: int) -> tuple[Label, int]:
    """Read the label of the set that begins there, and find where it ends."""
    label, place = None, start
    while place < size:
        file.seek(place)
        header = StreamHeader.unpack(file.read(HEADER_SIZE).ljust(HEADER_SIZE, b"\0"))
        if header.kind == MEDIA:
            if label is not None:
                break
            label = labels.read(file.read(header.payload_size))
        place += header.frame_size
    if label is None:
        raise StreamError(3241, "it does not begin with a label")
    return label, min(place, size)
