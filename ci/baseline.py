"""Holds a whole run on the emulator against the committed one: `ci/baseline.py [--renew] [EVIDENCE]`.

`reports/baseline/emulator.jsonl` is evidence without what differs from run to run or from machine to machine: the
verdicts by the ids of checks, and the answers to open questions. Every difference is an error, but for checks that are
not applicable here since the machine lacks something. `--renew` writes it anew, after a change of the checks or of the
emulator. Without EVIDENCE the run is the one that `ci/run.py` left in `reports`.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from vdi_conformance.evidence.files import Evidence, NotEvidence, read
from vdi_conformance.evidence.records import CheckRecord, Party, Record, Requests

REPORTS: Final = Path(__file__).resolve().parents[1] / "reports"
KEPT: Final = REPORTS / "baseline" / "emulator.jsonl"
RUN: Final = REPORTS / "evidence.jsonl"
UNREADABLE: Final = 4
NAMED: Final = 20
"""So many differences are named."""


class Difference(NamedTuple):
    """What differs, and whether only the machine is to blame."""

    what: str
    excused: bool = False


def reduced(evidence: Evidence) -> bytes:
    """Give what is the same in every run: a file of evidence by its own schema, its checks by their ids."""
    parties = {role: _portable(getattr(evidence.header, role)) for role in ("client", "server")}
    header = msgspec.structs.replace(
        evidence.header, platform="", python="", tools={}, plugins={}, started="", **parties
    )
    footer = msgspec.structs.replace(evidence.footer, duration=0.0)
    checks = sorted(map(_stable, evidence.checks), key=lambda check: check.id)
    return b"".join(msgspec.json.encode(_told(record)) + b"\n" for record in (header, *checks, footer))


def _portable(party: Party) -> Party:
    """Leave out the files that it is made of, which lie elsewhere and are others on each machine."""
    return msgspec.structs.replace(party, pins={})


def _stable(check: CheckRecord) -> CheckRecord:
    # Which codes came depends on who was first, where calls overlap.
    return msgspec.structs.replace(
        check,
        node="",
        duration=0.0,
        observations=[msgspec.structs.replace(seen, permitted=[]) for seen in check.observations],
        codes={},
        requests=Requests(),
        calls=[],
        detail="",
        about="",
        conditions={},
        walked=None,
        series=[],
    )


def _told(record: Record) -> dict[str, Any]:
    """Lay a record out without what it has by default."""
    told: dict[str, Any] = msgspec.to_builtins(record)
    usual = {field.encode_name: _default(field) for field in msgspec.structs.fields(record) if not field.required}
    # The number of the format says how all else is read.
    return {
        name: value for name, value in told.items() if name not in usual or name == "format" or usual[name] != value
    }


def _default(field: msgspec.structs.FieldInfo) -> object:
    made = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    return msgspec.to_builtins(made)


def differences(kept: Evidence, run: Evidence) -> Iterator[Difference]:
    """Give whatever a run has otherwise than the committed one."""
    for role in ("client", "server"):
        ours, theirs = (_declared(getattr(one.header, role)) for one in (kept, run))
        if ours != theirs:
            yield Difference(f"the {role} declares {theirs} and not {ours}")
    known, found = ({check.id: check for check in one.checks} for one in (kept, run))
    yield from (Difference(f"{id_} is new") for id_ in sorted(found.keys() - known.keys()))
    yield from (Difference(f"{id_} is gone") for id_ in sorted(known.keys() - found.keys()))
    for id_ in sorted(known.keys() & found.keys()):
        yield from _between(known[id_], found[id_])


def _declared(party: Party) -> dict[str, object]:
    return {"name": party.name, "version": party.version, **party.capabilities}


def _between(old: CheckRecord, new: CheckRecord) -> Iterator[Difference]:
    if old.verdict != new.verdict:
        why = f": {new.cause.sentence}" if new.cause else ""
        # What the emulator declares is the same, so that only the machine can lack something.
        if new.verdict == "not applicable":
            yield Difference(f"not applicable on this machine{why}", excused=True)
        else:
            yield Difference(f"{old.id} was {old.verdict} and is {new.verdict}{why}")
        return
    before, after = (
        {(seen.question, seen.subject, seen.answer) for seen in check.observations} for check in (old, new)
    )
    for question, subject, answer in sorted(before - after):
        yield Difference(f"{old.id} did not see {question} {subject}: {answer}")
    for question, subject, answer in sorted(after - before):
        yield Difference(f"{old.id} saw {question} {subject}: {answer}")


def _seen(check: CheckRecord) -> set[tuple[str, str, str]]:
    return {(seen.question, seen.subject, seen.answer) for seen in check.observations}


def main(arguments: list[str]) -> int:
    """Compare or renew; 1 where there are differences, 4 where there is no whole run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--renew", action="store_true", help="write the committed run anew")
    parser.add_argument("evidence", nargs="?", type=Path, default=RUN)
    asked = parser.parse_args(arguments)
    try:
        run = read(asked.evidence)
        if run.header.selection or run.footer.exit_code:
            _say(f"{asked.evidence} is not of a whole run with the exit code 0: run `python3 ci/run.py` first.")
            return UNREADABLE
        if asked.renew:
            KEPT.parent.mkdir(exist_ok=True)
            KEPT.write_bytes(reduced(run))
            _say(f"wrote {KEPT}")
            return 0
        return _compared(read(KEPT), run)
    except NotEvidence as error:
        _say(f"{error}.")
        return UNREADABLE


def _compared(kept: Evidence, run: Evidence) -> int:
    found = list(differences(kept, run))
    for what, count in Counter(one.what for one in found if one.excused).items():
        _say(f"{count} checks are {what}")
    wrong = [one.what for one in found if not one.excused]
    for what in wrong[:NAMED]:
        _say(what)
    if len(wrong) > NAMED:
        _say(f"... and {len(wrong) - NAMED} more")
    remedy = "; where that is meant: .venv/bin/python ci/baseline.py --renew" if wrong else ""
    _say(f"{len(run.checks)} checks, {len(wrong)} differences from reports/baseline/emulator.jsonl{remedy}")
    return 1 if wrong else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
