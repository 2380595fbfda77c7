"""How a connection begins: what is agreed on, TLS, and the login."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vdi_conformance.tds.answers import FATAL, LoginRefused, Message
from vdi_conformance.tds.login import read_login
from vdi_conformance.tds.malformed import Malformed
from vdi_conformance.tds.packets import PacketType
from vdi_conformance.tds.prelogin import agree, encode_prelogin, encryption_asked
from vdi_conformance.tds.tokens import (
    Change,
    Done,
    encode_collation,
    encode_done,
    encode_login,
    encode_message,
    encode_text_change,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence

    from vdi_conformance.tds.answers import Session, SqlService
    from vdi_conformance.tds.channel import Channel
    from vdi_conformance.tds.limits import TdsLimits
    from vdi_conformance.tds.login import LoginRequest
    from vdi_conformance.tds.packets import ClientMessage
    from vdi_conformance.tds.prelogin import Policy

_LANGUAGE = "us_english"


class Reception(NamedTuple):
    """Whom a server lets in, and how; `admit` tells whether there is room for another session."""

    service: SqlService
    policy: Policy
    context: ssl.SSLContext | None
    limits: TdsLimits
    admit: Callable[[], bool]


def introduce(channel: Channel, reception: Reception) -> Session | None:
    """Let a client log in; None where it hung up.

    LoginRefused tells that the client has been told of a refusal.
    """
    message = channel.receive()
    if message is not None and message.type is PacketType.PRELOGIN:
        message = _agreed(channel, reception, message.payload)
    elif reception.policy == "required":
        raise Malformed("a login comes without the encryption that is required here")
    if message is None:
        return None
    if message.type is not PacketType.LOGIN7:
        raise Malformed(f"a message of type {message.type} comes instead of a login")
    return _logged_in(channel, reception, read_login(message.payload))


def _agreed(channel: Channel, reception: Reception, payload: bytes) -> ClientMessage | None:
    """Answer a prelogin, encrypt as was agreed on, and give the login."""
    agreement = agree(encryption_asked(payload), reception.policy)
    answer = encode_prelogin(agreement.said, reception.service.version)
    channel.send(channel.cutter.add(answer) + channel.cutter.end())
    if not agreement.goes_on:
        raise Malformed(
            "its client wants encryption, and there is no certificate"
            if reception.policy == "none"
            else "its client has no encryption, which is required here"
        )
    if agreement.extent != "nothing":
        assert reception.context is not None
        channel.shake_hands(reception.context)
    channel.expect(reception.limits.login)
    message = channel.receive()
    if agreement.extent == "login":
        channel.leave_tls()
    return message


def _logged_in(channel: Channel, reception: Reception, request: LoginRequest) -> Session:
    """Ask for a session, and tell the client of it, or of its refusal."""
    service = reception.service
    try:
        if (refusal := request.refusal()) is not None:
            raise refusal
        if not reception.admit():
            raise LoginRefused(_full(reception.limits.sessions))
        session = service.log_in(request.login)
    except LoginRefused as refused:
        tell(channel, service.server_name, refused.messages)
        raise
    try:
        channel.send(_welcome(channel, service, session, request))
    except BaseException:
        session.close()
        raise
    channel.cutter.size = request.packet_size
    return session


def tell(channel: Channel, server: str, messages: Sequence[Message]) -> None:
    """Send messages that the connection ends with."""
    told = b"".join(encode_message(message, server) for message in messages)
    channel.send(channel.cutter.add(told + encode_done(Done.ERROR)) + channel.cutter.end())


def _full(sessions: int) -> Message:
    return Message(17809, f"There are {sessions} sessions already, and no more are possible: end one of them.", FATAL)


def _welcome(channel: Channel, service: SqlService, session: Session, request: LoginRequest) -> bytes:
    """Give what a session begins with, in the order in which SQL Server tells it."""
    name, server = session.database, service.server_name
    size = str(request.packet_size)
    tokens = [
        encode_text_change(Change.DATABASE, name, "master"),
        encode_message(Message(5701, f"Changed database context to '{name}'.", 0, 2), server),
        encode_collation(),
        encode_text_change(Change.LANGUAGE, _LANGUAGE),
        encode_message(Message(5703, f"Changed language setting to {_LANGUAGE}."), server),
        encode_login(service.version, request.spoken),
        encode_text_change(Change.PACKET_SIZE, size, str(channel.cutter.size)),
        encode_done(0),
    ]
    return channel.cutter.add(b"".join(tokens)) + channel.cutter.end()
