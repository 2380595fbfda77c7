"""The catalogue as a web page: every requirement with its sources, its checks and the faults that turn it red; pure."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from vdi_conformance.report.web import rendered
from vdi_conformance.report.wording import topic
from vdi_conformance.requirements import Catalogue, Requirement
from vdi_conformance.requirements.profiles import newest
from vdi_conformance.requirements.values import BINDS, LEVELS, REACHES


class Drawn(NamedTuple):
    """A requirement, its checks without their parameters, each with what it holds, and the faults that break it."""

    requirement: Requirement
    checks: Mapping[str, str]
    faults: Mapping[str, str]


def catalogue_page(known: Catalogue, requirements: Sequence[Drawn]) -> str:
    """Give the page of these requirements, and of the open questions that touch them."""
    touched = {question for one in requirements for question in one.requirement.questions}
    groups = groupby(requirements, key=lambda one: one.requirement.group)
    return rendered(
        "catalogue.html.j2",
        catalogue=known,
        topics=[(group, topic(group), list(members)) for group, members in groups],
        count=len(requirements),
        questions=[question for question in known.questions.values() if question.id in touched],
        standings={
            one.requirement.id: [
                f"{profile.label}: {standing}"
                for profile in newest()
                if (standing := profile.standing(one.requirement)) is not None
            ]
            for one in requirements
        },
        levels=LEVELS,
        parties=BINDS,
        reaches=REACHES,
    )
