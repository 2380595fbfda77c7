"""Both ends of the host protocol read whatever the other one may write."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdi_conformance.host.child.dispatch import DispatchedCall, Methods, read_call
from vdi_conformance.host.child.entry import METHODS
from vdi_conformance.host.child.session import Session
from vdi_conformance.host.codes import ADAPTER_RAISED, INVALID_PARAMS, PARSE_ERROR
from vdi_conformance.host.connection import HostAnswer, read_answer, read_reply
from vdi_conformance.host.errors import HostError, ProtocolError
from vdi_conformance.host.messages.base import HostEnvironment, Initialize, Reply

DEEP = "[" * 100_000
NESTED = "[" * 500 + "]" * 500
HUGE = "9" * 5000
SETTINGS = {"directory": "", "seed": 0}
ENVIRONMENT = HostEnvironment(directory="", seed=0, time_scale=1.0)
ASKED = Initialize(protocol="2.0", role="client", environment=ENVIRONMENT)


def read(line: bytes) -> HostAnswer | Reply | HostError:
    """Read a line as the answer to `initialize`."""
    answer = read_answer("primary", line)
    return read_reply("primary", ASKED, answer, line)


@pytest.mark.parametrize(
    "inner", [DEEP, '{"a":' * 100_000, NESTED, HUGE, "9" * 20, "-" + "9" * 20, "1e999", '"\\ud800"']
)
@pytest.mark.parametrize(
    "line",
    [
        "{}",
        '{"jsonrpc":"2.0","id":{}}',
        '{"jsonrpc":"2.0","id":1,"result":{}}',
        '{"jsonrpc":"2.0","id":1,"result":{"capabilities":{"server":{}}}}',
        '{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no","data":{}}}',
        '{"jsonrpc":"2.0","id":1,"result":null,"more":{}}',
    ],
)
def test_an_answer_that_nobody_can_read_is_an_error_of_the_host(line: str, inner: str) -> None:
    try:
        found = read(line.replace("{}", inner).encode())
    except ProtocolError as error:
        found = error
    assert isinstance(found, ProtocolError)
    assert "primary" in str(found)


@given(st.binary())
def test_whatever_a_host_writes_is_read_or_an_error_of_the_host(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        read(line)


@pytest.mark.parametrize("line", [DEEP, '{"a":' * 100_000, HUGE, f'{{"id":{HUGE}}}', "\udcff"])
def test_a_request_that_nobody_can_read_is_refused(line: str) -> None:
    answer = read_call(line.encode("utf-8", "surrogateescape"))
    assert isinstance(answer, bytes)
    assert json.loads(answer)["error"]["code"] == PARSE_ERROR


ABOVE = 1 << 70


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("initialize", {"protocol": "2.0", "role": "client", "environment": {**SETTINGS, "time_scale": 10**400}}),
        ("initialize", {"protocol": "2.0", "role": "client", "environment": {**SETTINGS, "time_scale": "soon"}}),
        ("memory.allocate", {"size": ABOVE}),
        ("memory.reserve", {"size": ABOVE}),
        ("memory.digest", {"address": "0x10", "size": ABOVE}),
        ("memory.fill", {"address": "0x10", "size": ABOVE, "seed": 0}),
        ("memory.save", {"address": "0x10", "size": 1, "path": "none", "offset": ABOVE}),
        ("memory.load", {"address": "0x10", "size": 1, "path": "none", "offset": ABOVE}),
        ("memory.write", {"address": "0x10", "data": "0g"}),
    ],
)
def test_numbers_beyond_those_of_the_machine_are_refused_by_the_host_itself(
    method: str, params: dict[str, Any]
) -> None:
    session = Session("selftest.host.toy:Toy", False, lambda _: None, lambda _: None)
    answer = json.loads(METHODS.answer(session, DispatchedCall(1, method, None, params)))
    assert answer["error"]["code"] == INVALID_PARAMS
    assert re.fullmatch(
        r"the parameter '\w+' must be (a number of bytes|an object with|up to \d+ bytes in hex).*",
        answer["error"]["message"],
    )


def deep() -> list[Any]:
    """A list within lists, deeper than anything can go through it."""
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    return nested


@pytest.mark.parametrize("result", [deep(), 16**5000, {1, 2}, float], ids=["deep", "huge", "set", "class"])
def test_what_an_adapter_gives_and_nobody_can_write_is_refused(result: Any) -> None:
    methods = Methods[None]()
    methods.method("give")(lambda _: {"code": result})
    answer = json.loads(methods.answer(None, DispatchedCall(1, "give", None, {})))
    assert answer["error"]["code"] == ADAPTER_RAISED
    assert "a result that is no plain data" in answer["error"]["message"]
    assert answer["error"]["data"]["traceback"]
