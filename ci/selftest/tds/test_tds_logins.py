"""How connections begin: what is agreed on before a login, and which logins are taken."""

from __future__ import annotations

import socket
import ssl
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from selftest.tds.raw_client import (
    DONE_ERROR,
    END,
    FEATURES,
    INTEGRATED,
    LOGIN7,
    PRELOGIN,
    RESULT,
    RawClient,
    Told,
    login,
    packet,
    prelogin,
    tokens,
)
from selftest.tds.scripted import PASSWORD, PATIENCE, ScriptedService, served
from vdi_conformance.tds.certificate import NoCertificate, self_signed
from vdi_conformance.tds.encryption import ServerTls
from vdi_conformance.tds.limits import LIMITS
from vdi_conformance.tds.server import NotListening, TdsServer

if TYPE_CHECKING:
    from selftest.tds.scripted import Served

OFF, ON, NOT_SUPPORTED, REQUIRED = range(4)


def answered(client: RawClient, asked: int | None) -> int:
    """Send a prelogin, and give what the server says of encryption."""
    client.send(PRELOGIN, prelogin(asked))
    payload = client.receive()
    place = 0
    while payload[place] != 0xFF:
        if payload[place] == 1:
            return payload[int.from_bytes(payload[place + 1 : place + 3], "big")]
        place += 5
    raise AssertionError(payload.hex())


def shake_hands(client: RawClient) -> tuple[ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]:
    """Do a TLS handshake within packets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing)
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            client.send(PRELOGIN, outgoing.read())
            incoming.write(client.receive())
        else:
            return tls, incoming, outgoing


@pytest.mark.parametrize(
    ("policy", "asked", "said"),
    [
        ("none", OFF, NOT_SUPPORTED),
        ("none", NOT_SUPPORTED, NOT_SUPPORTED),
        ("none", None, NOT_SUPPORTED),
        ("optional", NOT_SUPPORTED, NOT_SUPPORTED),
    ],
)
def test_where_nothing_is_encrypted_the_login_comes_at_once(policy: str, asked: int | None, said: int) -> None:
    with served(encrypts=policy != "none") as tds, RawClient(tds.port, logs_in=False) as client:
        assert answered(client, asked) == said
        client.send(LOGIN7, login())
        assert client.told()[-1] == Told("done")
        assert client.ask("say") == [Told("done")]


@pytest.mark.parametrize(
    ("policy", "asked", "said", "told"),
    [
        ("none", ON, NOT_SUPPORTED, "wants encryption, and there is no certificate"),
        ("none", REQUIRED, NOT_SUPPORTED, "wants encryption, and there is no certificate"),
        ("required", NOT_SUPPORTED, REQUIRED, "has no encryption, which is required here"),
    ],
)
def test_without_an_agreement_the_connection_ends(policy: str, asked: int, said: int, told: str) -> None:
    requires = policy == "required"
    with served(encrypts=requires, requires_encryption=requires) as tds, RawClient(tds.port, logs_in=False) as client:
        assert answered(client, asked) == said
        assert client.receive() == b""
    assert tds.trouble == [f"A connection was ended: its client {told}."]


@pytest.mark.parametrize("how", ["alert", "hang up"])
def test_a_client_that_does_not_trust_the_certificate_is_told_of(tds: Served, how: str) -> None:
    with RawClient(tds.port, logs_in=False) as client:
        answered(client, ON)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        client.send(PRELOGIN, outgoing.read())
        incoming.write(client.receive())
        with pytest.raises(ssl.SSLCertVerificationError):
            tls.do_handshake()
        if how == "alert":
            client.send(PRELOGIN, outgoing.read())
        client.hangs_up()
    assert [line.split(", as it does")[-1] for line in tds.trouble] == [
        " where it does not trust the certificate: give it that, or TrustServerCertificate=yes."
    ]


@pytest.mark.parametrize(
    ("policy", "asked", "said", "is_whole"),
    [
        ("optional", OFF, OFF, False),
        ("optional", ON, ON, True),
        ("optional", REQUIRED, ON, True),
        ("required", OFF, REQUIRED, True),
        ("required", ON, ON, True),
    ],
)
def test_what_was_agreed_on_is_encrypted_with_tls_1_2(policy: str, asked: int, said: int, is_whole: bool) -> None:
    with served(requires_encryption=policy == "required") as tds, RawClient(tds.port, logs_in=False) as client:
        assert answered(client, asked) == said
        tls, incoming, outgoing = shake_hands(client)
        assert tls.version() == "TLSv1.2"
        tls.write(packet(LOGIN7, login()))
        client.raw(outgoing.read())
        if not is_whole:
            assert client.told()[-1] == Told("done")
            assert client.ask("say") == [Told("done")]
            return
        received = b""
        while not received.endswith(bytes(12)):
            incoming.write(client.connection.recv(65536))
            received += tls.read(65536)
        assert tokens(received[8:])[-1] == Told("done")


def test_a_login_without_a_prelogin_is_taken_where_encryption_is_not_required() -> None:
    for requires, last in ((False, [Told("done")]), (True, [])):
        with served(requires_encryption=requires) as tds, RawClient(tds.port, logs_in=False) as client:
            client.send(LOGIN7, login())
            assert client.told()[-1:] == last


def test_a_login_tells_of_the_surroundings(tds: Served) -> None:
    with RawClient(tds.port, logs_in=False) as client:
        told = client.log_in(database="vdi", packet_size=8000)
    assert [(one.kind, one.number) for one in told] == [
        ("change", 1),
        ("info", 5701),
        ("change", 7),
        ("change", 2),
        ("info", 5703),
        ("login", 0x74000004),
        ("change", 4),
        ("done", 0),
    ]
    assert told[1].text == "Changed database context to 'vdi'."
    assert bytes.fromhex(told[6].text)[1:9].decode("utf-16-le") == "8000"
    asked = tds.service.logins[-1]
    assert asked == ("sa", PASSWORD, "vdi", "raw", "client")


@pytest.mark.parametrize(
    ("wanted", "given"), [(0, 4096), (1, 512), (512, 512), (20_000, 20_000), (32_767, 32_767), (10**9, 32_767)]
)
def test_packets_have_the_size_that_a_client_asks_for(tds: Served, wanted: int, given: int) -> None:
    with RawClient(tds.port, logs_in=False) as client:
        client.log_in(packet_size=wanted)
        client.batch("MANY 300")
        status, content = client.packet()
        assert not status & END
        assert len(content) + 8 == given
        client.receive()
        assert client.ask("say") == [Told("done")]


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [(0x72090002, 0x72090002), (0x730B0003, 0x730B0003), (0x74000004, 0x74000004), (0x7F000000, 0x74000004)],
)
def test_the_newest_version_that_both_sides_speak_is_spoken(tds: Served, asked: int, spoken: int) -> None:
    with RawClient(tds.port, logs_in=False) as client:
        assert Told("login", spoken) in client.log_in(version=asked)


@pytest.mark.parametrize(
    ("wanted", "errors"),
    [
        ({"password": "another"}, [18456]),
        ({"database": "nowhere"}, [4060, 18456]),
        ({"flags": INTEGRATED}, [18452]),
        ({"more_flags": FEATURES, "extension": b"\2\1\0\0\0\0\xff"}, [18456]),
        ({"more_flags": 1}, [18456]),
        ({"version": 0x71000001}, [17832]),
        ({"user": "crash"}, [3624]),
    ],
)
def test_a_login_that_is_refused_is_told_why(tds: Served, wanted: dict[str, int], errors: list[int]) -> None:
    with RawClient(tds.port, logs_in=False) as client:
        told = client.log_in(**wanted)
        assert [(one.kind, one.number) for one in told] == [*(("error", one) for one in errors), ("done", DONE_ERROR)]
        assert client.receive() == b""


def test_extensions_that_make_no_difference_are_passed_over(tds: Served) -> None:
    with RawClient(tds.port, logs_in=False) as client:
        told = client.log_in(more_flags=FEATURES, extension=b"\1\0\0\0\0\4\1\0\0\0\1\xff")
        assert told[-1] == Told("done")


def test_strict_encryption_is_refused_with_a_word_to_the_developer(tds: Served) -> None:
    context = ssl.create_default_context()
    with (
        socket.create_connection(("127.0.0.1", tds.port), PATIENCE) as connection,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(connection, server_hostname="localhost")
    assert any("Encrypt=strict" in line for line in tds.trouble)


@pytest.mark.parametrize("host", ["127.0.0.1", "server.example", f"{'a' * 60}.{'b' * 60}.example"], ids=len)
def test_a_certificate_can_be_trusted_by_itself_for_every_name_of_its_server(host: str) -> None:
    made = self_signed(host)
    trusting = ssl.create_default_context(cadata=made.pem.decode())
    for name in ("localhost", "127.0.0.1", "::1", host):
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = trusting.wrap_bio(to_client, to_server, server_hostname=name)
        server = ServerTls(made.context())
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        to_client.write(server.shake_hands(to_server.read())[0])
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        answer, is_over = server.shake_hands(to_server.read())
        to_client.write(answer)
        client.do_handshake()
        assert is_over


def test_a_certificate_needs_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(NoCertificate, match=r"pip install vdi-conformance\[emulator\]"):
        self_signed("localhost")


def test_a_port_that_is_taken_is_told_in_a_sentence() -> None:
    with served(encrypts=False) as tds:
        other = TdsServer(ScriptedService(), "127.0.0.1", tds.port)
        with pytest.raises(NotListening, match=rf"127\.0\.0\.1:{tds.port} .*choose another host or port"):
            other.start()
        other.close()


def test_a_name_stands_for_all_of_its_addresses() -> None:
    server = TdsServer(ScriptedService(), "localhost")
    server.start()
    _, port = server.address
    families = {family for family, *_ in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM)}
    for family in families:
        with closing(socket.socket(family)) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(("localhost", port))
            connection.sendall(packet(PRELOGIN, prelogin(NOT_SUPPORTED)))
            assert connection.recv(8)[0] == RESULT
    server.close()


def test_a_host_that_is_not_this_machine_is_told_in_a_sentence() -> None:
    server = TdsServer(ScriptedService(), "192.0.2.1")
    with pytest.raises(NotListening, match=r"served at 192\.0\.2\.1:0 .*: choose another host or port"):
        server.start()
    server.close()


def test_there_are_no_more_sessions_than_may_be() -> None:
    with (
        served(limits=LIMITS._replace(sessions=1)) as tds,
        RawClient(tds.port) as first,
        RawClient(tds.port, logs_in=False) as second,
    ):
        assert second.log_in()[0].number == 17809
        assert first.ask("say") == [Told("done")]
        first.connection.close()
        assert tds.service.ended.acquire(timeout=PATIENCE)
        second.connection.close()


def test_a_stranger_that_came_first_goes_first() -> None:
    with served(limits=LIMITS._replace(strangers=2)) as tds, RawClient(tds.port) as known:
        strangers = [RawClient(tds.port, logs_in=False) for _ in range(3)]
        assert strangers[0].is_ended()
        assert [stranger.log_in()[-1] for stranger in strangers[1:]] == [Told("done")] * 2
        assert known.ask("say") == [Told("done")]
        for stranger in strangers:
            stranger.connection.close()


@pytest.mark.parametrize("said", [b"", packet(PRELOGIN, prelogin(NOT_SUPPORTED)), packet(PRELOGIN, prelogin(ON))])
def test_whoever_does_not_log_in_has_to_go_after_a_while(said: bytes) -> None:
    with (
        served(limits=LIMITS._replace(seconds_to_log_in=0.05)) as tds,
        RawClient(tds.port, logs_in=False) as client,
    ):
        client.raw(said)
        assert client.is_ended()
    assert tds.trouble == ["A connection was ended: no login had come after 0.05 seconds."]
