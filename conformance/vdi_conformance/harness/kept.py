"""What processes keep of work that is done again and again and leaves nothing to be kept.

What is loaded at first, made when it is first wanted, or kept for later up to some number stops growing; what is lost
does not. So a process is judged by whether it ever comes to rest, never by how much it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.evidence.records import Series
from vdi_conformance.harness.client import SET_THREAD
from vdi_conformance.harness.judging import ConformanceFailure, not_tested
from vdi_conformance.harness.memory import PAGE
from vdi_conformance.host.resources import Resources, lasting, resources_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.worker_session import WorkerSession
    from vdi_conformance.host.process import Host

CALM: Final = 8
"""After so many rounds without more of it a process has come to rest."""
ROUNDS: Final = 48
"""So many rounds are tried: a process may keep for later what some 36 of them leave."""
GIVEN_BACK: Final = 3.0
"""So many seconds, before scaling, a process has to give back by itself what it still has after the last round."""
CONTROL: Final = 1 << 24
"""So many bytes must show from outside when a process takes them."""

KINDS: Final = {
    "handles": "open handles",
    "threads": "threads",
    "mappings": "mappings",
    "mapped": "bytes of mapped memory",
    "shared": "bytes of shared memory",
}
"""What is counted in a process, by the names of Resources."""
PRIVATE: Final = "private"
OBSERVED: Final = {PRIVATE: "bytes of memory of its own"}
"""What is noted beside, and held against nobody: how much of it is filled is the business of who allocates it."""
OF_A_BROKER: Final = ("handles", "threads", "shared")
"""What is counted in a broker, which may well keep accounts of what it has done."""
FIRM: Final = ("handles", "threads")
"""What is counted one by one; the rest may be the host's own, up to a part of a page for each of many sets."""
SHARE: Final = 8
FILES: Final = "pieces of shared memory that nobody has open"


class Growth:
    """How one number went on, round after round; `calm` rounds without `least` more than ever before are rest."""

    def __init__(self, calm: int, least: int = 1) -> None:
        self.numbers: list[int] = []
        self.rests = False
        self._calm = calm
        self._least = least
        self._most: int | None = None
        self._since = 0

    def take(self, number: int) -> None:
        """Take the number after a further round; the first one is nothing but a beginning."""
        if self._most is None or number >= self._most + self._least:
            self._most, self._since = number, 0
        else:
            self._since += 1
        self.numbers.append(number)
        self.rests = self.rests or self._since >= self._calm

    @property
    def half(self) -> int:
        """What there was after half of the rounds."""
        return self.numbers[len(self.numbers) // 2]

    def __str__(self) -> str:
        quarters = (len(self.numbers) * quarter // 4 for quarter in (1, 2, 3, 4))
        return ", ".join(f"{self.numbers[round_ - 1]} after {round_}" for round_ in quarters if round_)


def _least(kind: str, sets: int) -> int:
    """Give what counts as more of a kind after a round of so many sets."""
    if kind in FIRM:
        return 1
    return max(1, sets // SHARE) * (1 if kind == "mappings" else PAGE)


class Watched:
    """One process, and how each of some kinds of what it has went on."""

    def __init__(self, host: Host, kinds: Iterable[str], sets: int) -> None:
        self.host = host
        self.grown = {kind: Growth(CALM, _least(kind, sets)) for kind in kinds}
        self._private: list[int] = []

    def resources(self) -> Resources:
        """Look into it."""
        found = resources_of(self.host.initialized.process.pid)
        if found is None:
            not_tested(
                "nobody but itself can look into the process of the adapter: run it on this machine, as this user"
            )
        return found

    def take(self) -> None:
        """Count once more."""
        found = self.resources()
        for kind, growth in self.grown.items():
            growth.take(getattr(found, kind))
        self._private.append(found.private)

    @property
    def series(self) -> list[Series]:
        """What was counted, round after round."""
        counted = [(KINDS[kind], growth.numbers) for kind, growth in self.grown.items()]
        counted.append((OBSERVED[PRIVATE], self._private))
        return [Series(process=self.host.name, kind=kind, numbers=[*numbers]) for kind, numbers in counted]

    def kept(self, kind: str) -> bool:
        """Whether it has not given back by now half of what the rounds have left."""
        return int(getattr(self.resources(), kind)) > self.grown[kind].half


class Kept:
    """What the processes of a check keep from round to round.

    A round is so many `sets`. Each client makes all its calls on one thread from now on: a further one of the host's
    would take memory of its own.
    """

    def __init__(self, session: WorkerSession, clients: Sequence[Client], *others: Host, sets: int = 1) -> None:
        self._session = session
        self._clients = clients
        self.watched = [Watched(host, KINDS, sets) for host in (*(client.host for client in clients), *others)]
        self._brokers = [Watched(host, OF_A_BROKER, sets) for host in _brokers(session)]
        for client in clients:
            client.device_thread = SET_THREAD
        self._require_seen()
        self._before = self._files_in_use()
        self._files: frozenset[str] = frozenset()
        self._left = Growth(CALM)

    def look(self) -> None:
        """See, while a set is in use, which files lie behind its memory."""
        self._files |= self._files_in_use() - self._before

    def _files_in_use(self) -> frozenset[str]:
        return frozenset().union(*(watched.resources().files for watched in self.watched))

    def end_round(self) -> bool:
        """Count what is left after a round; tell whether everything has come to rest."""
        for watched in (*self.watched, *self._brokers):
            watched.take()
        self._left.take(lasting(self._files))
        return self.rests

    @property
    def rests(self) -> bool:
        """Whether everything has come to rest."""
        return not self._growing and self._left.rests

    @property
    def _growing(self) -> list[tuple[Watched, str]]:
        everybody = (*self.watched, *self._brokers)
        return [(watched, kind) for watched in everybody for kind, one in watched.grown.items() if not one.rests]

    @property
    def series(self) -> list[Series]:
        """How everything that was counted went on, for the evidence."""
        return [one for watched in (*self.watched, *self._brokers) for one in watched.series]

    @property
    def growing(self) -> list[str]:
        """Name what the clients have ever more of."""
        return sorted({KINDS[kind] for watched, kind in self._growing if watched in self.watched})

    def require_nothing(self, what: str, by: str, of: Host | None = None, other: str = "") -> None:
        """Fail the check where something grew without end, and is not given back: `what` has kept it.

        This breaks the requirement `by`, and in the process `of` the requirement `other`.
        """
        if self.rests:
            return
        self._session.supervisor.wait_until(lambda: not self._kept(), self._patience)
        for watched, kind in self._kept():
            sentence = f"the {KINDS[kind]} of {watched.host.name} were {watched.grown[kind]} rounds"
            raise ConformanceFailure(
                f"{what} keeps something each time: {sentence}", by=other if watched.host is of else by
            )
        if self._files_are_left():
            raise ConformanceFailure(f"{what} leaves {FILES}: there were {self._left} rounds", by=by)

    @property
    def _patience(self) -> float:
        return GIVEN_BACK * self._session.parties.timeout_scale

    def _kept(self) -> list[tuple[Watched, str]]:
        return [(watched, kind) for watched, kind in self._growing if watched.kept(kind)]

    def _files_are_left(self) -> bool:
        if self._left.rests:
            return False
        return not self._session.supervisor.wait_until(lambda: lasting(self._files) <= self._left.half, self._patience)

    def _require_seen(self) -> None:
        """End the check where memory that a process surely has does not show."""
        for watched, client in zip(self.watched, self._clients, strict=False):
            before = watched.resources().mapped
            client.allocate(CONTROL)
            if watched.resources().mapped - before < CONTROL:
                not_tested(
                    "what the adapter's process has does not show from outside: run it on this machine, as this user"
                )


def _brokers(session: WorkerSession) -> list[Host]:
    """Give the background part of the client under test, where it surely runs as the process that it says."""
    if not session.parties.client_capabilities.broker:
        return []
    broker = session.broker(session.parties.client)
    return [broker] if broker.initialized.process.pid == broker.pid else []
