"""What web pages share: templates that escape what they are given, and a policy that lets nothing else in; pure."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from vdi_conformance.untrusted.printable import TEXT, shown_lines

STYLE: Final = "page.css"
FILTER: Final = "filter.js"


def rendered(name: str, *styles: str, **values: Any) -> str:
    """Render a page of a template, which needs nothing beside it; `styles` are style sheets beside the common one.

    Its policy (Content-Security-Policy) allows just its own style sheets and its own script, by their digests.
    """
    sheets = [_asset(sheet) for sheet in (STYLE, *styles)]
    script = _asset(FILTER)
    policy = (
        f"default-src 'none'; style-src {' '.join(map(_digest, sheets))}; script-src {_digest(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    # Both are texts of ours, and their digests are those of what stands in the page.
    sheets, script = [Markup(sheet) for sheet in sheets], Markup(script)  # noqa: S704
    return template(name).render(policy=policy, sheets=sheets, script=script, **values)


@cache
def template(name: str) -> Template:
    """Give a template, which escapes and spells out every text that it is given."""
    environment = Environment(
        loader=PackageLoader("vdi_conformance.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=lambda value: shown_lines(value, TEXT) if type(value) is str else value,
    )
    return environment.get_template(name)


@cache
def _asset(name: str) -> str:
    return (files("vdi_conformance.report") / "templates" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
