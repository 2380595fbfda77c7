"""What is sent to a place before checks run there, and does not need vdi-conformance to be installed; pure functions.

execnet sends the source of a function alone, so that each imports what it uses.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from execnet import Channel


def look(channel: "Channel", digest: str, asked: str) -> None:
    """Send, in JSON, what the suite that is installed there finds out; or which suite is there, where it is another."""
    import json
    import os
    import platform
    import sys

    sys.path.insert(0, os.getcwd())  # noqa: PTH109
    told = {"interpreter": f"Python {platform.python_version()} ({sys.executable})", "version": "", "answer": ""}
    try:
        import vdi_conformance

        told["version"] = vdi_conformance.__version__
        # Another version may not have this at all.
        from vdi_conformance.pytest_plugin import examination

        if examination.suite_digest() == digest:
            told["answer"] = examination.examine(asked)
    except ImportError as error:
        told["missing"] = str(error)
    channel.send(json.dumps(told))


def prepare(channel: "Channel", options: "str | None", unwanted: "list[str]") -> None:
    """Set the options of pytest there, in place of what its variables say; None leaves all as it is."""
    import os

    if options is not None:
        for name in unwanted:
            os.environ.pop(name, None)
        os.environ["PYTEST_ADDOPTS"] = options
    channel.send(True)
