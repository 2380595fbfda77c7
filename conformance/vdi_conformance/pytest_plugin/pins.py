"""Which files a party is made of, and their digests, as they are while one of its processes runs."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from vdi_conformance.evidence.records import Pin
from vdi_conformance.host.loaded import loaded_by, own_process
from vdi_conformance.host.messages.base import AskFiles
from vdi_conformance.untrusted import decoding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.evidence.records import PinKind
    from vdi_conformance.host.process import Host
    from vdi_conformance.host.spec import AdapterSpec


def pins_of(host: Host, spec: AdapterSpec) -> dict[str, Pin]:
    """Pin the files of a party by the host that runs; what is no regular file, or cannot be read, is left out."""
    kinds: dict[str, PinKind] = {}
    for path, kind in _named(host, spec):
        if decoding.is_unicode(path) and decoding.is_file(Path(path)):
            kinds[os.path.realpath(path)] = kind
    found: dict[str, Pin] = {}
    for path, kind in sorted(kinds.items()):
        with suppress(OSError), Path(path).open("rb") as file:
            found[path] = Pin(kind=kind, sha256=hashlib.file_digest(file, "sha256").hexdigest())
    return found


def _named(host: Host, spec: AdapterSpec) -> Iterator[tuple[str, PinKind]]:
    """Name the files and what they are; what is named again is what it is called last."""
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
