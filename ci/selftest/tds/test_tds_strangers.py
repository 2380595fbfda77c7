"""What clients cannot do to a server: whatever they send costs nobody but them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from selftest.tds.raw_client import (
    BATCH,
    BULK,
    END,
    HEADERS,
    LOGIN7,
    PRELOGIN,
    RPC,
    TRANSACTION,
    RawClient,
    Told,
    login,
    packet,
    prelogin,
)
from selftest.tds.scripted import served
from vdi_conformance.tds.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selftest.tds.scripted import Served

EVERY_DAY = 60
LONG = 4096
LONGEST = 1000
"""Bytes of what is changed: what fails is to be shown."""
CALL = struct.pack("<HHH", 0xFFFF, 10, 0)

BEFORE_LOGIN = {
    "no packet at all": b"GET / HTTP/1.1\r\n\r\n",
    "a packet of an unknown type": packet(99, b""),
    "a packet of a server": packet(4, b""),
    "a packet that is shorter than its header": struct.pack(">BBHHBB", PRELOGIN, 1, 7, 0, 0, 0),
    "a packet that is longer than any": struct.pack(">BBHHBB", PRELOGIN, 1, 0xFFFF, 0, 0, 0),
    "an empty packet that goes on": packet(PRELOGIN, b"", 0),
    "two types in one message": packet(PRELOGIN, b"x", 0) + packet(LOGIN7, b"x"),
    "a batch": packet(BATCH, HEADERS),
    "an empty prelogin": packet(PRELOGIN, b""),
    "a prelogin without an end": packet(PRELOGIN, b"\0\0\0\0\0" * 100),
    "a prelogin that points nowhere": packet(PRELOGIN, b"\1\xff\xff\0\1\xff"),
    "a prelogin with a client's certificate": packet(PRELOGIN, prelogin(0x81)),
    "a prelogin that never ends": packet(PRELOGIN, b"\0" * 4000, 0) * 10,
    "a login after half a prelogin": packet(PRELOGIN, prelogin(2), 0) + packet(LOGIN7, login()),
    "a login instead of TLS": packet(PRELOGIN, prelogin(1)) + packet(LOGIN7, login()),
    "no TLS where it was agreed on": packet(PRELOGIN, prelogin(1)) + packet(PRELOGIN, b"\x16\3\1\0\5hello"),
    "a short login": packet(LOGIN7, login()[:50]),
    "a login whose texts are elsewhere": packet(LOGIN7, login()[:100]),
    "a login of odd lengths": packet(LOGIN7, login()[:36] + b"\xff" * 60),
    "a login with features nowhere": packet(LOGIN7, login(more_flags=0x10)),
    "a login with features without an end": packet(LOGIN7, login(more_flags=0x10, extension=b"\1\0\0\0\0" * 100)),
    "a login that never ends": packet(LOGIN7, b"\0" * 30_000, 0) * 5,
}

AFTER_LOGIN = {
    "headers that are longer than the message": packet(BATCH, struct.pack("<I", 10**9)),
    "headers of no length": packet(BATCH, bytes(4)),
    "half a character": packet(BATCH, HEADERS + b"x"),
    "a message of no calls": packet(RPC, HEADERS),
    "a procedure without a name": packet(RPC, HEADERS + b"\xff"),
    "a procedure of no number": packet(RPC, HEADERS + struct.pack("<HHH", 0xFFFF, 99, 0)),
    "a parameter without a type": packet(RPC, HEADERS + CALL + b"\0\0"),
    "a parameter of a long name": packet(RPC, HEADERS + CALL + b"\xfe"),
    "an int of three bytes": packet(RPC, HEADERS + CALL + b"\0\0\x26\3\3abc"),
    "a text that is longer than the message": packet(RPC, HEADERS + CALL + b"\0\0\xe7\0\1\0\0\0\0\0\xfe\xff"),
    "parts without an end": packet(RPC, HEADERS + CALL + b"\0\0\xe7\xff\xff\0\0\0\0\0" + b"\0" * 8 + b"\xff\0\0\0"),
    "a number of 200 digits": packet(RPC, HEADERS + CALL + b"\0\0\x6c\x11\xc8\0\2\1\1"),
    "a moment beyond the calendar": packet(RPC, HEADERS + CALL + b"\0\0\x3d\xff\xff\xff\x7f\0\0\0\0"),
    "a time of eight digits": packet(RPC, HEADERS + CALL + b"\0\0\x29\x08\5\0\0\0\0\0"),
    "a float that is no number": packet(RPC, HEADERS + CALL + b"\0\0\x6d\x08\x08" + struct.pack("<d", float("nan"))),
    "XML with a schema": packet(RPC, HEADERS + CALL + b"\0\0\xf1\1"),
    "no request for the transaction manager": packet(TRANSACTION, HEADERS),
    "an unknown request for it": packet(TRANSACTION, HEADERS + b"\x63\0"),
    "rows in bulk": packet(BULK, b"\x81"),
    "a second login": packet(LOGIN7, login()),
}


@pytest.fixture(scope="module")
def lasting() -> Iterator[Served]:
    """One server for all that must not harm it."""
    with served(limits=LIMITS._replace(request=200_000)) as found:
        yield found


@pytest.fixture(scope="module")
def bystander(lasting: Served) -> Iterator[RawClient]:
    """A session that has nothing to do with what others send."""
    with RawClient(lasting.port) as found:
        yield found


@pytest.mark.parametrize("sent", BEFORE_LOGIN.values(), ids=BEFORE_LOGIN)
def test_what_is_malformed_before_a_login_ends_the_connection(
    lasting: Served, bystander: RawClient, sent: bytes
) -> None:
    lasting.trouble.clear()
    with RawClient(lasting.port, logs_in=False) as client:
        client.raw(sent)
        assert client.is_ended()
    assert [line[:23] for line in lasting.trouble] == ["A connection was ended:"]
    assert bystander.ask("say") == [Told("done")]


@pytest.mark.parametrize("sent", AFTER_LOGIN.values(), ids=AFTER_LOGIN)
def test_what_is_malformed_after_a_login_is_told_before_the_connection_ends(
    lasting: Served, bystander: RawClient, sent: bytes
) -> None:
    lasting.trouble.clear()
    with RawClient(lasting.port) as client:
        client.raw(sent)
        told = client.told()
        assert (told[0].kind, told[0].number) == ("error", 4014)
        assert client.receive() == b""
    assert [line[:23] for line in lasting.trouble] == ["A connection was ended:"]
    assert bystander.ask("say") == [Told("done")]


def test_a_request_without_an_end_is_read_up_to_its_bound(lasting: Served, bystander: RawClient) -> None:
    with RawClient(lasting.port) as client:
        for _ in range(10):
            client.raw(packet(BATCH, b"\4\0\0\0" + b"x\0" * 15_000, 0))
        assert client.is_ended()
    assert any("a message has more than 200000 bytes here" in line for line in lasting.trouble)
    assert bystander.ask("say") == [Told("done")]


PACKETS = st.builds(
    lambda kind, content, status, cut: packet(kind, content, status)[: None if cut is None else -cut],
    st.sampled_from([BATCH, RPC, 6, BULK, TRANSACTION, LOGIN7, 17, PRELOGIN]) | st.integers(0, 255),
    st.binary(max_size=60)
    | st.binary(max_size=60).map(lambda content: HEADERS + content)
    | st.binary(max_size=60).map(lambda content: HEADERS + CALL + b"\0\0" + content)
    | st.sampled_from([prelogin(0), prelogin(1), prelogin(2), login()]),
    st.sampled_from([END, 0, 3, 9]) | st.integers(0, 255),
    st.none() | st.integers(1, 20),
)
MUTATED = st.builds(
    lambda whole, place, patch: whole[: place % len(whole)] + patch + whole[place % len(whole) + len(patch) :],
    st.sampled_from(
        [
            *(one for one in (*BEFORE_LOGIN.values(), *AFTER_LOGIN.values()) if len(one) < LONGEST),
            packet(LOGIN7, login()),
        ]
    ),
    st.integers(0, 10_000),
    st.binary(min_size=1, max_size=4),
)
STREAMS = st.lists(PACKETS | MUTATED | st.binary(max_size=40), max_size=5).map(b"".join)


def harmless(tds: Served, bystander: RawClient, sent: bytes, logs_in: bool) -> None:
    """Send what may be anything, and see that the connection ends, that the service is not harmed, and others go on."""
    tds.trouble.clear()
    with RawClient(tds.port, logs_in=logs_in) as client:
        client.raw(sent)
        client.hangs_up()
    assert not [line for line in tds.trouble if "Traceback" in line]
    assert bystander.ask("say") == [Told("done")]


@settings(max_examples=EVERY_DAY, suppress_health_check=list(HealthCheck))
@example(sent=packet(LOGIN7, login()) + packet(BATCH, HEADERS), logs_in=False)
@given(sent=STREAMS, logs_in=st.booleans())
def test_no_stream_of_packets_harms_others(lasting: Served, bystander: RawClient, sent: bytes, logs_in: bool) -> None:
    harmless(lasting, bystander, sent, logs_in)


@pytest.mark.long
@settings(max_examples=LONG, suppress_health_check=list(HealthCheck))
@given(sent=STREAMS, logs_in=st.booleans())
def test_none_of_thousands_of_streams_harms_others(
    lasting: Served, bystander: RawClient, sent: bytes, logs_in: bool
) -> None:
    harmless(lasting, bystander, sent, logs_in)
