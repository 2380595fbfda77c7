"""The devices that a statement names: whether there can be such, and what stands for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.emulator import messages as engine_messages
from vdi_conformance.emulator.statement import Sizes, size_objections
from vdi_conformance.sqlserver.backups.disk import DiskMedia
from vdi_conformance.sqlserver.backups.virtual import VirtualMedia
from vdi_conformance.sqlserver.messages import refused, with_text
from vdi_conformance.sqlserver.seam import Refused
from vdi_conformance.vdi.structures import MAX_DEVICES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.emulator.messages import Message as Cause
    from vdi_conformance.sqlserver.backups.media import Media
    from vdi_conformance.sqlserver.backups.options import Options
    from vdi_conformance.sqlserver.parts import ServerParts
    from vdi_conformance.sqlserver.statements import Medium

_NOT_SUPPORTED = "50(The request is not supported.)"
_USUAL_TRANSFER = {"virtual": 65536, "disk": 1 << 20}
"""MAXTRANSFERSIZE where a statement names none, in bytes."""


def opened(parts: ServerParts, media: Sequence[Medium], snapshot: bool) -> Media:
    """Give the media of a statement, or refuse what cannot be."""
    names = [one.name for one in media]
    if snapshot and len(names) != 1:
        raise _refused(engine_messages.not_one_device(len(names)))
    if len(names) > MAX_DEVICES:
        raise _refused(engine_messages.too_many_devices(len(names)))
    for one in media:
        if one.kind == "logical":
            raise refused(3206, device=one.name)
        if one.kind not in _USUAL_TRANSFER or one.kind != media[0].kind or (snapshot and one.kind == "disk"):
            raise refused(3201, device=one.name, error=_NOT_SUPPORTED)
    if not names or len(set(names)) != len(names):
        raise _refused(engine_messages.unusable("its device names are not one or more different ones"))
    if media[0].kind == "disk":
        files = [(name, parts.places.on_disk(name)) for name in names]
        return DiskMedia(files, parts.written_files, parts.now)
    return VirtualMedia(names, parts.identification.instance, parts.make_server)


def sizes_of(options: Options, media: Sequence[Medium]) -> Sizes:
    """Give the sizes that a statement names, or refuse those that cannot be."""
    transfer = options.number("MAXTRANSFERSIZE") or _USUAL_TRANSFER.get(media[0].kind, 0)
    transfer = 0 if options.number("MAXTRANSFERSIZE") == 0 else transfer
    sizes = Sizes.named(options.number("BLOCKSIZE"), transfer, options.number("BUFFERCOUNT"))
    if causes := size_objections(sizes):
        raise _refused(causes[0])
    return sizes


def _refused(cause: Cause) -> Refused:
    return Refused(with_text(*cause))
