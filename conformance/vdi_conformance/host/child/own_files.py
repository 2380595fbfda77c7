"""The files that this process has loaded of its adapter: `process.files`."""

from __future__ import annotations

import os
import sys
from typing import Any, Final

from vdi_conformance.host.child.dispatch import Methods
from vdi_conformance.host.child.session import Session

METHODS = Methods[Session]()
_SUITE: Final = "vdi_conformance."
_BUILT_IN: Final = ("vdi_conformance.adapters.", "vdi_conformance.emulator.")
"""What the suite's own adapters are made of; the rest of it is the same in every host."""


@METHODS.method("process.files")
def _files(_: Session) -> dict[str, Any]:
    modules = [
        module
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] not in sys.stdlib_module_names
        and (f"{name}.".startswith(_BUILT_IN) or not f"{name}.".startswith(_SUITE))
    ]
    named = {getattr(module, "__file__", None) for module in modules}
    return {"files": sorted(os.path.abspath(one) for one in named if isinstance(one, str))}  # noqa: PTH100
