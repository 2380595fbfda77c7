"""What peers cannot do to a broker: nothing that they send or hold costs the others more than a moment."""

from __future__ import annotations

import sys
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from selftest.emulator.brokers import on_loopback, site_in
from selftest.emulator.strangers import Bystander, Knocker, knock
from selftest.emulator.worlds import World
from vdi_conformance.emulator.broker_connection import BrokerConnection
from vdi_conformance.emulator.broker_protocol import LONGEST_LINE, encode_request, find
from vdi_conformance.emulator.peers import LIMITS
from vdi_conformance.emulator.signatures import SIGNATURES
from vdi_conformance.vdi.hresult import NOERROR, VD_E_PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selftest.emulator.applications import Site

MALFORMED = {
    "an unknown name": b"fly 1",
    "an unknown name of an object": b"create 1 - x73 -\nfly 1",
    "a request of the other side": b"create 1 - x73 x%s\nserver_close 1" % (b"00" * 44),
    "no name": b"",
    "no object": b"close",
    "an object without a number": b"close x31",
    "too few arguments": b"create 1 2",
    "too many arguments": b"close 1 1",
    "a number for a name": b"attach 1 - 7",
    "a name for a number": b"get_configuration 1 x31 0",
    "null for a number": b"get_configuration 1 - 0",
    "a negative number": b"get_configuration 1 -1 0",
    "a number that is too large": b"map_buffer_handle 1 4294967296 0",
    "a number of thousands of digits": b"map_buffer_handle 1 %s 0" % (b"9" * 4000),
    "a number that Python refuses": b"map_buffer_handle 1 %s 0" % (b"9" * 100_000),
    "a configuration that is too short": b"create 1 - x73 x%s" % b"0000".hex().encode(),
    "a configuration of other letters": b"create 1 - x73 x%s" % b"zz".hex().encode(),
    "half a byte": b"attach 1 - x7",
    "a text that is not UTF-8": b"attach 1 - xff",
    "letters beyond ASCII": b"\xff\xfe 1",
    "another protocol": b'{"jsonrpc": "2.0", "id": 1, "method": "close"}',
    "deep nesting": b"[" * 100_000,
    "a line that is too long": b"attach 1 - x" + b"41" * LONGEST_LINE,
}


@pytest.fixture(scope="module")
def lasting_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One broker for all that must not harm it."""
    with site_in(tmp_path_factory.mktemp("lasting")) as made:
        yield made


@pytest.fixture(scope="module")
def lasting_loopback_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same on the loopback interface, where a secret is asked for."""
    with site_in(on_loopback(tmp_path_factory.mktemp("lasting"))) as made:
        yield made


@pytest.mark.parametrize("line", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_call_is_refused_on_its_own_connection(lasting_site: Site, line: bytes) -> None:
    bystander = Bystander(lasting_site)
    with closing(knock(lasting_site).connection) as connection:
        knocker = Knocker(connection, find(lasting_site.environment.directory).secret)
        knocker.introduce()
        knocker.say(line + b"\n")
        *_, last = knocker.hears().splitlines() or [b""]
        # Who is still sending may lose the answer; who has sent all gets a sentence.
        assert last.startswith(b"- x") or len(line) > LONGEST_LINE
    assert bystander.is_undisturbed()


def test_a_refused_call_raises_its_reason_and_the_next_one_is_made(site: Site) -> None:
    link = BrokerConnection(site.environment.directory)
    with pytest.raises(ConnectionError, match="refused a call, since 'fly' is no request of this object"):
        link.call("fly", 1)
    with pytest.raises(ConnectionError, match="refused a call, since close has 0 arguments, not 1"):
        link.call("close", 1, "now")
    assert link.call("close", 1) == [VD_E_PROTOCOL]


def test_a_further_call_before_the_answer_ends_the_connection(site: Site) -> None:
    with closing(knock(site).connection) as connection:
        knocker = Knocker(connection, find(site.environment.directory).secret)
        knocker.introduce()
        config = "00" * 44
        knocker.say(encode_request("create", [1, None, "set", "01" + config[2:]]))
        assert int(connection.recv(100)) == NOERROR
        knocker.say(encode_request("get_configuration", [1, 0xFFFFFFFF, 0]) * 2)
        assert knocker.refused() == "the one before was not answered yet"
    client = site.emulator().virtual_device_set()
    assert client.open_in_secondary_ex(None, "set") == VD_E_PROTOCOL


def test_the_connections_of_a_process_end_with_its_lifeline(site: Site) -> None:
    with closing(knock(site).connection) as lifeline, closing(knock(site).connection) as thread:
        secret = find(site.environment.directory).secret
        process = Knocker(lifeline, secret).introduce()
        knocker = Knocker(thread, secret)
        knocker.say(encode_request("thread", [secret, process]) + encode_request("close", [1]))
        assert int(thread.recv(100)) == VD_E_PROTOCOL
        lifeline.close()
        assert knocker.hears() == b""


def test_a_thread_belongs_to_a_process_that_lives(site: Site) -> None:
    secret = find(site.environment.directory).secret
    for process in (0, 1, -1, 1 << 70, "x", None):
        with closing(knock(site).connection) as connection:
            knocker = Knocker(connection, secret)
            knocker.say(encode_request("thread", [secret, process]) + encode_request("close", [1]))
            assert knocker.hears() == b""


numbers = st.one_of(st.integers(-2, 2), st.integers(-(1 << 70), 1 << 70), st.sampled_from([0xFFFFFFFF, 1 << 64]))
fields = st.lists(st.one_of(numbers, st.none(), st.text(max_size=8), st.just("00" * 44)), max_size=9)
requests = st.builds(encode_request, st.sampled_from(["lifeline", "thread", "fly", *SIGNATURES]), fields)
frames = st.lists(st.one_of(requests, st.binary(max_size=60)), max_size=12).map(b"".join)


CLIENT, SERVER = 1, 2
GOOD_CONFIG = "01" + "00" * 43
VALUES = (0, 1, 2, 512, 65536, 0xFFFFFFFF, 1 << 40, (1 << 64) - 1, None, "set", "", "a\\b", GOOD_CONFIG, "00" * 44)


def well_formed(name: str) -> st.SearchStrategy[tuple[str, list[object]]]:
    """Draw a request whose arguments are what they must be, whatever sense they make."""
    kinds = [st.sampled_from([value for value in VALUES if kind(value)]) for kind in SIGNATURES[name]]
    arguments = st.tuples(st.just(SERVER if name.startswith("server_") else CLIENT), *kinds).map(list)
    return st.tuples(st.just(name), arguments)


@settings(derandomize=True, max_examples=80, deadline=None, database=None)
@given(st.lists(st.sampled_from(sorted(SIGNATURES)).flatmap(well_formed), max_size=40))
def test_whatever_is_well_formed_is_answered(calls: list[tuple[str, list[object]]]) -> None:
    world = World()
    assert world.client(1).create() == world.server(1).open() == NOERROR
    for name, arguments in calls:
        world.call(1, name, *arguments)
    world.die(1)


def test_whatever_is_sent_a_backup_still_runs(either_site: Site) -> None:
    bystander = Bystander(either_site)

    @settings(derandomize=True, max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(frames, st.booleans(), st.booleans())
    @example(b"", False, False)
    @example(b"close", True, True)
    def send(sent: bytes, known: bool, waits: bool) -> None:
        with closing(knock(either_site).connection) as connection:
            knocker = Knocker(connection, find(either_site.environment.directory).secret)
            if known:
                knocker.introduce()
            knocker.say(sent)
            if waits:
                knocker.ends()

    send()
    assert bystander.is_undisturbed()


def test_hundreds_of_silent_connections_keep_nobody_out(either_site: Site) -> None:
    bystander = Bystander(either_site)
    with ExitStack() as stack:
        silent = [stack.enter_context(closing(knock(either_site).connection)) for _ in range(300)]
        assert bystander.is_undisturbed()
        for connection in silent[: -LIMITS.strangers]:
            assert Knocker(connection, "").hears() == b""


def test_a_stranger_has_little_time(tmp_path: Path) -> None:
    with site_in(on_loopback(tmp_path), LIMITS._replace(seconds=0.01)) as site, ExitStack() as stack:
        silent, slow = (stack.enter_context(closing(knock(site).connection)) for _ in range(2))
        Knocker(slow, "").say(b"lifeline x")
        assert Knocker(silent, "").hears() == Knocker(slow, "").hears() == b""


WITHOUT = {
    "nothing": b"\n",
    "no secret": b"lifeline x\n",
    "no text": b"lifeline 0\n",
    "null": b"lifeline -\n",
    "another": b"lifeline x%s\n" % (b"0" * 32).hex().encode(),
    "letters beyond ASCII": b"lifeline xc3a9\n",
    "for a thread": b"thread x 1\n",
    "another protocol": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "more than it may take": b"lifeline x" + b"30" * 500_000,
}


@pytest.mark.parametrize("sent", WITHOUT.values(), ids=WITHOUT)
def test_without_the_secret_nothing_is_heard(lasting_loopback_site: Site, sent: bytes) -> None:
    with closing(knock(lasting_loopback_site).connection) as connection:
        knocker = Knocker(connection, "")
        knocker.say(sent + b"close 1\n")
        assert knocker.hears() == b""


def test_with_the_secret_a_process_is_heard(lasting_loopback_site: Site) -> None:
    assert Bystander(lasting_loopback_site).is_undisturbed()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of descriptors that a process can set")
def test_without_a_descriptor_left_who_comes_is_turned_away_and_the_others_go_on(tmp_path: Path) -> None:
    with site_in(tmp_path, descriptors=48) as site, ExitStack() as stack:
        link = BrokerConnection(site.environment.directory)
        assert link.call("close", 1) == [VD_E_PROTOCOL]
        crowd = []
        while True:
            knocker = knock(site)
            stack.enter_context(closing(knocker.connection))
            knocker.say(encode_request("lifeline", [""]))
            if not knocker.hears_next():
                break
            crowd.append(knocker)
        assert len(crowd) > 20
        assert link.call("close", 1) == [VD_E_PROTOCOL]
        for knocker in crowd:
            knocker.ends()
        assert Bystander(site).is_undisturbed()


def test_more_connections_than_can_be_watched_are_turned_away(tmp_path: Path) -> None:
    with site_in(tmp_path, LIMITS._replace(connections=4)) as site, ExitStack() as stack:
        crowd = [stack.enter_context(closing(knock(site).connection)) for _ in range(4)]
        assert Knocker(crowd.pop(), "").hears() == b""
        secret = find(site.environment.directory).secret
        assert [Knocker(one, secret).introduce() for one in crowd] == [1, 2, 3]
