"""What is known of an adapter before any process of it runs, and what a run settles for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from vdi_conformance.host.credentials import Credentials

Role = Literal["client", "server", "broker"]


@dataclass(frozen=True)
class AdapterSpec:
    """How to start the hosts of an adapter.

    A `python` adapter is a class that our own host process loads: `target` is `package.module:Class` or
    `/path/file.py:Class`. A `command` adapter brings a host program of its own: `argv`, started in `cwd`. `env` is set
    on top of the environment in both cases. `preload` names modules that the fork server imports once for all hosts:
    they must be ours, hold no state and start nothing. `credentials` are those of another account than this process's.
    """

    reference: str
    kind: Literal["python", "command"]
    title: str
    target: str = ""
    argv: tuple[str, ...] = ()
    cwd: str | None = None
    env: tuple[tuple[str, str], ...] = ()
    preload: tuple[str, ...] = ()
    credentials: Credentials | None = None


class RunEnvironment(Protocol):
    """What every host of a run is told; `contract.Environment` and `RunSettings` both fit."""

    @property
    def seed(self) -> int:
        """Makes an adapter's choices repeatable."""
        ...

    @property
    def time_scale(self) -> float:
        """The factor on every time limit, at least 1."""
        ...


@dataclass(frozen=True)
class RunSettings:
    """A run environment by its values; the private directory is the supervisor's."""

    seed: int = 0
    time_scale: float = 1.0
