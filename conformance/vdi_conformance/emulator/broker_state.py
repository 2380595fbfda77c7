"""The broker: which sets there are, who has them open, and which calls wait; pure.

`call` takes a request and puts the answers that it leads to, its own and those of waiting calls, into
`answers`, each with the ticket of its request. The time is what the caller says it is, in seconds.
"""

from __future__ import annotations

from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any, Generic

from vdi_conformance.emulator.accounts import E_ACCESSDENIED, SUPERUSER, Account, may_share
from vdi_conformance.emulator.buffers import BufferPool, draw_first_handle
from vdi_conformance.emulator.calls import AREA_MADE, CALLS, LAST_CALLS, ClientObject, ServerObject
from vdi_conformance.emulator.rules import as_requested, instance_of, is_supported, set_name_is_valid
from vdi_conformance.emulator.server_state import EmulatedServer
from vdi_conformance.emulator.signatures import check, unknown
from vdi_conformance.emulator.state import CallAnswer, EmulatedSet, Member, ServerPhase
from vdi_conformance.emulator.waits import Owner, Ticket, Wait, Waits
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_INSTANCE_NAME,
    VD_E_INVALID,
    VD_E_NOTSUPPORTED,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
)
from vdi_conformance.vdi.structures import INFINITE, VDConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class BrokerState(Generic[Ticket]):
    """All virtual device sets of one broker; `garbage` collects the areas that nobody needs any more.

    `made` collects those that have just been made, each with the account that its set belongs to. Areas up to the
    number `taken` are not its own. Without a word on `home`, the account that the broker itself belongs to, and on
    those of processes, all belong to the superuser.
    """

    def __init__(self, seed: int, taken: int = 0, home: Account = SUPERUSER) -> None:
        self.answers: list[tuple[Ticket, CallAnswer]] = []
        self.garbage: list[int] = []
        self.made: list[tuple[int, Account]] = []
        self._home = home
        self._accounts: dict[int, Account] = {}
        self._seed = seed
        self._numbers = count(taken + 1)
        self._names: dict[tuple[str, str], EmulatedSet] = {}
        self._objects: dict[Owner, ClientObject | ServerObject] = {}
        self._waits: Waits[Ticket] = Waits()
        self._wake: float | None = None
        self._beginnings: dict[str, Callable[..., int]] = {
            "create": self._create,
            "attach": self._attach,
            "server_open": self._open_server,
        }

    def process_came(self, process: int, account: Account) -> None:
        """Take the account of a process that will make calls."""
        self._accounts[process] = account

    def call(self, ticket: Ticket, process: int, name: str, fields: Sequence[Any], now: float) -> None:
        """Make the call of that name; `fields` are the number of the object and the arguments.

        Malformed, and nothing done, where there is no call like that.
        """
        check(name, fields)
        number, *arguments = fields
        owner = Owner(process, number)
        begin = self._beginnings.get(name)
        known = self._objects.get(owner)
        if begin is not None:
            code = begin(owner, *arguments) if known is None else VD_E_PROTOCOL
            self.answers.append((ticket, CallAnswer(code)))
            return
        if known is None:
            if name not in CALLS:
                raise unknown(name)
            self.answers.append((ticket, CallAnswer(VD_E_PROTOCOL)))
            return
        known.set.now = now
        answer = known.call(name, arguments)
        if answer is None:
            self._wait(ticket, owner, name, arguments)
            return
        self.answers.append((ticket, answer))
        if name in LAST_CALLS:
            self._end(owner)
        elif name == AREA_MADE and all(arguments):
            self.made.append((arguments[0], known.set.owner))
        self._settle(known.set)
        self._wake_at(known.set.deadline())

    # Beginnings

    def _create(self, owner: Owner, instance: str | None, name: str | None, config: str | None) -> int:
        """CreateEx."""
        key = _key_of(instance, name)
        if isinstance(key, int):
            return key
        if config is None:
            return VD_E_INVALID
        requested = as_requested(VDConfig.unpack(bytes.fromhex(config)))
        if not is_supported(requested):
            return VD_E_NOTSUPPORTED
        if not self._may_create(owner):
            return E_ACCESSDENIED
        if key in self._names:
            return VD_E_PROTOCOL
        primary = Member(primary=True)
        pool = BufferPool(draw_first_handle(Random(f"{self._seed}/{key}")))
        self._names[key] = device_set = EmulatedSet(key[1], requested, primary, pool, self._numbers)
        device_set.owner = self._account(owner)
        self._objects[owner] = ClientObject(device_set, primary)
        return NOERROR

    def _attach(self, owner: Owner, instance: str | None, name: str | None) -> int:
        """OpenInSecondaryEx."""
        key = _key_of(instance, name)
        if isinstance(key, int):
            return key
        if key not in self._names:
            return VD_E_PROTOCOL
        if not may_share(self._account(owner), self._names[key].owner):
            return E_ACCESSDENIED
        member = self._names[key].attach()
        if isinstance(member, int):
            return member
        self._objects[owner] = ClientObject(self._names[key], member)
        return NOERROR

    def _open_server(self, owner: Owner, instance: str | None, name: str | None) -> int:
        """Open of the server side."""
        key = _key_of(instance, name)
        if isinstance(key, int):
            return key
        device_set = self._names.get(key)
        if device_set is None:
            return VD_E_INVALID
        if not self._may_serve(owner, device_set):
            return E_ACCESSDENIED
        if device_set.aborted:
            return VD_E_ABORT
        if device_set.phase is not ServerPhase.ABSENT:
            return VD_E_PROTOCOL
        self._objects[owner] = ServerObject(EmulatedServer(device_set))
        return NOERROR

    # Accounts

    def _account(self, owner: Owner) -> Account:
        return self._accounts.get(owner.process, SUPERUSER)

    def _may_create(self, owner: Owner) -> bool:
        """Tell whether an account may create sets: it shares a user or a group with the broker's own."""
        return may_share(self._account(owner), self._home)

    def _may_serve(self, owner: Owner, device_set: EmulatedSet) -> bool:
        """Tell whether a server may open a set: it is of the broker's own account, with which it shares a directory."""
        account = self._account(owner)
        return account.user in (SUPERUSER.user, self._home.user) and may_share(account, device_set.owner)

    # Waiting

    def _wait(self, ticket: Ticket, owner: Owner, name: str, arguments: Sequence[Any]) -> None:
        waiting = self._objects[owner]
        timeout = arguments[0]
        if not timeout:
            self.answers.append((ticket, CallAnswer(VD_E_TIMEOUT)))
            return
        deadline = None if timeout == INFINITE else waiting.set.now + timeout / 1000
        place = waiting.set, waiting.waits_for(name, arguments)
        self._waits.add(Wait(ticket, owner, place, deadline, lambda: waiting.call(name, arguments)))
        self._wake_at(deadline)

    def _settle(self, device_set: EmulatedSet) -> None:
        """Make the waiting calls again for which something was stirred, in the order in which they came."""
        while device_set.stirred:
            stirred, device_set.stirred = device_set.stirred, []
            for key in dict.fromkeys(stirred):
                for wait in self._waits.take(device_set, key):
                    answer = wait.retry()
                    if answer is None:
                        self._waits.add(wait)
                    else:
                        self.answers.append((wait.ticket, answer))

    def forget(self, ticket: Ticket) -> None:
        """Drop the waits of a caller that is not there any more."""
        self._waits.take_if(lambda wait: wait.ticket is ticket)

    # Time

    def next_deadline(self) -> float | None:
        """Tell when `tick` may have something to do, if ever."""
        return self._wake

    def _wake_at(self, deadline: float | None) -> None:
        if deadline is not None and (self._wake is None or deadline < self._wake):
            self._wake = deadline

    def tick(self, now: float) -> None:
        """Let time pass: end the waits that are over, and lose patience with slow clients."""
        over = self._waits.take_if(lambda wait: wait.deadline is not None and wait.deadline <= now)
        self.answers += [(wait.ticket, CallAnswer(VD_E_TIMEOUT)) for wait in over]
        self._wake = self._waits.next_deadline()
        for device_set in self._names.values():
            device_set.tick(now)
            self._settle(device_set)
            self._wake_at(device_set.deadline())

    # Ends

    def process_died(self, process: int) -> None:
        """Take the death of a process, with all that it had open."""
        self._accounts.pop(process, None)
        self._waits.take_if(lambda wait: wait.owner.process == process)
        for owner in [owner for owner in self._objects if owner.process == process]:
            dead = self._objects[owner]
            dead.die()
            self._end(owner)
            self._settle(dead.set)

    def _end(self, owner: Owner) -> None:
        """Take an object's set from it: its waits end, the set's name may become free, its memory garbage."""
        ended = self._objects.pop(owner)
        waits = self._waits.take_if(lambda wait: wait.owner == owner)
        self.answers += [(wait.ticket, CallAnswer(VD_E_ABORT)) for wait in waits]
        if isinstance(ended, ClientObject) and ended.member.primary:
            self._names = {key: named for key, named in self._names.items() if named is not ended.set}
        if ended.set.deserted:
            self.garbage += ended.set.pool.areas


def _key_of(instance: str | None, name: str | None) -> tuple[str, str] | int:
    """Give what a set is known by, or the code of a name that cannot be."""
    if name is None or not set_name_is_valid(name):
        return VD_E_INVALID
    scope = instance_of(instance)
    return VD_E_INSTANCE_NAME if scope is None else (scope, name)
