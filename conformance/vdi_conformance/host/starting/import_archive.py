"""An archive: the code of all modules that hosts import, in one file, so that a host opens one file and not a hundred.

To open a file is slow on Windows, where a start would consist of little else. A first process imports the modules from
where they are found and writes the archive; hosts import from that before they look elsewhere.
"""

import contextlib
import importlib
import marshal
import os
import sys
from importlib.machinery import ModuleSpec
from types import CodeType
from typing import TYPE_CHECKING, Final

from vdi_conformance.host.starting import archive_imports

if TYPE_CHECKING:
    from collections.abc import Callable

USING: Final = (
    "b = marshal.loads(open(archive, 'rb').read()); m = type(sys)('archived'); "
    f"exec(marshal.loads(b[{archive_imports.__name__!r}][0]), m.__dict__); sys.meta_path.insert(0, m.ArchiveFinder(b))"
)
"""The statements by which a process begins to import from the file `archive`; they need `marshal` and `sys`."""


def write(path: str, modules: list[str]) -> None:
    """Import modules, and write an archive of them and of all that is imported by now.

    What cannot be imported is left to fail in the host that needs it.
    """
    for name in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    table: archive_imports.Table = {}
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if spec is not None and (code := _code(name, spec)) is not None:
            table[name] = marshal.dumps(code), str(spec.origin), spec.submodule_search_locations
    with open(f"{path}.new", "wb") as file:  # noqa: PTH123 - every host would import pathlib first
        marshal.dump(table, file)
    os.replace(f"{path}.new", path)  # noqa: PTH105


def _code(name: str, spec: ModuleSpec) -> CodeType | None:
    """Give the code of a module that comes from a file; one that is built in or a library has none."""
    get_code: Callable[[str], CodeType | None] | None = getattr(spec.loader, "get_code", None)
    return get_code(name) if spec.has_location and get_code is not None else None
