"""A walk that failed, as a file that can be played again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from vdi_conformance import __version__
from vdi_conformance.model.steps import ACTS, Step
from vdi_conformance.untrusted import decoding
from vdi_conformance.untrusted.misfits import plainly
from vdi_conformance.walks.walk import ANEW, WalkOptions

if TYPE_CHECKING:
    from pathlib import Path

FORMAT: Final = 1
CLIENTS: Final = 16
"""No recording has more clients than that."""


_decoder = msgspec.json.Decoder()


class NotARecording(ValueError):
    """A file that no walk can be played from; the sentence says why."""


class Recording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was done, and what came of it.

    `steps` are taken as far as they are possible; `trace` tells them with the answers that came. `seed` is the run's.
    """

    format: int = FORMAT
    suite_version: str = __version__
    check: str
    seed: int
    failure: str
    trace: list[str]
    plan: WalkOptions
    steps: list[Step]


def save(path: Path, recording: Recording) -> None:
    """Write a recording."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(recording), indent=1) + b"\n")


def load(path: Path) -> Recording:
    """Read a recording, or raise NotARecording with the reason."""
    try:
        data = decoding.file_bytes(path)
    except decoding.Unreadable as error:
        raise NotARecording(f"{path} cannot be read ({error}): name the file that the failure names") from error
    try:
        found: Any = decoding.json(data, _decoder)
        known = found.get("format") if isinstance(found, dict) else None
        if known is not None and known != FORMAT:
            raise NotARecording(f"{path} has format {known}, this version takes {FORMAT}: run the check again")
        recording = msgspec.convert(found, Recording)
    except (decoding.Unreadable, msgspec.ValidationError) as error:
        raise NotARecording(
            f"{path} is not the recording of a walk ({plainly(error)}): name one that a failure names"
        ) from error
    _check(path, recording)
    return recording


def _check(path: Path, recording: Recording) -> None:
    clients = recording.plan.clients
    if not 1 <= clients <= CLIENTS:
        raise NotARecording(f"{path} has {clients} clients: a walk has 1 to {CLIENTS}")
    for step in recording.steps:
        if step != ANEW and step.act not in ACTS:
            raise NotARecording(f"{path} has the step {step.act!r}, which there is not: the file was changed by hand")
