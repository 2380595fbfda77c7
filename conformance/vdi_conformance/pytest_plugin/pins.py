"""Which files a party is made of, and their digests, as they are while one of its processes runs."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vdi_conformance.evidence.records import Pin
from vdi_conformance.host.loaded import loaded_by, own_process
from vdi_conformance.host.messages.base import AskFiles
from vdi_conformance.untrusted import decoding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vdi_conformance.evidence.records import PinKind
    from vdi_conformance.host.process import Host
    from vdi_conformance.host.spec import AdapterSpec


LARGEST: Final = 4 * 1024**3
"""Bytes: nothing larger is pinned."""
_KINDS: Final[tuple[PinKind, ...]] = ("loaded", "adapter", "program", "library")
"""What is of several kinds is of the last one."""


def pins_of(hosts: Sequence[Host], spec: AdapterSpec) -> dict[str, Pin]:
    """Pin the files of a party by its hosts that run; what is no regular file, too large or unreadable is left out."""
    kinds: dict[str, PinKind] = {}
    named = [one for host in hosts for one in _named(host, spec)]
    for path, kind in sorted(named, key=lambda one: _KINDS.index(one[1])):
        if decoding.is_unicode(path) and decoding.is_file(Path(path)):
            kinds[os.path.realpath(path)] = kind
    digests = {path: _digest(Path(path)) for path in sorted(kinds)}
    return {path: Pin(kind=kinds[path], sha256=digest) for path, digest in digests.items() if digest is not None}


def _digest(path: Path) -> str | None:
    """Give the SHA-256 of a file; what says that it is empty is not read, since files of a kernel may never end."""
    try:
        size = path.stat().st_size
        if size == 0:
            return hashlib.sha256().hexdigest()
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() if size <= LARGEST else None
    except OSError:
        return None


def _named(host: Host, spec: AdapterSpec) -> Iterator[tuple[str, PinKind]]:
    """Name the files of one host, and what they are."""
    told = host.initialized
    # What this process has loaded too is the system's, or the interpreter's.
    for path in loaded_by(own_process(host.pid or 0, told.process.pid)) - loaded_by(os.getpid()):
        yield path, "loaded"
    if AskFiles.method in (told.methods or ()):
        for path in host.call(AskFiles()).files:
            if Path(path).is_absolute():
                yield path, "adapter"
    if spec.kind == "command":
        yield str(Path(spec.reference).absolute()), "adapter"
        for argument in spec.argv[1:]:
            with suppress(ValueError):
                yield str(Path(spec.cwd or ".", argument).absolute()), "adapter"
        yield spec.argv[0], "program"
    if Path(told.identity.library).is_absolute():
        yield told.identity.library, "library"
