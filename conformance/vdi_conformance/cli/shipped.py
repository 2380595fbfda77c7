"""The data files that the installed suite has, as they lie there, and the checks of its profiles."""

from collections.abc import Mapping
from importlib.resources import files

from vdi_conformance import __version__
from vdi_conformance.cli.checks import checks
from vdi_conformance.report.certificate_verification import Held, Shipped
from vdi_conformance.requirements import catalogue
from vdi_conformance.requirements.profiles import profiles, texts
from vdi_conformance.requirements.reading import TABLES


def tables() -> Mapping[str, bytes]:
    """Give the files of the catalogue by their names."""
    data = files("vdi_conformance.requirements") / "data"
    return {name: (data / name).read_bytes() for name in TABLES}


def checks_by_profile() -> Mapping[str, Mapping[str, Held]]:
    """Give the checks of each version of a profile by their ids, by its label."""
    known = {requirement.id: requirement for requirement in catalogue().requirements}
    return {
        label: {
            id_: Held(check.node, check.requirements)
            for id_, check in checks().items()
            if one.selects(known[requirement] for requirement in check.requirements)
        }
        for label, one in profiles().items()
    }


def shipped() -> Shipped:
    """Give all that a certificate is compared with."""
    return Shipped(__version__, tables(), texts(), checks_by_profile())
