"""Where files of the server are: its directory, and which names lead into it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from vdi_conformance.sqlserver.messages import refused

_ACCESS_DENIED: Final = "5(Access is denied.)"
_NO_PATH: Final = "3(The system cannot find the path specified.)"


class Places:
    """The directories of a server below one that is its own."""

    def __init__(self, directory: Path) -> None:
        self.root = Path(os.path.realpath(directory))
        self.state = self.root / "state"
        self.log = self.root / "log"
        self._data = self.root / "data"
        self._backup = self.root / "backup"
        for one in (self.state, self.log, self._data, self._backup):
            one.mkdir(parents=True, exist_ok=True)

    @property
    def data_path(self) -> str:
        """Where files of databases go, with a separator at its end."""
        return f"{self._data}{os.sep}"

    @property
    def backup_path(self) -> str:
        """Where backups on disk go that have no path of their own."""
        return str(self._backup)

    def on_disk(self, name: str) -> Path:
        """Give the file of a DISK device, which lies in the server's directory; refuse any other with 3201."""
        try:
            path = Path(os.path.realpath(self._backup / name))
        except (OSError, ValueError):
            raise refused(3201, device=name, error=_NO_PATH) from None
        if not path.is_relative_to(self.root) or path == self.root or path.is_relative_to(self.state):
            raise refused(3201, device=name, error=_ACCESS_DENIED)
        return path
