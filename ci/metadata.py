"""What a package index shows of the wheel: the README with links that lead to the repository, and its addresses.

A hook of hatchling; `home` of its table in pyproject.toml is the one place that has the address of the repository.
"""

import re
from pathlib import Path
from typing import Any, Final

from hatchling.metadata.plugin.interface import MetadataHookInterface

_RELATIVE: Final = re.compile(r"\]\((?![a-z]+:|#)([^)\s]+)\)")


class Metadata(MetadataHookInterface):
    """Fills in `readme` and `urls`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Do it, before anything else reads them."""
        files = f"{self.config['home']}/blob/main"
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": absolute(text, files)}
        metadata["urls"] = {
            "Repository": self.config["home"],
            "Documentation": f"{files}/conformance/README.md",
            "Changelog": f"{files}/conformance/CHANGELOG.md",
        }


def absolute(text: str, files: str) -> str:
    """Let relative links of Markdown lead to the files of a repository."""
    return _RELATIVE.sub(lambda found: f"]({files}/{found[1]})", text)
