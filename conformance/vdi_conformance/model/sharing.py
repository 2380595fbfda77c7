"""GetBufferHandle and MapBufferHandle, which the matrix leaves out: the rules of their pages in each state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.model.permits import Permits
from vdi_conformance.vdi.client_states import ClientState
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_PROTOCOL

if TYPE_CHECKING:
    from vdi_conformance.model.state import ModelClient, ModelCommand


def share(client: ModelClient, kind: str, asked: ModelCommand | None = None) -> Permits:
    """Either method with something that is `live` (a held command's), `past` (no longer), or `stray` (never was).

    `past` things were valid for this object, in this set or in an earlier one; `beside` is close to something live.
    `asked` is the command for whose buffer a handle is asked.
    """
    permits = Permits(client.view)
    if client.of is None:
        return permits.may(VD_E_PROTOCOL, *[VD_E_INVALID] * (kind in ("stray", "beside")))

    def name() -> None:
        if asked is not None:
            asked.named = True

    if kind == "live":
        permits.may(NOERROR, effect=name)
    elif kind == "stray":
        permits.may(VD_E_INVALID, *[VD_E_PROTOCOL] * (not client.of.begun))
    else:
        permits.may(NOERROR, VD_E_INVALID, *[VD_E_PROTOCOL] * (not client.of.begun))
    if client.noticed or not client.of.sound:
        permits.may(VD_E_ABORT, VD_E_INVALID, VD_E_PROTOCOL, view=ClientState.ABORT)
    return permits
