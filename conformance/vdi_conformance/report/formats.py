"""The reports that are made of the evidence of a whole run, by the names of their formats; pure."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from vdi_conformance.evidence.files import Evidence
from vdi_conformance.report.badge import badge_json, badge_svg
from vdi_conformance.report.junit import junit
from vdi_conformance.report.run_csv import run_csv
from vdi_conformance.report.run_markdown import run_markdown
from vdi_conformance.report.run_page import run_page
from vdi_conformance.report.run_report import run_report
from vdi_conformance.untrusted.printable import in_json


def _json(evidence: Evidence) -> bytes:
    return f"{in_json(msgspec.to_builtins(run_report(evidence)))}\n".encode()


FORMATS: Final[Mapping[str, Callable[[Evidence], bytes]]] = MappingProxyType(
    {
        "html": lambda evidence: run_page(evidence).encode(),
        "markdown": lambda evidence: run_markdown(evidence).encode(),
        "json": _json,
        "csv": run_csv,
        "junit": junit,
        "badge": badge_json,
        "badge-svg": badge_svg,
    }
)
