"""Finding the class of a Python adapter, in the host process alone."""

from __future__ import annotations

import importlib
import importlib.util
import site
import sys
from typing import TYPE_CHECKING, Any

from vdi_conformance.contract import CONTRACT_VERSION, Adapter, Unavailable
from vdi_conformance.host.child import credentials
from vdi_conformance.host.child.accounts import account_of
from vdi_conformance.host.codes import ADAPTER_NOT_LOADED, IMPLEMENTATION_UNAVAILABLE, Refused
from vdi_conformance.versions import read_version

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from vdi_conformance.contract import Environment

_MODULE_OF_FILE = "vdi_adapter_file"


def load(target: str, environment: Environment, numbers: Sequence[int] = ()) -> Adapter:
    """Make the adapter named `package.module:Class` or `/path/file.py:Class`; whatever goes wrong is one refusal.

    It is made under another account where the numbers of one are given.
    """
    try:
        found = _class(target)
        if numbers:
            credentials.take(*numbers)
        return found(environment)
    except Refused:
        raise
    except Unavailable as error:
        raise Refused(IMPLEMENTATION_UNAVAILABLE, str(error)) from error
    except BaseException as error:
        account = account_of(error)
        said = f"{type(error).__name__}: {error}" if account else str(error)
        sentence = f"the adapter {target} could not be loaded ({said})"
        raise Refused(ADAPTER_NOT_LOADED, sentence, {"traceback": account}) from error


def _class(target: str) -> type[Adapter]:
    """Find the class; a refusal where there is none, and whatever the adapter raises meanwhile."""
    place, _, name = target.rpartition(":")
    found: Any = _module(place)
    for part in name.split("."):
        if not hasattr(found, part):
            raise Refused(ADAPTER_NOT_LOADED, f"there is no class {name} in {place}")
        found = getattr(found, part)
    if not (isinstance(found, type) and issubclass(found, Adapter)):
        sentence = f"{name} in {place} must be a class derived from vdi_conformance.contract.Adapter"
        raise Refused(ADAPTER_NOT_LOADED, sentence)
    _check_version(target, found)
    return found


def _check_version(target: str, found: type[Adapter]) -> None:
    written_for = read_version(found.contract_version)
    if written_for is None:
        sentence = f'contract_version of {target} must be a version such as "{CONTRACT_VERSION}"'
        raise Refused(ADAPTER_NOT_LOADED, sentence)
    if CONTRACT_VERSION.goes_with(written_for):
        return
    if written_for < CONTRACT_VERSION:
        remedy = "bring the adapter up to date, where conformance/CHANGELOG.md tells what changed"
    else:
        remedy = f"install a vdi-conformance that has version {written_for.major}"
    raise Unavailable(
        f"the adapter {target} was written for version {written_for} of the contract, "
        f"and this suite has {CONTRACT_VERSION}: {remedy}"
    )


def _module(name: str) -> ModuleType:
    if not name.endswith(".py"):
        if importlib.util.find_spec(name.partition(".")[0]) is None:
            _process_site_packages()
        return importlib.import_module(name)
    # A file's neighbours can be imported by it, as those of a script can.
    sys.path.insert(0, name.replace("\\", "/").rpartition("/")[0])
    spec = importlib.util.spec_from_file_location(_MODULE_OF_FILE, name)
    if spec is None or spec.loader is None:
        raise ImportError(f"{name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE_OF_FILE] = module
    spec.loader.exec_module(module)
    return module


def _process_site_packages() -> None:
    """Editable installs may be found by import hooks of `.pth` files only, which a start without site leaves out."""
    for entry in list(sys.path):
        if entry.replace("\\", "/").rpartition("/")[2] in ("site-packages", "dist-packages"):
            site.addsitedir(entry)
