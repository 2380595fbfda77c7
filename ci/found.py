"""Writes down which check found each fault, from what `prove --json` wrote: the next proof tries that one first.

`python ci/found.py reports/proof.json`. Nothing depends on the list but how long a proof takes.
"""

import sys
from pathlib import Path

import msgspec

from vdi_conformance.evidence.proof import Proof

FILE = Path(__file__).parent.parent / "fixtures" / "vdi_fixtures" / "found.tsv"


def listed(proof: Proof) -> str:
    """Give the text of the list."""
    found = sorted((cell.fault, cell.requirement, cell.check) for cell in proof.cells if cell.outcome == "killed")
    return "".join("\t".join(line) + "\n" for line in [("fault", "requirement", "check"), *found])


if __name__ == "__main__":
    FILE.write_text(listed(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Proof)), encoding="utf-8")
