"""From what came of the trials to what is proven; pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from vdi_conformance.evidence.proof import (
    Cell,
    Charges,
    Ending,
    Fate,
    MadeFate,
    Outcome,
    Score,
    TrialResult,
    Tried,
    Verified,
)
from vdi_conformance.evidence.records import Verdict
from vdi_conformance.proof.plan import ProofPlan
from vdi_conformance.proof.schedule import red
from vdi_conformance.requirements import catalogue

JUDGED: tuple[Verdict, ...] = ("passed", "failed", "warning")
"""The verdicts of a check that came to a judgement."""


def cells(results: Iterable[TrialResult]) -> tuple[Cell, ...]:
    """Say for each fault what came of each requirement that it breaks."""
    faults = [result for result in results if result.trial.kind == "fault"]
    return tuple(_cell(result, requirement) for result in faults for requirement in result.trial.requirements)


def _cell(result: TrialResult, requirement: str) -> Cell:
    about = [tried for tried in result.tried if requirement in tried.requirements]
    elsewhere = next((tried for tried in result.tried if tried.verdict == "failed"), None)
    if (killer := _killer(result, requirement)) is not None:
        return _told(result, requirement, "killed", killer)
    if about and all(tried.verdict == "not applicable" for tried in about):
        return _told(result, requirement, "not applicable", about[0])
    if not any(tried.verdict in JUDGED for tried in about):
        return Cell(requirement=requirement, fault=result.trial.name, outcome="never exercised", cause=result.error)
    if elsewhere is not None:
        return _told(result, requirement, "killed by another requirement only", elsewhere)
    return Cell(requirement=requirement, fault=result.trial.name, outcome="survived")


def _killer(result: TrialResult, requirement: str) -> Tried | None:
    """Find the check that saw a requirement broken."""
    return next(
        (tried for tried in result.tried if requirement in tried.broken and tried.verdict in red(requirement)),
        None,
    )


def made_fates(results: Iterable[TrialResult]) -> tuple[MadeFate, ...]:
    """Say what became of each made fault."""
    return tuple(_made_fate(result) for result in results if result.trial.kind == "made fault")


def _made_fate(result: TrialResult) -> MadeFate:
    seen = ((requirement, _killer(result, requirement)) for requirement in result.trial.requirements)
    requirement, killer = next(((one, tried) for one, tried in seen if tried is not None), ("", None))
    effective = [tried for tried in result.tried if tried.effects]
    return MadeFate(
        fault=result.trial.name,
        about=result.trial.about,
        requirements=result.trial.requirements,
        fate="found" if killer is not None else _missed(result),
        tried=len(result.tried),
        effective=len(effective),
        requirement=requirement,
        check="" if killer is None else killer.check,
        cause=result.error if killer is None else killer.cause,
        effect=effective[0].check if effective else "",
        charged=() if killer is not None else _charged_instead(effective),
    )


def _charged_instead(effective: Iterable[Tried]) -> tuple[str, ...]:
    return tuple(sorted({requirement for tried in effective for requirement in tried.broken}))


def _missed(result: TrialResult) -> Fate:
    judged = [tried for tried in result.tried if tried.verdict in JUDGED]
    if result.error or any(tried.verdict in ("error", "not tested") and tried.effects for tried in result.tried):
        return "no verdict"
    if not judged and result.tried:
        return "not applicable"
    effective = [tried for tried in judged if tried.effects]
    if any(tried.broken for tried in effective):
        return "charged to others only"
    return "unnoticed" if effective else "condition never reached"


def share_found(fates: Sequence[MadeFate]) -> float:
    """Give how many of a hundred made faults were found, of those that this adapter can have."""
    counted = [one for one in fates if one.fate != "not applicable"]
    return 100 * sum(one.fate == "found" for one in counted) / len(counted) if counted else 100


def charges(results: Iterable[TrialResult]) -> tuple[Charges, ...]:
    """Say of each fault which requirements its checks were charged to: how precise the suite is."""
    return tuple(_charges(result) for result in results if result.trial.kind == "fault" and result.tried)


def _charges(result: TrialResult) -> Charges:
    charged = [requirement.id for requirement in catalogue().requirements if requirement.id in _charged(result)]
    breaks, follows = result.trial.requirements, result.trial.follows
    innocent = tuple(id_ for id_ in charged if id_ not in (*breaks, *follows))
    return Charges(
        fault=result.trial.name,
        broken=tuple(id_ for id_ in charged if id_ in breaks),
        following=tuple(id_ for id_ in charged if id_ in follows and id_ not in breaks),
        innocent=innocent,
        example=next((tried.check for tried in result.tried if set(innocent) & set(tried.broken)), ""),
    )


def _charged(result: TrialResult) -> set[str]:
    return {requirement for tried in result.tried for requirement in tried.broken}


def _told(result: TrialResult, requirement: str, outcome: Outcome, by: Tried) -> Cell:
    return Cell(requirement=requirement, fault=result.trial.name, outcome=outcome, check=by.check, cause=by.cause)


def verified(plan: ProofPlan, found: Iterable[Cell]) -> tuple[Verified, ...]:
    """Say of each requirement which faults turned it red: of those that are demanded, and of all others with faults."""
    faults: dict[str, list[str]] = {requirement: [] for requirement in plan.demanded}
    for cell in found:
        killed = faults.setdefault(cell.requirement, [])
        if cell.outcome == "killed":
            killed.append(cell.fault)
    return tuple(
        Verified(
            requirement=requirement.id,
            level=requirement.level,
            scored=requirement.id in plan.demanded,
            faults=tuple(faults[requirement.id]),
        )
        for requirement in catalogue().requirements
        if requirement.id in faults
    )


def scores(plan: ProofPlan, results: Iterable[TrialResult]) -> tuple[Score, ...]:
    """Say of each trivial implementation which scored requirements it met: those none of whose checks did not pass."""
    parts: dict[str, list[TrialResult]] = {}
    for result in results:
        if result.trial.kind == "trivial":
            parts.setdefault(result.trial.name, []).append(result)
    return tuple(_score(plan, name, found) for name, found in parts.items())


def _score(plan: ProofPlan, name: str, parts: Sequence[TrialResult]) -> Score:
    tried = [tried for part in parts for tried in part.tried]
    passed = {requirement for one in tried if one.verdict == "passed" for requirement in one.requirements}
    unmet = {
        requirement for one in tried if one.verdict != "passed" for requirement in (*one.requirements, *one.broken)
    }
    requirements = [requirement for requirement in catalogue().requirements if requirement.id in plan.scored]
    return Score(
        name=name,
        about=parts[0].trial.about,
        met=tuple(requirement.id for requirement in requirements if requirement.id in passed - unmet),
        scored=len(requirements),
        must=sum(requirement.level == "MUST" for requirement in requirements),
        unmet_musts=sum(
            requirement.level == "MUST" and requirement.id not in passed - unmet for requirement in requirements
        ),
    )


def void(plan: ProofPlan, results: Sequence[TrialResult]) -> Iterator[str]:
    """Say why nothing that was seen counts: the unbroken fails, what must be found was not, or a trial was lost."""
    for name in sorted({trial.name for trial in plan.trials} - {result.trial.name for result in results}):
        yield f"the trial of {name} was lost"
    for result in results:
        trial = result.trial
        if trial.kind == "control":
            for tried in result.tried:
                if tried.verdict not in ("passed", "warning", "not applicable"):
                    yield f"without any fault {tried.check} is {tried.verdict}: {tried.cause}"
        if trial.kind == "canary" and _killer(result, trial.requirements[0]) is None:
            yield f"the canary {trial.name} was not found by a check of {trial.requirements[0]}"
        if trial.kind in ("control", "canary") and result.error:
            yield f"{trial.name} could not be tried: {result.error}"
    if not any(result.tried for result in results if result.trial.kind == "control"):
        yield "no check was executed without a fault"


def findings(plan: ProofPlan, results: Sequence[TrialResult], found: Iterable[Cell]) -> Iterator[str]:
    """Say what is not as it must be, a sentence each."""
    for cell in found:
        if cell.outcome in ("survived", "never exercised"):
            yield f"{cell.fault} breaks {cell.requirement} and {_fate(cell)}{cell.cause and f': {cell.cause}'}"
        elif cell.outcome == "killed by another requirement only":
            yield f"{cell.fault} breaks {cell.requirement}, and only {cell.check} saw it, which does not judge that"
    for one in verified(plan, found):
        if one.scored and not one.faults:
            yield f"{one.requirement} is not verified: no fault turned a check of it red"
    for score in scores(plan, results):
        if not score.unmet_musts:
            yield f"the trivial implementation {score.name} conforms"
    for result in results:
        yield from _of_a_trial(result)
    fates = made_fates(results)
    if share_found(fates) < plan.least:
        yield f"{share_found(fates):.1f} % of the made faults were found, and {plan.least:g} % must be"


def _fate(cell: Cell) -> str:
    return "survived" if cell.outcome == "survived" else "was never exercised"


def _of_a_trial(result: TrialResult) -> Iterator[str]:
    trial = result.trial
    if trial.kind == "trivial" and result.error:
        yield f"{trial.name} could not be tried: {result.error}"
    if trial.kind == "reading" and (result.error or not result.tried):
        yield f"{trial.name} could not be tried: {result.error or 'no check judges what it touches'}"
    elif trial.kind == "reading":
        yield from _alarms(result)
        yield from _choices(result)
    if trial.kind == "fault":
        for tried in result.tried:
            judged = not set(trial.requirements).isdisjoint(tried.requirements)
            if tried.verdict == "error" or (judged and tried.verdict == "not tested"):
                yield f"{tried.check} is {tried.verdict} on the fault {trial.name}: {tried.cause}"


def _alarms(result: TrialResult) -> Iterator[str]:
    """Say what a permitted reading was accused of."""
    trial = result.trial
    excused = {"warning": set(trial.warns), "not tested": set(trial.untested)}
    for tried in result.tried:
        if tried.verdict in ("failed", "error"):
            yield f"false alarm: {tried.check} is {tried.verdict} on {trial.name}: {tried.cause}"
        elif tried.verdict in excused and not {*excused[tried.verdict], *trial.may}.intersection(tried.requirements):
            yield f"{tried.check} is {tried.verdict} on {trial.name}, which is not declared there: {tried.cause}"
    for verdict, requirements in excused.items():
        for requirement in sorted(
            requirements
            - {requirement for tried in result.tried if tried.verdict == verdict for requirement in tried.requirements}
        ):
            yield f"{trial.name} declares {requirement} to end as {verdict}, and no check did"


def _choices(result: TrialResult) -> Iterator[str]:
    """Say which choices a reading was not seen to make, and which are none that are known."""
    trial = result.trial
    seen = {(one.question, one.subject, one.answer) for one in result.observed}
    for question, subject, answer in trial.shows:
        if (question, subject, answer) not in seen:
            yield f"{trial.name} was not seen to choose {answer!r} ({question}, {subject}): it was never exercised"
    for (question, subject), number in Counter((one[0], one[1]) for one in seen).items():
        if number > 1 and question not in trial.wavers:
            yield f"{trial.name} answered {question} ({subject}) in {number} ways"
    for question, subject, answer in sorted(seen):
        yield from _unlisted(trial.name, question, subject, answer)


def _unlisted(name: str, question: str, subject: str, answer: str) -> Iterator[str]:
    known = catalogue().questions.get(question)
    if known is not None:
        permitted = next((one.permitted for one in known.readings if one.subject == subject), None)
        if permitted is None or (permitted and answer not in permitted):
            yield f"{name} answered {question} ({subject}) with {answer!r}, which readings.tsv does not list"


def false_positives(results: Iterable[TrialResult]) -> tuple[str, ...]:
    """Name the readings that are right and failed."""
    readings = (result for result in results if result.trial.kind == "reading")
    return tuple(one.trial.name for one in readings if any(tried.verdict == "failed" for tried in one.tried))


def ending(void_because: Sequence[str], found: Sequence[str]) -> Ending:
    """Sum up."""
    return "void" if void_because else "not proven" if found else "proven"
