"""The catalogue that this version of the suite ships."""

import hashlib
from functools import cache
from importlib.resources import files

from vdi_conformance.requirements.reading import TABLES, read
from vdi_conformance.requirements.values import Catalogue


@cache
def catalogue() -> Catalogue:
    """Read the catalogue from its data files."""
    data = files(__package__) / "data"
    return read({name: (data / name).read_text(encoding="utf-8") for name in TABLES})


@cache
def digest() -> str:
    """Give the SHA-256 of the requirements, by which a record says which ones it is about."""
    return hashlib.sha256(
        (files("vdi_conformance.requirements") / "data" / "requirements.tsv").read_bytes()
    ).hexdigest()
