"""The web pages in a browser: `python3 ci/browser/run.py [further options of pytest]`.

It makes pages with the suite, and an environment with Playwright in `build/browser` from a lock of its own. It looks at
the pages with the system's Chromium, which it installs by `apt-get` as root where there is none. Screenshots and a page
as PDF land in `build/browser/seen`. Where there can be no browser, that is named as not applicable.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from environment import FAILED, ROOT, alone, call, clean_variables, main, say

HERE: Final = Path(__file__).parent
BUILD: Final = ROOT / "build" / "browser"
LOCK: Final = HERE / "requirements.lock"
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
"""What the program is called, as systems have it."""


def run(python: Path, further: list[str]) -> int:
    """Make the pages and look at them; the first exit code that is not 0 counts."""
    if (browser := _browser()) is None:
        say("Not applicable: web pages in a browser, since there is no Chromium here and none can be installed.")
        return 0
    BUILD.mkdir(parents=True, exist_ok=True)
    with alone(BUILD / "in-use.lock"):
        if (own := _environment()) is None:
            return FAILED
        pages, seen = BUILD / "pages", BUILD / "seen"
        for directory in (pages, seen):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
        if code := call([str(python), "ci/browser/pages.py", str(pages)]):
            return code
        options = [f"--browser-program={browser}", f"--pages={pages}", f"--seen={seen}"]
        # Its own settings: those of the checkout need what this environment does not have.
        settings = ["-c", str(HERE / "pytest.ini"), "-p", "no:cacheprovider"]
        return call([str(own), "-m", "pytest", *settings, *options, str(HERE), *further])


def _browser() -> str | None:
    """Find the browser, or install it where that is possible."""
    found = _found()
    if found is None and sys.platform != "win32" and os.geteuid() == 0 and shutil.which("apt-get"):
        say("Installing chromium.")
        variables = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", "-qq", *command], env=variables, stdout=subprocess.DEVNULL, check=False)  # noqa: S607
        found = _found()
    return found


def _found() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _environment() -> Path | None:
    """Give the interpreter of the environment, which is made anew where it does not fit its lock."""
    directory, stamp = BUILD / "venv", BUILD / "made-from.txt"
    python = directory / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    say("Making an environment with Playwright in build/browser.")
    stamp.unlink(missing_ok=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-input", "--require-hashes", "--only-binary=:all:"]
    for command in ([sys.executable, "-m", "venv", "--clear", str(directory)], [*install, "-r", str(LOCK)]):
        if subprocess.run(command, env=clean_variables(), check=False).returncode:
            say("The environment could not be made: the lines above say why.")
            return None
    stamp.write_text(wanted, encoding="utf-8")
    return python


if __name__ == "__main__":
    raise SystemExit(main(run, sys.argv[1:]))
