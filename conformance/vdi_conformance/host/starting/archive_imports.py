"""Imports from an archive, which a host reads first: nothing is imported here that needs a look at a disk."""

import marshal
from _frozen_importlib import ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.abc import Loader
    from types import ModuleType

    Table = dict[str, tuple[bytes, str, list[str] | None]]
    """By the name of a module: its marshalled code, its file and, for a package, where its submodules are."""


else:
    Loader = object


class _Loader(Loader):
    """Runs the code of one module."""

    def __init__(self, code: bytes, path: str) -> None:
        self._code = code
        self.path = path

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave making the module to the interpreter."""

    def exec_module(self, module: "ModuleType") -> None:
        """Run the module."""
        exec(marshal.loads(self._code), module.__dict__)  # noqa: S102, S302 - it is our own code, as in any `.pyc`


class ArchiveFinder:
    """Finds the modules of an archive; whatever else is imported is left to the finders behind it."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> ModuleSpec | None:
        """Say how a module is loaded, where it is in the archive."""
        if (found := self._table.get(name)) is None:
            return None
        code, file, directories = found
        spec = ModuleSpec(name, _Loader(code, file), origin=file)
        spec.has_location = True
        spec.submodule_search_locations = directories
        return spec
