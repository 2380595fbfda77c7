"""Files that a user names: evidence, baselines, manifests, profiles, walks, plans, keys, tables, and words."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from fuzzing.mutation import bytewise, documents, linewise, of_json
from fuzzing.target import Broken, Target, alone, refusing
from fuzzing.targets.samples import encoded, sample
from selftest.evidence.samples import CHECK, FOOTER, HEADER, KNOWN
from vdi_conformance.adapters import UnknownAdapter, resolve
from vdi_conformance.evidence.files import Evidence, NotEvidence, parse, written
from vdi_conformance.evidence.merging import Named, NotMergeable, merged
from vdi_conformance.evidence.records import Shard
from vdi_conformance.evidence.shards import belongs, whole
from vdi_conformance.judgement import baseline
from vdi_conformance.judgement.baseline import NotABaseline
from vdi_conformance.model.steps import ACTS, Step
from vdi_conformance.proof import plan
from vdi_conformance.requirements import profiles
from vdi_conformance.signing import envelope, keys
from vdi_conformance.untrusted import bounds
from vdi_conformance.walks import recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from fuzzing.target import Read

_END_OF_FILE: Final = b"\n\x1c\n"
"""Between the files of one input."""
_SENTENCE: Final = 1000
_BASELINE: Final = """# Known failures.
[[known-failure]]
requirement = "GBH-01"
cause = ["NOERROR", "died"]
reason = 'it "does"'
issue = "VDI-1"
fault = "adapter"
expires = 2027-01-31

[[known-failure]]
check = "GBH/a_check[primary]"
cause = "not tested"
reason = '''two
lines'''
issue = "VDI-2"
fault = "implementation"
"""
_MANIFEST: Final = """command = ["python3", "-m", "host"]
name = "My host"
directory = "."
[env]
A = "b"
"""


def evidences() -> Sequence[bytes]:
    """Give runs: small ones, a part of a real one, and shards."""
    run = written(Evidence(HEADER, (CHECK, KNOWN), FOOTER))
    real = (Path(__file__).parents[3] / "reports" / "baseline" / "emulator.jsonl").read_bytes().splitlines()
    every = [encoded(sample(kind) | {"record": word}) for word, kind in _RECORDS]
    return [run, b"\n".join([*real[:3], *real[300:304], real[-1]]), b"\n".join(every)]


_RECORDS: Final = (("header", type(HEADER)), ("check", type(CHECK)), ("footer", type(FOOTER)))


def _read_evidence(data: bytes) -> None:
    """Read a run; what was read can be written, and says the same again."""
    found = parse(data, "a.jsonl")
    again = parse(written(found), "a.jsonl")
    if again.checks != found.checks:
        raise Broken("the run says something else when it was written again")


def _shards() -> Sequence[bytes]:
    """Give the two shards of a run in one input."""
    ids = [f"a/{number}" for number in range(8)]
    found = []
    for number in (1, 2):
        shard = Shard(number=number, of=2)
        checks = [msgspec.structs.replace(CHECK, id=one) for one in ids if belongs(one, shard)]
        header = msgspec.structs.replace(HEADER, shard=shard, selection=[f"shard {shard.label}"])
        footer = msgspec.structs.replace(FOOTER, counts={"passed": len(checks)}, whole=whole(ids))
        found.append(written(Evidence(header, tuple(checks), footer)).rstrip(b"\n"))
    return [_END_OF_FILE.join(found)]


def _merge(data: bytes) -> None:
    files = data.split(_END_OF_FILE)
    merged(Named(f"{number}.jsonl", parse(one, f"{number}.jsonl")) for number, one in enumerate(files, 1))


def _read_baseline(data: bytes) -> None:
    """Read a baseline; what is written of it is the same list."""
    entries = baseline.parse(data.decode("utf-8", "replace"), "b.toml")
    again = baseline.parse(baseline.render(entries, "a", {}), "b.toml")
    if sorted(map(repr, again)) != sorted(map(repr, entries)):
        raise Broken("the baseline is another one when it was written again")


def _of_file(
    name: str, read: Callable[[Path], object], *refusals: type[Exception]
) -> Callable[[Path], AbstractContextManager[Read]]:
    """Open a reader of a file of this name."""

    @contextmanager
    def opened(directory: Path) -> Iterator[Read]:
        path = directory / name

        def tried(data: bytes) -> bool:
            path.write_bytes(data)
            return refusing(lambda _: read(path), *refusals)(data)

        yield tried

    return opened


def _recordings() -> Sequence[bytes]:
    plan = {"clients": 2, "strict": False, "contents": True}
    walk = sample(recording.Recording) | {"format": recording.FORMAT, "plan": plan}
    steps = [sample(Step) | {"act": act} for act in sorted(ACTS)[:8]]
    return [encoded({**walk, "steps": some}) for some in ([], steps)]


def _read_envelope(data: bytes) -> None:
    found = envelope.parse(data)
    if envelope.written(found) != data or not found.content:
        raise Broken("the envelope is another one when it was written again")


def _envelopes() -> Sequence[bytes]:
    made = envelope.envelope_of(b'{"_type":"x"}')
    signatures = [envelope.Signature(keyid=letter * 64, sig="A" * 86 + "==") for letter in "ab"]
    return [
        envelope.written(made.signed(signatures[0])),
        envelope.written(made.signed(signatures[1]).signed(signatures[0])),
    ]


def _keys() -> Sequence[bytes]:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        plain, locked = Path(name) / "plain", Path(name) / "locked"
        keys.make(plain, None)
        keys.make(locked, "word")
        return [path.read_bytes() for path in sorted(Path(name).iterdir())]


def _read_key(path: Path) -> None:
    """Read a file as either half of a key."""
    if b"PRIVATE" in path.read_bytes():
        keys.read_private(path, "word")
    else:
        keys.read_public(path)


def _words() -> Sequence[bytes]:
    return [b"1", b"2.5", b"3/8", b"auto", b"0123456789abcdef", "²".encode(), b"-0", b"1e3"]


def _read_word(data: bytes) -> None:
    """Read a word as everything that a run can be asked for; one of them may take it."""
    word = data.decode("utf-8", "surrogateescape")
    refused = 0
    readers = (bounds.seed, bounds.stretch, bounds.shard, bounds.workers, bounds.challenge)
    for one in readers:
        try:
            one(word)
        except ValueError as error:
            if not 0 < len(str(error)) < _SENTENCE:
                raise Broken(f"its sentence has {len(str(error))} characters") from error
            refused += 1
    if refused == len(readers):
        raise ValueError("nothing takes it")


TARGETS: Final = (
    Target(
        "evidence", "the record of a run", evidences, linewise(of_json), alone(refusing(_read_evidence, NotEvidence))
    ),
    Target(
        "merge",
        "the records of shards, put together",
        _shards,
        linewise(of_json),
        alone(refusing(_merge, NotEvidence, NotMergeable)),
    ),
    Target(
        "baseline",
        "lists of known failures",
        lambda: [_BASELINE.encode()],
        linewise(),
        alone(refusing(_read_baseline, NotABaseline)),
    ),
    Target(
        "manifest",
        "how the host of an adapter is started",
        lambda: [_MANIFEST.encode()],
        linewise(),
        _of_file("a.toml", lambda path: resolve(str(path)), UnknownAdapter),
    ),
    Target(
        "profile",
        "lists of requirements",
        lambda: list(profiles.texts().values()),
        linewise(),
        alone(refusing(lambda data: profiles.parse(data, "a.toml"), ValueError)),
    ),
    Target(
        "walk",
        "walks to be replayed",
        _recordings,
        documents,
        _of_file("walk.json", recording.load, recording.NotARecording),
    ),
    Target(
        "plan",
        "what workers of a proof are to try",
        lambda: [encoded(sample(plan.ProofPlan))],
        documents,
        _of_file("plan.json", plan.read, plan.NotAPlan),
    ),
    Target(
        "signature",
        "envelopes of signatures",
        _envelopes,
        documents,
        alone(refusing(_read_envelope, envelope.InvalidEnvelope)),
    ),
    Target("key", "keys in PEM", _keys, linewise(), _of_file("key", _read_key, keys.UnusableKey)),
    Target("words", "numbers and words of a command line", _words, bytewise, alone(refusing(_read_word, ValueError))),
)
