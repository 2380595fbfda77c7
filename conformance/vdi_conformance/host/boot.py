"""How a Python process of ours is started: without site and the environment's Python settings, which cost time.

The parent's search path is handed over instead, so that an adapter is found where the parent would find it.
"""

import sys
from pathlib import Path


def boot(module: str, call: str, *arguments: str) -> list[str]:
    """Give the command line that runs `call`, where `m` is the imported module and `a` the list of the arguments."""
    end = 1 + len(arguments)
    code = f"import sys; a = sys.argv[1:{end}]; sys.path[:] = sys.argv[{end}:]; import {module} as m; m.{call}"
    options = ["-I", "-S", "-B"] if sys.dont_write_bytecode else ["-I", "-S"]
    paths = [str(Path(entry).absolute()) for entry in sys.path]
    return [_interpreter(), *options, "-c", code, *arguments, *paths]


def _interpreter() -> str:
    # On Windows the interpreter of a virtual environment is a small program that starts the real one:
    # its process would be watched instead of the host's.
    return str(getattr(sys, "_base_executable", None) or sys.executable)
