"""Output files: links are followed, only regular files are removed or replaced, and no two outputs share one."""

import errno
import os
import secrets
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

Named = tuple[str, Path]
"""A file, and the option or argument that names it."""
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What more room would cure."""


class NotWritable(ValueError):
    """An output that cannot be written: one sentence with the cause and the remedy."""


def not_writable(path: Path, error: OSError) -> NotWritable:
    """Say which output takes nothing, why, and what to do."""
    remedy = "make room, or choose another file" if error.errno in _FULL else "choose another file"
    return NotWritable(f"{path} cannot be written ({error.strerror or error}): {remedy}")


def require_distinct(outputs: Iterable[Named], inputs: Iterable[Named] = ()) -> None:
    """Refuse two outputs on one file, however they spell it, and an output that would replace what is read."""
    names: dict[object, str] = {}
    for name, path in inputs:
        names.setdefault(_identity(path), name)
    for name, path in outputs:
        if (other := names.setdefault(_identity(path), name)) is not name:
            raise NotWritable(f"{other} and {name} name the same file, {path}: choose another one for {name}")


def read_by(reference: str) -> list[Path]:
    """Give the file that a path, or a reference to an adapter, leads to; behind the latter a class may stand."""
    # No text is an error to it, however long.
    return [Path(part) for part in (reference, reference.rpartition(":")[0]) if os.path.isfile(part)]  # noqa: PTH113


def require_writable(path: Path) -> None:
    """Refuse what could not be written, before anything is run; what is no regular file is not opened for that."""
    try:
        if _is_regular(path):
            target = _made_room_for(path)
            if target.exists() and not os.access(target, os.W_OK):
                raise PermissionError(None, "Permission denied")
            part = _part_of(target)
            part.open("xb").close()
            part.unlink()
        elif path.is_dir():
            raise IsADirectoryError(None, "Is a directory")
        elif not os.access(path, os.W_OK):
            raise PermissionError(None, "Permission denied")
    except OSError as error:
        raise not_writable(path, error) from error


def discard(path: Path) -> None:
    """Remove an earlier file, so that it does not pass for the one that is to come; a link to it stays."""
    try:
        if _is_regular(path):
            _target(path).unlink(missing_ok=True)
    except OSError as error:
        raise not_writable(path, error) from error


def write(path: Path, data: bytes) -> None:
    """Write a whole file: where that fails, one that was there before is as it was."""
    try:
        if _is_regular(path):
            _replace(_made_room_for(path), data)
        else:
            with open_stream(path) as file:
                file.write(data)
    except OSError as error:
        raise not_writable(path, error) from error


def open_stream(path: Path) -> BinaryIO:
    """Open what is written bit by bit; standard output and standard error go on where they are."""
    for stream, descriptor in ((sys.stdout, 1), (sys.stderr, 2)):
        if _is_stream(path, descriptor):
            stream.flush()
            return os.fdopen(os.dup(descriptor), "wb")
    return (_made_room_for(path) if _is_regular(path) else path).open("wb")


def _is_regular(path: Path) -> bool:
    """Whether there is nothing yet or a regular file that its path leads to, and no stream of this process."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return True
    if not stat.S_ISREG(found.st_mode) or _is_stream(path, 1) or _is_stream(path, 2):
        return False
    target = _target(path)
    return target.exists() and os.path.samestat(found, target.stat())


def _is_stream(path: Path, descriptor: int) -> bool:
    with suppress(OSError):
        return _same(path.stat(), os.fstat(descriptor))
    return False


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    """Whether both are of one file; systems without numbers for files say 0, which tells nothing."""
    return bool(one.st_ino) and os.path.samestat(one, other)


def _target(path: Path) -> Path:
    """Follow all links, the last of which may lead to nothing yet."""
    return Path(os.path.realpath(path))


def _made_room_for(path: Path) -> Path:
    target = _target(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _part_of(target: Path) -> Path:
    return target.with_name(f".vdi-{secrets.token_hex(8)}.part")


def _replace(target: Path, data: bytes) -> None:
    part = _part_of(target)
    try:
        with part.open("xb") as file:
            file.write(data)
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        part.replace(target)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _identity(path: Path) -> object:
    """Tell files apart: by their numbers where they exist, else by where their paths lead."""
    with suppress(OSError):
        found = path.stat()
        if found.st_ino:
            return found.st_dev, found.st_ino
    return os.path.normcase(_target(path))
