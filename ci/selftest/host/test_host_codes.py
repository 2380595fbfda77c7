"""Which HRESULTs a reply tells of, and of which methods."""

import pytest

from vdi_conformance.host.messages.base import CodeReply, Done, Reply, Request
from vdi_conformance.host.messages.client import (
    Close,
    CommandReply,
    CompleteConcurrently,
    CompletedConcurrently,
    GetCommand,
    NewSet,
    Serve,
    Served,
    codes_of,
)
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE, VD_E_INVALID, VD_E_PROTOCOL

SERVED = Served(code=VD_E_CLOSE, commands=3, data_commands=2, bytes=512, digest="")
REFUSED = Served(code=NOERROR, commands=3, data_commands=2, bytes=512, digest="", refused=VD_E_INVALID)
RACED = CompletedConcurrently(code=VD_E_CLOSE, answers=[[NOERROR, VD_E_INVALID], [VD_E_INVALID, NOERROR]])


@pytest.mark.parametrize(
    ("request_", "reply", "codes"),
    [
        (Close(set="a"), CodeReply(VD_E_PROTOCOL), {("Close", VD_E_PROTOCOL)}),
        (GetCommand(device="a", timeout=0), CommandReply(VD_E_CLOSE), {("GetCommand", VD_E_CLOSE)}),
        (Serve(set="a", device="b", timeout=0), SERVED, {("GetCommand", VD_E_CLOSE)}),
        (
            Serve(set="a", device="b", timeout=0),
            REFUSED,
            {("GetCommand", NOERROR), ("CompleteCommand", VD_E_INVALID)},
        ),
        (
            CompleteConcurrently(device="a", timeout=0, counts=[1, 2]),
            RACED,
            {("GetCommand", VD_E_CLOSE), ("CompleteCommand", NOERROR), ("CompleteCommand", VD_E_INVALID)},
        ),
        (NewSet(set="a"), Done(), set()),
    ],
)
def test_a_reply_tells_the_codes_of_the_methods_that_were_called(
    request_: Request[Reply], reply: Reply, codes: set[tuple[str, int]]
) -> None:
    assert set(codes_of(request_, reply)) == codes
