"""Whose processes may create, join and serve a set of the emulator."""

from __future__ import annotations

import socket
import sys

import pytest

from selftest.emulator.worlds import DEFAULT, World
from vdi_conformance.emulator.accounts import E_ACCESSDENIED, SUPERUSER, Account, account_of, may_share, own_account
from vdi_conformance.vdi.hresult import NOERROR, VD_E_PROTOCOL

OWNER = Account(1, 10)
COLLEAGUE = Account(2, 20, frozenset({10}))
STRANGER = Account(3, 30)


@pytest.mark.parametrize(
    ("account", "shares"),
    [(OWNER, True), (Account(1, 99), True), (COLLEAGUE, True), (Account(4, 10), True), (STRANGER, False)],
)
def test_who_has_the_user_or_the_group_of_an_owner_shares(account: Account, shares: bool) -> None:
    assert may_share(account, OWNER) is shares


def test_the_superuser_shares_everything() -> None:
    assert may_share(SUPERUSER, OWNER)


def test_a_set_lets_in_who_shares_with_its_creator() -> None:
    world = World()
    for process, account in enumerate((COLLEAGUE, STRANGER), 2):
        world.broker.process_came(process, account)
    world.broker.process_came(1, Account(1, 10))
    # The broker is the superuser's, with whom none of them has a group in common.
    assert world.call(1, "create", 1, None, "set", DEFAULT.pack().hex()).code == E_ACCESSDENIED
    world.broker.process_came(1, Account(1, 10, frozenset({SUPERUSER.group})))
    assert world.call(1, "create", 1, None, "set", DEFAULT.pack().hex()).code == NOERROR
    assert world.call(2, "attach", 1, None, "set").code == VD_E_PROTOCOL  # the server has not come
    assert world.call(3, "attach", 1, None, "set").code == E_ACCESSDENIED
    assert world.call(3, "server_open", 2, None, "set").code == E_ACCESSDENIED


@pytest.mark.skipif(sys.platform == "win32", reason="accounts are not told there")
def test_the_other_end_of_a_socket_has_an_account() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert account_of(one, own_account()) == own_account()
