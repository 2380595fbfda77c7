"""From the fork to the host: what a process that the fork server has just made does before it is one (Linux)."""

import os
import signal
import sys
from collections.abc import Iterable
from typing import Any, Final, NoReturn

from vdi_conformance.host.child import credentials, entry, layout
from vdi_conformance.host.lifeline import die_with_parent

assert sys.platform == "linux"

CANNOT_EXECUTE: Final = 127


def become_host(
    order: dict[str, Any], slot: int, fork_server: int, streams: tuple[int, int, int], inherited: Iterable[int]
) -> NoReturn:
    """Turn a fork of the fork server into the host that was ordered; `inherited` are the fork server's descriptors."""
    try:
        os.setsid()
        die_with_parent(fork_server)
        for wanted, stream in enumerate(streams):
            os.dup2(stream, wanted)
        for descriptor in inherited:
            os.close(descriptor)
        entry.limit_cores()
        if order["env"]:
            os.environ.update(order["env"])
        if order["kind"] == "python":
            if order["credentials"]:
                credentials.preload(())
            entry.main(order["target"], layout.separate(slot, plugged=True), order["credentials"])
        _execute(order["argv"], order["cwd"], order["credentials"])
    except BaseException as error:
        os.write(2, f"the host could not be started: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(CANNOT_EXECUTE)


def _execute(argv: list[str], cwd: str | None, account: list[int]) -> NoReturn:
    # Python ignores these two, and what is ignored stays ignored across exec.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    if cwd is not None:
        os.chdir(cwd)
    if account:
        credentials.take(*account)
    os.execvp(argv[0], argv)  # noqa: S606 - the manifest's program, no shell
