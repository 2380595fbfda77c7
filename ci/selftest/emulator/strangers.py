"""Peers of a broker that keep to no protocol."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, NamedTuple

from selftest.emulator.applications import PATIENCE, backup
from vdi_conformance.emulator.broker_protocol import connect, decode, encode_request, find
from vdi_conformance.vdi.hresult import NOERROR, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from selftest.emulator.applications import Site
    from vdi_conformance.contract import VirtualDeviceSet


class Knocker(NamedTuple):
    """A connection to the broker of a directory, made by hand."""

    connection: socket.socket
    secret: str

    def say(self, data: bytes) -> None:
        """Send; a broker that has hung up meanwhile is no surprise."""
        try:
            self.connection.sendall(data)
        except ConnectionError:
            return

    def introduce(self) -> int:
        """Be the lifeline of a process, and give its number."""
        self.say(encode_request("lifeline", [self.secret]))
        return int(self.connection.recv(100))

    def hears_next(self) -> bytes:
        """Wait until the broker says something, or ends the connection."""
        try:
            return self.connection.recv(65536)
        except ConnectionError:
            return b""

    def hears(self) -> bytes:
        """Wait until the broker ends the connection, and give all that it said."""
        heard = b""
        while received := self.hears_next():
            heard += received
        return heard

    def refused(self) -> str:
        """Give the sentence with which the broker ended the connection."""
        code, sentence = decode(self.hears())
        assert code is None
        return str(sentence)

    def ends(self) -> bytes:
        """Say no more, and give what the broker still says before it ends the connection."""
        try:
            self.connection.shutdown(socket.SHUT_WR)
        except OSError:
            return b""
        return self.hears()


def knock(site: Site) -> Knocker:
    """Connect."""
    endpoint = find(site.environment.directory)
    connection = connect(endpoint)
    connection.settimeout(PATIENCE / 1000)
    return Knocker(connection, endpoint.secret)


class Bystander:
    """A client with a set that has nothing to do with what others send."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._set: VirtualDeviceSet = site.emulator().virtual_device_set()
        assert self._set.create_ex(None, "bystander", VDConfig()) == NOERROR

    def is_undisturbed(self) -> bool:
        """Whether its set is as it was, and another BACKUP runs to its end."""
        return self._set.get_configuration(0).code == VD_E_TIMEOUT and bool(self._site.back_up(backup()))
