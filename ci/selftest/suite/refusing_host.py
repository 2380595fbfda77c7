"""A host program of the emulator that refuses one method: METHOD HOW, and whether it tells its methods."""

import sys
from typing import Any

from vdi_conformance.host.child import entry
from vdi_conformance.host.child.session import Session
from vdi_conformance.host.codes import Refused

NOT_THERE = "not there"
"""Has no such method, as it says."""


def _refuse(method: str, code: int) -> None:
    def refuse(_: Session, **__: object) -> dict[str, Any]:
        raise Refused(code, "not today")

    entry.METHODS.method(method, **entry.METHODS._methods[method].kinds)(refuse)


def _keep_quiet() -> None:
    known = entry.METHODS._methods["initialize"]

    def quiet(session: Session, **given: Any) -> dict[str, Any]:
        answer = known.handler(session, **given)
        del answer["methods"]
        return answer

    entry.METHODS.method("initialize", **known.kinds)(quiet)


if __name__ == "__main__":
    _method, _how, _telling = sys.argv[1:]
    if _how == NOT_THERE:
        entry.METHODS.leave_out(_method)
    else:
        _refuse(_method, int(_how))
    if _telling == "quiet":
        _keep_quiet()
    entry.spawned_main("vdi_conformance.adapters.emulator:Emulator", 0)
