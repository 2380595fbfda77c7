"""How a Python process of ours is started: without site and the environment's Python settings, which cost time.

The parent's search path is handed over instead, so that an adapter is found where the parent would find it.
"""

import sys
from pathlib import Path
from typing import Final

from vdi_conformance.host.starting.import_archive import USING

# On Windows the interpreter of a virtual environment is a small program that starts the real one, so that its process
# would be watched instead of the host's; the real one finds the environment by this variable.
_DIRECT: Final = sys.platform == "win32" and sys.executable != getattr(sys, "_base_executable", sys.executable)
_INTERPRETER: Final[str] = getattr(sys, "_base_executable", sys.executable) if _DIRECT else sys.executable
ENVIRONMENT: Final[dict[str, str]] = {"__PYVENV_LAUNCHER__": sys.executable} if _DIRECT else {}
"""What the command line of `interpreter_command` needs on top of the environment."""


def interpreter_command(module: str, call: str, *arguments: str, archive: str | None = None) -> list[str]:
    """Give the command line that runs `call`, where `m` is the imported module and `a` the list of the arguments.

    With an archive, modules are imported from that before they are looked for.
    """
    end = 1 + len(arguments)
    first = "" if archive is None else f"import marshal; archive = {archive!r}; {USING}; "
    code = f"import sys; a = sys.argv[1:{end}]; sys.path[:] = sys.argv[{end}:]; {first}import {module} as m; m.{call}"
    options = ["-I", "-S", "-B"] if sys.dont_write_bytecode else ["-I", "-S"]
    paths = [str(Path(entry).absolute()) for entry in sys.path]
    return [_INTERPRETER, *options, "-c", code, *arguments, *paths]
