"""The adapter that is examined: how it is started, what it said of itself, and the process that answers now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import msgspec

from vdi_conformance.contract import Capabilities
from vdi_conformance.doctor.findings import Call, Finding, finding
from vdi_conformance.doctor.shapes import tolerated
from vdi_conformance.host import codes
from vdi_conformance.host.messages import rules
from vdi_conformance.host.messages.base import HostEnvironment, Initialize, Initialized, Reply, Request
from vdi_conformance.untrusted.misfits import plainly
from vdi_conformance.untrusted.printable import shown, shown_end

if TYPE_CHECKING:
    from vdi_conformance.doctor.conversation import Processes, Spoken
    from vdi_conformance.doctor.lines import Answer
    from vdi_conformance.host.spec import AdapterSpec, Role

R = TypeVar("R", bound=Reply)
_MESSAGE: Final = 600


class Stop(Exception):
    """An examination cannot go on, since of something that it has found."""


class NotTried(Exception):
    """An examination cannot be made; one sentence says why."""


class NotApplicable(Exception):
    """There is nothing to examine; one sentence says why."""


class Subject:
    """What all examinations share.

    `first` is the answer to its first request, `initialized` what it said of itself there. `server` is how its server
    is started, where it has one, and what that declares; `server_reference` is what was asked for.
    """

    def __init__(self, spec: AdapterSpec, processes: Processes, server_reference: str | None = None) -> None:
        self.spec = spec
        self.processes = processes
        self.server_reference = server_reference
        self.first: Answer | None = None
        self.initialized: Initialized | None = None
        self.server: tuple[AdapterSpec, Capabilities] | None = None
        self.times: list[Call] = []
        self._host: Spoken | None = None
        self._brokers: list[Spoken] | None = None

    def started(self, role: Role = "client", spec: AdapterSpec | None = None) -> tuple[Spoken, int]:
        """Start a process and send the first request; give both."""
        spoken = self.processes.start(spec or self.spec)
        environment = HostEnvironment(directory=self.processes.directory, seed=0, time_scale=1.0)
        request = Initialize(protocol=str(codes.PROTOCOL_VERSION), role=role, environment=environment)
        return spoken, spoken.send(request.method, None, **_parameters(request))

    def ready(self, role: Role = "client", spec: AdapterSpec | None = None) -> Spoken:
        """Give a fresh process that has answered the first request."""
        spoken, number = self.started(role, spec)
        answer = spoken.answer(number)
        if answer.error is not None:
            raise NotTried(f"a {role} of {(spec or self.spec).reference} refuses to start: {told(answer)}")
        return spoken

    @property
    def capabilities(self) -> Capabilities:
        """What the host declares, as far as this version knows of it."""
        return _known(self.initialized.capabilities if self.initialized else {})

    def declared_by(self, spec: AdapterSpec) -> Capabilities:
        """Ask another host what it declares, as a server."""
        spoken, number = self.started("server", spec)
        answer = spoken.answer(number)
        spoken.stop()
        if answer.error is not None or not isinstance(answer.result, dict):
            raise NotTried(f"the server {spec.reference} refuses to start: {told(answer)}")
        return _known(answer.result.get("capabilities", {}))

    def keep(self, spoken: Spoken) -> None:
        """Let this process be the one that examinations speak to."""
        self._host = spoken

    def host(self) -> Spoken:
        """Give the process that examinations speak to: another one where the last has ended."""
        if self._host is None or self._host.ended is not None:
            self._host = self.ready()
        return self._host

    def drop(self, is_asked_where: bool = True) -> Spoken | None:
        """Stop the process that examinations speak to, so that the next one gets another; give it.

        It says where it was unless that would hide what it has said.
        """
        dropped, self._host = self._host, None
        if dropped is not None:
            dropped.stop(is_asked_where)
        return dropped

    def start_brokers(self) -> int:
        """Start the background parts that sets need, once; tell how many there are."""
        if self._brokers is None:
            specs = [self.spec] if self.capabilities.broker else []
            if self.server is not None and self.server[1].broker and self.server[0] not in specs:
                specs.append(self.server[0])
            self._brokers = [self.ready("broker", spec) for spec in specs]
        return len(self._brokers)


class Examiner:
    """One examination while it goes on: it asks, and notes what it finds."""

    def __init__(self, subject: Subject, about: str) -> None:
        self.subject = subject
        self.about = about
        self.findings: list[Finding] = []
        self.facts: list[str] = []

    @property
    def host(self) -> Spoken:
        """The process to speak to."""
        return self.subject.host()

    def found(self, mistake: str, came: str, tried: str | None = None) -> None:
        """Note a mistake; `tried` is what the examination is about unless it is told."""
        if all(one.mistake != mistake for one in self.findings):
            self.findings.append(finding(mistake, tried or self.about, came))

    def stop(self, mistake: str, came: str, tried: str | None = None) -> Stop:
        """Note a mistake after which the examination cannot go on."""
        self.found(mistake, came, tried)
        return Stop()

    def send(self, request: Request[Any], host: Spoken) -> int:
        """Send a request without waiting, to the process whose answer is awaited."""
        return host.send(request.method, request.thread, **_parameters(request))

    def call(self, request: Request[R]) -> R:
        """Make a request that must have a reply."""
        return self.reply(request, self.refusal(request))

    def refusal(self, request: Request[Any]) -> Answer:
        """Make a request that is to be refused, and give the answer, whatever it is."""
        host = self.host
        return host.answer(self.send(request, host))

    def reply(self, request: Request[R], answer: Answer) -> R:
        """Read an answer that must be a reply; what can be made of it is made of it."""
        tried = request.method
        if answer.error is not None or "result" not in answer.members:
            raise self._refused(request, answer)
        plain, odd = tolerated(answer.result)
        for mistake, came in odd:
            self.found(mistake, f"{came} in the answer to {request.method}", tried)
        try:
            return cast("R", msgspec.convert(plain, request.reply))
        except (msgspec.ValidationError, OverflowError) as error:
            came = f"{request.method} was answered with {shown(repr(answer.result), 200)} ({_problem(error)})"
            raise self.stop("wrong-answer", came, tried) from None

    def _refused(self, request: Request[Any], answer: Answer) -> Stop:
        came, code = f"{request.method} was answered with {told(answer)}", answer.error_code
        if "error" in answer.members and (
            answer.error is None or type(code) is not int or not isinstance(answer.error.get("message"), str)
        ):
            return self.stop("error-is-no-object", came, request.method)
        kinds = {
            codes.METHOD_NOT_FOUND: "lacks-methods",
            codes.ADAPTER_RAISED: "raised",
            codes.IMPLEMENTATION_UNAVAILABLE: "not-there",
            codes.ADAPTER_NOT_LOADED: "cannot-be-loaded",
        }
        if answer.error is None:
            return self.stop("no-result", came, request.method)
        return self.stop(
            kinds.get(code, "refused" if code in rules.WHEN else "unknown-error-code"), came, request.method
        )


def told(answer: Answer) -> str:
    """Tell an answer in a few words, an error by its code and its message."""
    if answer.error is None:
        return shown(repr(answer.members.get("error", answer.result)), 200)
    data = answer.error.get("data")
    account = data.get("traceback") if isinstance(data, dict) else None
    words = shown(f"the error {answer.error_code} ({answer.error.get('message')})", _MESSAGE)
    return f"{words}\n{shown_end(account.strip(), _MESSAGE)}" if isinstance(account, str) and account.strip() else words


def _problem(error: Exception) -> str:
    return plainly(error) if isinstance(error, msgspec.ValidationError) else "it has a number that is too large"


def _known(declared: dict[str, Any]) -> Capabilities:
    try:
        return Capabilities.from_mapping({name: one for name, one in declared.items() if name in Capabilities.names()})
    except ValueError:
        return Capabilities()


def _parameters(request: Request[Any]) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(request)
    plain.pop("thread")
    return plain
