"""The life of a connection to a host, and what can go wrong at each step of it.

start       NotStarted, NoProcess
initialize  AdapterNotLoaded, ImplementationUnavailable, UnknownProtocol, LacksMethods
a call      AdapterRaised, MethodNotFound, InvalidParams, InvalidRequest, MemoryFault, UnknownRefusal
a line      NotJson, WrongId, WrongReply
any time    HostDied, HostHung, NoEnd

HostDied and HostHung are facts about the implementation under test, which a check may judge. NothingLearnt says
nothing of it: the machine or the check came to its limits. A ProtocolError says that the host broke the host protocol:
an error, never a pass. A HostRefusal is an answer that the protocol foresees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.host import codes
from vdi_conformance.untrusted.printable import shown, shown_end

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vdi_conformance.host.process_end import Ended
    from vdi_conformance.versions import Version

_QUOTED: Final = 200
_PROBLEM: Final = 300
_MESSAGE: Final = 2000
_LAST_WORDS: Final = 1500
_TRACEBACK: Final = 6000
"""So many characters are told of what a host wrote: of a line, of what is wrong with it, of a refusal, and so on."""


class HostError(Exception):
    """Whatever can go wrong with a host; `host` is its name.

    Its sentence is fit to be shown, whatever the host said; the attributes of errors have that as it came. `by` is the
    requirement that it breaks, where a check says so.
    """

    def __init__(self, host: str, sentence: str) -> None:
        super().__init__(sentence)
        self.host = host
        self.by: str | None = None


class NothingLearnt(HostError):
    """What happened says nothing about the implementation, and to go on would not tell more."""


class NotStarted(NothingLearnt):
    """The process that starts the hosts is gone, so that no host can be reached."""

    def __init__(self, last_words: str) -> None:
        super().__init__(
            "",
            f"no host can be reached, since the process that starts them has ended: run again, and if that happens "
            f"again, start each one by itself (--vdi-start=spawn){_quoted_stderr(last_words)}",
        )


class NoProcess(NothingLearnt):
    """The system refused to make a process of ours, which says nothing about the implementation."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            "",
            f"no process could be made for a host ({shown(cause, _MESSAGE)}): "
            "see whether the machine is short of memory or processes, then run again",
        )


class HostDied(HostError):
    """The process ended before it had answered; `method` is what was in flight.

    `was_given_null` says that the call was given a null pointer, with which the documents promise no clean answer.
    """

    def __init__(self, host: str, method: str, ended: Ended, was_given_null: bool = False) -> None:
        super().__init__(
            host,
            f"host {host!r} {ended} before it answered {method}: look for the cause in the implementation, "
            f"where {method} leads to{_quoted_stderr(ended.stderr)}",
        )
        self.method = method
        self.ended = ended
        self.was_given_null = was_given_null


END_OF_INPUT: Final = "the end of its standard input"
"""What a host does not answer that stays when it is told to leave."""


class HostHung(HostError):
    """The process did not answer in time; it and its process group were ended.

    `under_way` are the methods of all requests that had no answer then, the one that was waited for among them.
    """

    def __init__(
        self, host: str, method: str, seconds: float, ended: Ended | None, under_way: tuple[str, ...] = ()
    ) -> None:
        super().__init__(
            host,
            f"host {host!r} did not answer {method} within {seconds:g} s and was ended: a call that waits must let "
            f"other threads run (in Python, a blocking call must release the GIL) and return when its time is up"
            f"{_quoted_stderr(ended.stderr if ended else '')}",
        )
        self.method = method
        self.seconds = seconds
        self.ended = ended
        self.under_way = under_way


class NoEnd(NothingLearnt):
    """The time of a check is over, although no single call took too long."""

    def __init__(self, host: str, method: str) -> None:
        super().__init__(
            host,
            f"the time of this check is over, and host {host!r} was to be asked or waited for once more ({method}): "
            "the machine is too busy, or each answer asked for more of them, or none came; run it again on an idle "
            "machine, or give it more time with --timeout-scale",
        )


class ProtocolError(HostError):
    """The host broke the host protocol."""


class NotJson(ProtocolError):
    """A line on standard output is not JSON."""

    def __init__(self, host: str, line: bytes) -> None:
        super().__init__(
            host,
            f"host {host!r} wrote {_quote(line)} to its standard output, which is no JSON: "
            f"print messages to standard error, since standard output carries the protocol",
        )
        self.line = line


class WrongId(ProtocolError):
    """An answer belongs to no request that is waiting for one."""

    def __init__(self, host: str, line: bytes) -> None:
        super().__init__(
            host,
            f"host {host!r} answered with {_quote(line)}, whose id is not that of a waiting request: "
            f"answer each request once, with its own id",
        )
        self.line = line


class WrongReply(ProtocolError):
    """An answer does not have the form that its method asks for."""

    def __init__(self, host: str, method: str, problem: str, line: bytes) -> None:
        super().__init__(
            host,
            f"host {host!r} answered {method} with {_quote(line)}, which does not fit the protocol "
            f"({shown(problem, _PROBLEM)}): compare it with the published schema of {method}",
        )
        self.method = method
        self.line = line


class UnknownProtocol(ProtocolError):
    """The host speaks another major version of the host protocol; `claimed` is the one where it told."""

    def __init__(self, host: str, said: str, claimed: Version | None = None) -> None:
        super().__init__(
            host,
            f"host {host!r} does not speak version {codes.PROTOCOL_VERSION} of the host protocol, which this suite "
            f"speaks ({shown(said, _PROBLEM)}): {self._remedy(claimed)}",
        )

    @staticmethod
    def _remedy(claimed: Version | None) -> str:
        spoken = codes.PROTOCOL_VERSION
        if claimed is None:
            return "use a host and a suite that speak the same major version, as conformance/CHANGELOG.md tells them"
        if claimed < spoken:
            return (
                f"bring the host up to {spoken}, where conformance/CHANGELOG.md tells what changed, "
                f"or use a suite that speaks version {claimed.major}"
            )
        return f"install a vdi-conformance that speaks version {claimed.major}, or a host that speaks {spoken.major}"


class LacksMethods(ProtocolError):
    """The host does not have methods that it must have."""

    def __init__(self, host: str, missing: Sequence[str]) -> None:
        super().__init__(
            host,
            f"host {host!r} does not have {', '.join(missing)}, which it must have: implement what the published "
            "host protocol says that it needs, and name it among the methods in the answer to initialize",
        )


class HostRefusal(HostError):
    """The host answered with an error that the protocol foresees; `data` is what it added, such as a traceback."""

    remedy: str = "see what the host says"

    def __init__(self, host: str, method: str, message: str, data: Mapping[str, object] | None = None) -> None:
        traceback = (data or {}).get("traceback", "")
        told_last = traceback.strip() if isinstance(traceback, str) else ""
        last_words = f"\n{shown_end(told_last, _TRACEBACK)}" if told_last else ""
        super().__init__(host, f"{self.told(host, method, shown(message, _MESSAGE))}: {self.remedy}{last_words}")
        self.method = method
        self.message = message
        self.data = dict(data or {})

    def told(self, host: str, method: str, message: str) -> str:
        """Say what happened, as the first half of the sentence."""
        return f"host {host!r} refused {method} ({message})"


class AdapterNotLoaded(HostRefusal):
    """The adapter could not be imported or made."""

    remedy = "make the adapter importable from where the suite runs, and its class free of errors"

    def told(self, host: str, method: str, message: str) -> str:
        """Give the sentence of the host, which names the adapter."""
        return message


class ImplementationUnavailable(HostRefusal):
    """The adapter is there, what it would show to the suite is not; its own sentence says why, and what to do."""

    def __init__(self, host: str, method: str, message: str, data: Mapping[str, object] | None = None) -> None:
        HostError.__init__(self, host, shown(message, _MESSAGE))
        self.method = method
        self.message = message
        self.data = dict(data or {})


class AdapterRaised(HostRefusal):
    """An exception left a method of the adapter."""

    remedy = "an adapter returns the HRESULT that a call gave and lets no exception out"


class MethodNotFound(HostRefusal):
    """The host does not know the method."""

    remedy = "implement the method, or do not declare the capability that needs it"


class InvalidParams(HostRefusal):
    """The host does not accept the parameters."""

    remedy = "the host must accept every request that fits the published schema"


class MemoryFault(HostRefusal):
    """The memory is not there, or not accessible in the way that was asked for."""

    remedy = "the address is not one of memory that the process may use this way"


class InvalidRequest(HostRefusal):
    """The host could not read the line, or the request came when it must not come."""

    remedy = "initialize comes first and once, and every request is JSON-RPC 2.0"


class UnknownRefusal(HostRefusal, ProtocolError):
    """The host answered with an error whose code the protocol does not know."""

    remedy = "answer with the error codes of the protocol"


BY_CODE: Final[Mapping[int, type[HostRefusal]]] = {
    codes.PARSE_ERROR: InvalidRequest,
    codes.INVALID_REQUEST: InvalidRequest,
    codes.METHOD_NOT_FOUND: MethodNotFound,
    codes.INVALID_PARAMS: InvalidParams,
    codes.ADAPTER_RAISED: AdapterRaised,
    codes.ADAPTER_NOT_LOADED: AdapterNotLoaded,
    codes.MEMORY_FAULT: MemoryFault,
    codes.IMPLEMENTATION_UNAVAILABLE: ImplementationUnavailable,
}


def _quote(line: bytes) -> str:
    text = line[: 4 * _QUOTED].decode("utf-8", "backslashreplace")
    return shown(repr(text if len(text) <= _QUOTED else text[:_QUOTED] + "…"))


def _quoted_stderr(stderr: str) -> str:
    text = stderr.strip()
    return f"\nThe end of its standard error:\n{shown_end(text, _LAST_WORDS)}" if text else ""
