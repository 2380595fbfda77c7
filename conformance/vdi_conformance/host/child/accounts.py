"""What is told of an exception that came out of an adapter."""

import importlib
import traceback
from typing import Final

_NOT_THE_ADAPTERS: Final = (
    "<frozen ",
    __file__.removesuffix("accounts.py"),
    # Compiled code names its file as it was then, which is another name where the library is in a zip archive.
    importlib.import_module.__code__.co_filename.removesuffix("__init__.py"),
)


def account_of(error: BaseException) -> str:
    """Give the traceback from the first line of the adapter on; nothing where it was never reached."""
    frames = traceback.extract_tb(error.__traceback__)
    while frames and frames[0].filename.startswith(_NOT_THE_ADAPTERS):
        del frames[0]
    if not frames:
        return ""
    told = [*traceback.format_list(frames), *traceback.format_exception_only(error)]
    return "".join(["Traceback (most recent call last):\n", *told])
