"""The reference model beside a sequence: it follows what was seen, and tells the circumstances of each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.differences.permitted import permits
from vdi_conformance.differences.seen import CODE, Seen
from vdi_conformance.model import server as servers
from vdi_conformance.model.state import AbortState, ModelClient, ModelCommand, ModelState, SetPhase
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.client_states import ClientState
from vdi_conformance.vdi.hresult import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.differences.steps import Step
    from vdi_conformance.model.permits import Permits
    from vdi_conformance.model.state import ModelDevice, ModelSet
    from vdi_conformance.model.steps import Step as ModelStep

CLIENTS: Final = 9
BY_NAME: Final = {name: code for code, name in NAMES.items()}
INFORMATIVE: Final = ("ERROR_HANDLE_EOF", "ERROR_END_OF_MEDIA", "ERROR_FILEMARK_DETECTED", "ERROR_NO_DATA_DETECTED")
"""Codes of completions that inform, and may count as errors or not."""
STATES: Final = {
    ClientState.DOES_NOT_EXIST: "DNE",
    ClientState.CONFIGURABLE: "CON",
    ClientState.INITIALIZING: "INI",
    ClientState.ACTIVE: "ACT",
    ClientState.NORMALLY_TERMINATED: "END",
    ClientState.ABORT: "ABO",
}
"""The states of a client in short."""


class Modelled:
    """A model that takes the steps of a sequence; where it cannot follow, it stays where it is."""

    def __init__(self, clients: int = CLIENTS) -> None:
        self.state = ModelState([ModelClient(number + 1) for number in range(clients)])
        self.sets: dict[str, ModelSet] = {}
        self._labels: dict[int, str] = {}
        self._hosts: dict[int, int] = {}
        self._cause = ""
        self._ended_with = ""
        self._asked = frozenset[str]()
        self._large = False
        self._statement = ""
        self._accounts = False
        self._idle = False

    # Circumstances

    def circumstances(self, step: Step) -> frozenset[str]:
        """Say in words under which circumstances a step is taken: the state of its client first of all."""
        found = {"statement", self._statement} if self._statement else set[str]()
        found |= self._asked
        found |= {"large"} if self._large else set()
        found |= {"accounts"} if self._accounts else set()
        found |= {"idle"} if self._idle else set()
        found |= {f"by {self._cause}"} if self._cause else set()
        found |= {self._ended_with} if self._ended_with else set()
        found |= {"several sets"} if sum(of.in_use for of in self.state.sets) > 1 else set()
        if step.by:
            found |= self._of_a_client(self.client(step), step)
        return frozenset(found)

    def _of_a_client(self, client: ModelClient, step: Step) -> set[str]:
        of = client.of
        found = {STATES[client.view]}
        if of is None:
            label = self.label(step)
            there = self.sets.get(label)
            if there is not None and there.in_use:
                found |= {"taken"} | _of_a_set(there)
            beside = self._hosts.get(client.number)
            if beside is not None and self.state.clients[beside - 1].of is not None:
                found.add("beside")
            return found
        found |= {"primary" if client.is_creator else "secondary"} | _of_a_set(of)
        if of.abort_state is AbortState.ABORTED:
            found -= set(STATES.values())
            found.add("ABO")
        if any(device.owner is not client and device.taken and not device.told for device in of.devices):
            found.add("others open")
        if any(not device.told for device in client.devices):
            found.add("own open")
        if client.configured:
            found.add("knows")
        return found | self._of_a_device(client, of, step)

    def _of_a_device(self, client: ModelClient, of: ModelSet, step: Step) -> set[str]:
        index = step.number("device")
        device = of.devices[index] if index < len(of.devices) else None
        found = {"all taken"} if of.all_taken else set[str]()
        if device is None:
            return found
        if device.taken:
            found.add("taken here" if device.owner is client else "taken elsewhere")
        if device.told:
            found.add("told")
        if device.server_closed:
            found.add("closed")
        if device.queue:
            found.add("queued")
        if device.held:
            found.add("holds")
        return found

    # Following

    def follow(self, step: Step, seen: Seen) -> None:
        """Take in what was seen of a step."""
        self._accounts |= step.act == "account"
        self._idle |= step.act == "pause" and not self._has_commands(step)
        taken = _FOLLOWED.get(step.act)
        if taken is not None:
            taken(self, step, seen.get(CODE, ""))

    def pass_over(self, step: ModelStep) -> None:
        """Take a step of the model that no sequence has: a process that starts again."""
        if step.act == "start":
            if step.by:
                self.state.clients[step.by - 1].alive = True
            else:
                self.state.server_alive = True

    def permits(self, step: Step) -> Permits | None:
        """Give what the model permits for a step; None where it has no opinion."""
        return permits(self, step)

    def client(self, step: Step) -> ModelClient:
        """Give the client that takes a step."""
        return self.state.clients[(step.by - 1) % len(self.state.clients)]

    def label(self, step: Step) -> str:
        """Give the label of the set that a step is about."""
        if step.by:
            return step.argument("set", self._labels.get(step.by, "1"))
        return step.argument("set", "1")

    def _set(self, step: Step) -> ModelSet | None:
        if step.by and (of := self.client(step).of) is not None:
            return of
        return self.sets.get(self.label(step))

    def _has_commands(self, step: Step) -> bool:
        of = self._set(step)
        return of is not None and any(device.queue or device.held for device in of.devices)

    def device(self, step: Step) -> ModelDevice | None:
        """Give the device that a step names, whoever has it open."""
        of, index = self._set(step), step.number("device")
        return of.devices[index] if of is not None and index < len(of.devices) else None

    def own_device(self, step: Step) -> ModelDevice | None:
        """Give the device of a step, where its client has it open."""
        device = self.device(step)
        return device if device in self.client(step).devices else None

    def _settle(self, step: Step, code: str) -> None:
        permits = self.permits(step)
        if permits is not None and code in BY_NAME:
            permits.settle(BY_NAME[code])

    def _create(self, step: Step, code: str) -> None:
        known, label = len(self.state.sets), self.label(step)
        self._settle(step, code)
        if step.number("features") & vdc.VDF_REQUEST_COMPLETE:
            self._asked |= {"asks for Complete"}
        if step.number("server_time_out"):
            self._asked |= {"limits time"}
        if len(self.state.sets) > known:
            self._labels[step.by], self.sets[label] = label, self.state.sets[-1]

    def _join(self, step: Step, code: str) -> None:
        label = self.label(step)
        self._settle(step, code)
        if code == "NOERROR":
            self._labels[step.by] = label

    def _abort(self, step: Step, code: str) -> None:
        self._cause = "another"
        self._settle(step, code)

    def _close(self, step: Step, code: str) -> None:
        self._cause = self._cause or "a close"
        self._settle(step, code)
        client = self.client(step)
        if code in ("NOERROR", "VD_E_OPEN") and client.of is not None:
            client.leave()

    def _begin_wait(self, step: Step, _code: str) -> None:
        device = self.device(step)
        if device is not None:
            device.waiting = True

    def _end_wait(self, step: Step, code: str) -> None:
        device = self.device(step)
        if device is not None and code in BY_NAME:
            device.waiting = False
        self._settle(step, code)

    def _completed(self, step: Step, code: str) -> None:
        given = step.argument("code")
        if given and code == "NOERROR":
            self._ended_with = "informed" if given in INFORMATIVE else "in error"
        self._settle(step, code)

    def _notice(self, step: Step, code: str) -> None:
        if code == "VD_E_ABORT":
            self.client(step).notice_for_good()

    def _kill(self, step: Step, _code: str) -> None:
        self._cause = "a death"
        servers.client_dies(self.client(step))

    def _beside(self, step: Step, _code: str) -> None:
        self._hosts[step.by] = step.number("client", 1)

    def _serve(self, step: Step, phase: SetPhase, code: str) -> None:
        of = self._set(step)
        if of is not None and code == "NOERROR":
            of.served, of.phase = True, max(of.phase, phase)
            self.state.serving = of

    def _configure(self, step: Step, code: str) -> None:
        self._serve(step, SetPhase.CONFIGURED, code)
        of = self._set(step)
        if of is not None and code == "NOERROR" and step.argument("devices") != "0":
            for device in of.devices:
                device.server_open = True

    def _begin(self, step: Step, code: str) -> None:
        self._large = self._large or step.number("transfer") > 1 << 20
        self._serve(step, SetPhase.BEGUN, code)

    def _open_server_device(self, step: Step, code: str) -> None:
        device = self.device(step)
        if device is not None and code == "NOERROR":
            device.server_open = True

    def _send(self, step: Step, code: str) -> None:
        device = self.device(step)
        if device is None or code != "NOERROR":
            return
        self.state.tags += 1
        name = step.argument("code", "VDC_WRITE")
        data = name in ("VDC_WRITE", "VDC_READ")
        size = step.number("size") or (4096 if data else 0)
        kind = vdc.VDC_READ if name == "VDC_READ" else vdc.VDC_WRITE if data else vdc.VDC_FLUSH
        command = ModelCommand(self.state.tags, kind, size, self.state.tags * data, data=data)
        servers.send(device, command).settle(0)

    def _completion(self, step: Step, code: str) -> None:
        of = self._set(step)
        for command in [] if of is None else of.commands:
            command.seen = command.seen or code == f"command {command.tag} that was sent"

    def _close_device(self, step: Step, code: str) -> None:
        device = self.device(step)
        if device is not None and code == "NOERROR":
            device.server_closed = True

    def _abort_of_server(self, step: Step, code: str) -> None:
        self._cause = "the server"
        of = self._set(step)
        if of is not None and code == "NOERROR":
            servers.signal_abort(of).settle(0)

    def _lose_server(self, step: Step, _code: str) -> None:
        self._cause = "the server's end"
        of = self._set(step)
        if of is not None and of.served:
            self.state.serving = of
            servers.abandon(self.state)

    def _begin_statement(self, step: Step, _code: str) -> None:
        self._statement = step.argument("operation", "backup")


def _of_a_set(of: ModelSet) -> set[str]:
    found = {"configured" if of.phase is SetPhase.CONFIGURED else "not configured"}
    if of.abort_state is not AbortState.SOUND:
        found.add("aborted" if of.abort_state is AbortState.ABORTED else "perhaps aborted")
    if of.over:
        found.add("over")
    if of.creator is not None and not of.creator.configured:
        found.add("primary does not know")
    return found


_FOLLOWED: Final[dict[str, Callable[[Modelled, Step, str], None]]] = {
    "create": Modelled._create,
    "join": Modelled._join,
    "get_configuration": Modelled._settle,
    "open_device": Modelled._settle,
    "get_command": Modelled._settle,
    "begin_wait": Modelled._begin_wait,
    "end_wait": Modelled._end_wait,
    "complete": Modelled._completed,
    "signal_abort": Modelled._abort,
    "close": Modelled._close,
    "notice": Modelled._notice,
    "kill": Modelled._kill,
    "beside": Modelled._beside,
    "open": lambda modelled, step, code: modelled._serve(step, SetPhase.OPENED, code),
    "begin": Modelled._begin,
    "end": lambda modelled, step, code: modelled._serve(step, SetPhase.CONFIGURED, code),
    "configure": Modelled._configure,
    "open_server_device": Modelled._open_server_device,
    "send": Modelled._send,
    "completion": Modelled._completion,
    "close_device": Modelled._close_device,
    "abort": Modelled._abort_of_server,
    "close_server": Modelled._lose_server,
    "kill_server": Modelled._lose_server,
    "statement": Modelled._begin_statement,
}
