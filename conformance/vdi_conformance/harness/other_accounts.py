"""Processes under other accounts than the run's: which there are, and why there may be none."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from vdi_conformance.host.credentials import Credentials

if TYPE_CHECKING:
    from vdi_conformance.host.spec import AdapterSpec

Other = Literal["in our group", "another in our group", "outside our group"]
"""An account that is in the first group of the run's, such as a user that was put into it, or one that is not."""

_NOBODY: Final = 65534
_UNNAMED: Final = 65533
_ALL_MAY_ENTER: Final = stat.S_IXOTH
_PART_MAY_ENTER: Final = 0o710
_ALL_MAY_READ: Final = 0o644


def credentials_of(other: Other) -> Credentials:
    """Give the numbers of an account; all of them have one first group."""
    if other == "outside our group":
        return Credentials(_NOBODY, _NOBODY)
    return Credentials(_UNNAMED if other.startswith("another") else _NOBODY, _NOBODY, (_own_group(),))


if sys.platform == "win32":

    def _own_group() -> int:
        return _NOBODY

    def obstacle(spec: AdapterSpec, directory: str) -> str | None:
        """Say why no process can be started under another account."""
        del spec, directory
        return "accounts of Windows cannot be tried: to start a process under another one takes its password"

    def let_in(credentials: Credentials, directory: str, *within: str) -> None:
        """Do nothing: nobody comes."""

    def let_read(directory: Path) -> None:
        """Do nothing: nobody comes."""

else:

    def _own_group() -> int:
        return os.getegid()

    def obstacle(spec: AdapterSpec, directory: str) -> str | None:
        """Say why no process of an adapter can be started under another account; None where it may be tried."""
        if os.geteuid() != 0:
            return "only root can start processes under other accounts: run the suite as root, best in a container"
        if (closed := _closed(Path(directory).parent)) is not None:
            return f"other accounts cannot enter {closed}, where the run has its files: let TMPDIR name another place"
        # What an adapter of somebody else imports late must be readable; ours have read all before they change.
        if spec.kind == "python" and not spec.preload and (closed := _closed(Path(os.__file__).parent)) is not None:
            return f"other accounts cannot enter {closed}, where this Python lies: run the suite with another one"
        if spec.kind == "command" and (closed := _closed(Path(spec.argv[0]).parent)) is not None:
            return f"other accounts cannot enter {closed}, where the host program lies: put it into another place"
        return None

    def _closed(path: Path) -> Path | None:
        """Give what not everybody may enter, of a directory and those that it lies in."""
        return next((one for one in (path, *path.parents) if not one.stat().st_mode & _ALL_MAY_ENTER), None)

    def let_in(credentials: Credentials, directory: str, *within: str) -> None:
        """Let the first group of an account into a directory of the run and those within; its names stay hidden.

        Who may use what lies there is then a matter of the implementation that has made it.
        """
        for one in (directory, *within):
            os.chown(one, -1, credentials.group)
            Path(one).chmod(_PART_MAY_ENTER)

    def let_read(directory: Path) -> None:
        """Let whoever has been let into the directory of the run read the files of a directory in it."""
        directory.chmod(_PART_MAY_ENTER | _ALL_MAY_ENTER)
        for file in directory.iterdir():
            file.chmod(_ALL_MAY_READ)
