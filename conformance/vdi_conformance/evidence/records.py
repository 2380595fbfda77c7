"""What a run leaves behind: one header, one record a check, one footer."""

from typing import Any, Final, Literal

import msgspec

FORMAT: Final = 3
TOOLS: Final = ("hypothesis", "msgspec", "pytest", "pytest-xdist")
"""The distributions beside the suite that take part in its verdicts."""

Verdict = Literal["passed", "failed", "warning", "known failure", "not applicable", "not tested", "error"]

VERDICTS: Final[tuple[Verdict, ...]] = (
    "passed",
    "failed",
    "warning",
    "known failure",
    "not applicable",
    "not tested",
    "error",
)
CHARGING: Final[tuple[Verdict, ...]] = ("failed", "warning", "known failure")
"""The verdicts of a check that charge a requirement."""
CauseKind = Literal["code", "assertion", "died", "hung", "protocol", "suite", "not tested"]
NOT_TESTED: Final = "not tested"
APPLICATION: Final = "application"
"""The reference of a client that is no adapter but a client application, which an emulated SQL Server judged."""
Culprit = Literal["implementation", "adapter", "platform"]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="record"):
    """One line of the evidence."""


PinKind = Literal["library", "program", "adapter", "loaded"]


class Pin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the files that a party is made of, by its digest.

    A library is what the adapter names as such, a program what its manifest starts, a file of the adapter one of its
    modules, its manifest or an argument; loaded is other compiled code that its process had.
    """

    kind: PinKind
    sha256: str


class Party(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An adapter in one of its roles: how it was named, what it says of itself, and the files that it is made of.

    `server_version` is what the server behind it says of its own version, where it is the server of the run. `pins` are
    by the paths of the files, in their order.
    """

    reference: str
    name: str
    version: str
    vendor: str = ""
    library: str = ""
    server_version: str = ""
    capabilities: dict[str, Any] = {}
    pins: dict[str, Pin] = {}

    @property
    def core(self) -> dict[str, str]:
        """The digests of its libraries and programs, by the paths of these."""
        return {path: pin.sha256 for path, pin in self.pins.items() if pin.kind in ("library", "program")}


class ProfileVersion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of a profile, and the digest of its file."""

    name: str
    version: int
    sha256: str

    @property
    def label(self) -> str:
        """The name and the version, such as core-1."""
        return f"{self.name}-{self.version}"


class Shard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a run: the checks of share `number` (1 and above) of `of`."""

    number: int
    of: int

    @property
    def label(self) -> str:
        """How it is asked for, such as 3/8."""
        return f"{self.number}/{self.of}"


class Machine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place in which checks ran, as who named it calls it, with the platform and the Python that it said it has."""

    name: str
    platform: str
    python: str


class Header(Record, frozen=True, kw_only=True, tag="header"):
    """First line: what was run against what, and how; `started` is a time in UTC (ISO 8601).

    `tools` are the versions of TOOLS; `plugins` those of every plugin that pytest had loaded beside its own and ours,
    by distribution, or by module, without a version, where it belongs to none. `selection` says in words all that
    narrows the run down, `shard` among it. `baseline_sha256` is the digest of the known failures that it was given.
    `challenge` is a text that whoever asked for the run had chosen, which shows that it was not made before.
    `machines` are those over which the run was spread, or the one that it speaks of where each had all checks; there
    are none where all ran on the one that it was started on.
    """

    format: int = FORMAT
    suite_version: str
    catalogue_sha256: str
    profile: ProfileVersion | None = None
    client: Party
    server: Party
    platform: str
    python: str
    tools: dict[str, str]
    plugins: dict[str, str]
    seed: int
    timeout_scale: float
    selection: list[str]
    shard: Shard | None = None
    baseline_sha256: str | None = None
    started: str
    challenge: str = ""
    machines: list[Machine] = []

    @property
    def partial(self) -> bool:
        """A selected run speaks of its selection only."""
        return bool(self.selection)


class Observation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A permitted choice that was seen: the open question, what was tried, and the answer.

    `permitted` are the answers that the documents permit, where they are a closed list.
    """

    question: str
    subject: str
    answer: str
    permitted: list[str] = []


BEFORE: Final = "; before that: "
"""What led to a failure of random work follows it in the sentence of a cause."""


class Cause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a check did not pass, in one sentence; `expected` and `observed` are names of codes where it is about one."""

    kind: CauseKind
    sentence: str
    expected: list[str] = []
    observed: str | None = None

    @property
    def name(self) -> str:
        """What stays the same from run to run: the code that was observed, or else the kind."""
        return self.observed or self.kind


class KnownFailure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the baseline says of a failure: the requirement or check that its entry names, why, where, whose fault."""

    entry: str
    reason: str
    issue: str
    fault: Culprit


class Call(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request to one process, as it was made and answered; numbered from 1 over all processes of the check.

    `thread` is the label of the thread that made it, empty where the request named none. `begin` and `end` are
    milliseconds since the first call of the check, on one clock for all processes; `end` is None where no answer came.
    """

    number: int
    process: str
    thread: str = ""
    method: str
    params: dict[str, Any]
    answer: dict[str, Any] | str | None
    begin: float = 0.0
    end: float | None = None


class Unexpected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The call of a check that should have been answered otherwise, by its number, and what was permitted instead.

    The judge "model" says that it is the first whose answer no behaviour explains that the documents permit. The judge
    "check" says no more than that the check did not accept what it gave.
    """

    call: int
    judge: Literal["model", "check"]
    permitted: list[str] = []


class Walked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far the walks of a stateful check came.

    `steps` were taken in all; `reached` has each outcome of the client matrix and each move between its states that
    there is to reach, with how often it was.
    """

    steps: int
    reached: dict[str, int]


class Series(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of a `kind` one process had while a check went on, counted after each of its rounds, in their order.

    The kind says in words what was counted, such as threads or bytes of shared memory.
    """

    process: str
    kind: str
    numbers: list[int]


class Requests(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many requests the processes of a check answered.

    `client` counts those of client processes, `statements` what a server was told to run, `steps` the single steps that
    a scripted server was told.
    """

    client: int = 0
    statements: int = 0
    steps: int = 0


class CheckRecord(Record, frozen=True, kw_only=True, tag="check"):
    """How one check ended; `id` is stable over versions, `duration` is in seconds.

    `requirements` are those that it judges; `broken` those that its failure or warning is charged to, which may be
    others: what a check needs before it can judge its own has requirements too. What it judges and did not break
    was not tested by it then. `about` says in a sentence what it holds, `conditions` under which values of
    which axes, where it was chosen by these. `codes` are the names of the HRESULTs that the methods of the client
    interface gave, by the methods. `calls` are all of them, or where they are very many the ones that tell how it came
    to its end; `unexpected` says which should have been answered otherwise. `ended` has the processes that were told to
    leave, or were seen to have left, before the check was over, and when, on the clock of the calls. `accounts` names
    those that ran under another account. `series` has what a check of endurance counted on its way. `machine` is the
    one of the header's on which it ran, where that has some.
    """

    id: str
    node: str
    requirements: list[str]
    level: str
    verdict: Verdict
    broken: list[str] = []
    duration: float
    cause: Cause | None = None
    known: KnownFailure | None = None
    observations: list[Observation] = []
    codes: dict[str, list[str]] = {}
    requests: Requests = Requests()
    calls: list[Call] = []
    ended: dict[str, float] = {}
    accounts: list[str] = []
    unexpected: Unexpected | None = None
    detail: str = ""
    about: str = ""
    conditions: dict[str, str] = {}
    walked: Walked | None = None
    series: list[Series] = []
    machine: str = ""


class Whole(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all shards of a run hold together: how many checks, and the SHA-256 digest of their sorted ids, a line each.

    `left_out` are those of the shard itself that turned out to be none of a run without a server.
    """

    checks: int
    sha256: str
    left_out: list[str] = []


class Footer(Record, frozen=True, kw_only=True, tag="footer"):
    """Last line: without it the file is no result.

    `complaints` say what the baseline lists otherwise than the run went, in a sentence each; `narrowed` says what only
    the end of the run showed of its selection; `duration` is in seconds. `whole` is what a shard is a part of.
    """

    counts: dict[str, int]
    complaints: list[str] = []
    narrowed: list[str] = []
    exit_code: int
    duration: float
    whole: Whole | None = None


def narrowed(header: Header, footer: Footer) -> Header:
    """Give the header of a whole run, whose selection is all that narrowed it down, whenever that showed."""
    return msgspec.structs.replace(header, selection=[*header.selection, *footer.narrowed])
