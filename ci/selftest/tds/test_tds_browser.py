"""Instances that drivers find by their names: what is asked by UDP, and by which drivers."""

from __future__ import annotations

import socket
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from selftest.tds.scripted import PATIENCE, SIMPLE, served
from vdi_conformance.tds.browser import PORT, InstanceBrowser, KnownInstance
from vdi_conformance.tds.server import NotListening

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTANCE = KnownInstance("COMPUTER", "SECOND", (16, 0, 1000), 50123)
TOLD = b"ServerName;COMPUTER;InstanceName;SECOND;IsClustered;No;Version;16.0.1000.0;tcp;50123;;"
ANSWER = b"\x05" + len(TOLD).to_bytes(2, "little") + TOLD


@contextmanager
def browsing(instance: KnownInstance = INSTANCE, port: int = 0) -> Iterator[InstanceBrowser]:
    """Answer for a while."""
    browser = InstanceBrowser("127.0.0.1", instance, port)
    browser.start()
    try:
        yield browser
    finally:
        browser.close()


@pytest.mark.parametrize("asked", [b"\x02", b"\x03", b"\x04SECOND\0", b"\x04second", b"\x04Second\0and more"])
def test_an_instance_is_told_to_whoever_asks_for_it_or_for_all(asked: bytes) -> None:
    with browsing() as browser, closing(socket.socket(type=socket.SOCK_DGRAM)) as client:
        client.settimeout(PATIENCE)
        client.sendto(asked, ("127.0.0.1", browser.port))
        assert client.recv(2000) == ANSWER


@pytest.mark.parametrize(
    "asked", [b"", b"\x04THIRD\0", b"\x04", b"\x05", b"\x02\0", b"\x0f\x01SECOND\0", b"\xff" * 5000]
)
def test_what_is_no_request_for_it_is_not_answered(asked: bytes) -> None:
    with browsing() as browser, closing(socket.socket(type=socket.SOCK_DGRAM)) as client:
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", browser.port))
        client.send(asked)
        client.send(b"\x04SECOND\0")
        assert client.recv(2000) == ANSWER
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(2000)


def test_an_address_that_is_taken_is_told_in_a_sentence() -> None:
    with browsing() as browser:
        other = InstanceBrowser("127.0.0.1", INSTANCE, browser.port)
        with pytest.raises(NotListening, match="connect by the port of the instance"):
            other.start()
        other.close()


@pytest.mark.long
@pytest.mark.parametrize("driver", ["mssql-python", "pymssql", "pytds"])
def test_drivers_find_an_instance_by_its_name(driver: str) -> None:
    with served() as tds:
        browser = InstanceBrowser("127.0.0.1", INSTANCE._replace(port=tds.port), PORT)
        try:
            browser.start()
        except NotListening as reason:
            pytest.skip(str(reason))
        with closing(browser):
            connect(driver, r"127.0.0.1\Second")
        assert tds.service.logins[-1].user == SIMPLE


def connect(driver: str, server: str) -> None:
    """Log in by a driver."""
    match driver:
        case "mssql-python":
            import mssql_python

            text = f"Server={server};UID={SIMPLE};PWD={SIMPLE};Encrypt=yes;TrustServerCertificate=yes"
            mssql_python.connect(text).close()
        case "pymssql":
            import pymssql

            pymssql.connect(server=server, user=SIMPLE, password=SIMPLE).close()
        case "pytds":
            import pytds

            pytds.connect(dsn=server, user=SIMPLE, password=SIMPLE).close()
