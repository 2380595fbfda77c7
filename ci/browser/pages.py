"""Writes the pages that a browser is to look at: `pages.py DIRECTORY`, with the Python of `.venv`."""

import sys
from pathlib import Path
from typing import Final

import msgspec

from vdi_conformance import __version__
from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import Call, Cause, CheckRecord, Footer, Header, Observation, Party
from vdi_conformance.report.comparison import compare
from vdi_conformance.report.comparison_views import as_html as comparison_page
from vdi_conformance.report.history import history
from vdi_conformance.report.history_views import as_html as history_page
from vdi_conformance.report.run_page import run_page
from vdi_conformance.requirements import catalogue
from vdi_fixtures.hosts.hostile import NASTY

CHECKS: Final = 1300
FAILED: Final = 50
MARKUP: Final = (
    f'{NASTY} <script>document.title = "owned"</script><img src=x onerror="document.title = \'owned\'">'
    '"><svg onload="document.title = \'owned\'"> </pre></article></main> <a href="javascript:document.title=1">x</a>'
)
CLIENT: Final = Party(
    reference="example:Adapter", name="Example", version="1.2", capabilities={"server": "scripted", "broker": True}
)
HEADER: Final = Header(
    suite_version=__version__,
    catalogue_sha256="0" * 64,
    client=CLIENT,
    server=CLIENT,
    platform="somewhere",
    python="3.11",
    tools={"pytest": "9"},
    plugins={},
    seed=0,
    timeout_scale=1.0,
    selection=[],
    started="2026-01-01T00:00:00+00:00",
)


def run(failed: int, text: str = "", size: int = CHECKS, **header: object) -> Evidence:
    """Make a run of `size` checks of which so many fail, each for a cause of its own; `text` is added to every text."""
    requirements = [one.id for one in catalogue().requirements if one.binds == "library"]
    checks = tuple(_check(at, requirements[at % len(requirements)], at < failed, text) for at in range(size))
    counts = {"passed": size - failed, "failed": failed}
    footer = Footer(counts=counts, exit_code=1 if failed else 0, duration=60.0)
    return Evidence(msgspec.structs.replace(HEADER, **header), checks, footer)


def _check(at: int, requirement: str, fails: bool, text: str) -> CheckRecord:
    name = f"{requirement.partition('-')[0]}/check_{at // 4}[{at % 4}]{text}"
    cause = Cause(
        kind="code",
        sentence=f"call {'abcdefghij'[at % 10]}{'klmnop'[at // 10 % 6]} gave NOERROR{text}",
        observed="NOERROR",
    )
    return CheckRecord(
        id=name,
        node="",
        requirements=[requirement],
        level="MUST",
        verdict="failed" if fails else "passed",
        broken=[requirement] if fails else [],
        duration=0.1,
        cause=cause if fails else None,
        observations=[Observation(question="Q38", subject=f"tried {at}{text}", answer="NOERROR")] if at < 20 else [],
        calls=[_call(number, text) for number in range(1, 30)] if fails else [],
        about=f"What check {at // 4} holds.{text}",
    )


def _call(number: int, text: str) -> Call:
    who = ("server", "primary", "secondary 1")[number % 3]
    return Call(
        number=number,
        process=f"{who}{text}",
        method="set.get_buffer_handle",
        params={"set": f"set1{text}", "address": "0x7f0000001000"},
        answer={"code": 0, "handle": "0x1"},
        begin=number * 1.0,
        end=number + 0.5,
    )


def pages() -> dict[str, str]:
    """Give each page by the name of its file."""
    party = msgspec.structs.replace(CLIENT, name=f"evil{MARKUP}", vendor=MARKUP, library=MARKUP)
    long, sound = run(FAILED), run(0)
    return {
        "run": run_page(long),
        "short": run_page(run(4, size=40)),
        "sound": run_page(sound),
        "hostile": run_page(run(3, MARKUP, 40, client=party, platform=MARKUP)),
        "comparison": comparison_page(compare(sound, long)),
        "history": history_page(history((sound, long, sound))),
    }


if __name__ == "__main__":
    for name, text in pages().items():
        (Path(sys.argv[1]) / f"{name}.html").write_text(text, encoding="utf-8")
