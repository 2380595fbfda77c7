"""A process that stands still for a while, as one that its system does not let run, or that a debugger holds."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.harness.testbed import Testbed
    from vdi_conformance.host.process import Host


@contextmanager
def standing_still(testbed: Testbed, host: Host) -> Iterator[None]:
    """Let a process stand still, and go on afterwards."""
    host.halt()
    try:
        # Orders to start and to halt processes are taken one after the other.
        testbed.client("bystander").outside_addresses()
        yield
    finally:
        host.resume()
