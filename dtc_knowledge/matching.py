"""How far a pattern applies, and which root causes follow: weighted Boolean patterns, then noisy-OR over causes.

A pattern applies when every required sign and at least one trigger is there. Its belief is the noisy-OR of its triggers
and supporting signs, lowered by each sign against it. A sign that another pattern explains as a consequence counts little.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from dtc_knowledge.evidence import Observation, plain_id
from dtc_knowledge.pattern import Pattern, PatternCause, Predicate, Role, Shift, hits

CODE_STRENGTH = {Role.REQUIRED: 0.8, Role.TRIGGER: 0.8, Role.SUPPORT: 0.35, Role.AGAINST: 0.6}
FINDING_STRENGTH = {Role.TRIGGER: 0.85, Role.SUPPORT: 0.4, Role.AGAINST: 0.6}
VALUE_STRENGTH = {Role.TRIGGER: 0.6, Role.SUPPORT: 0.3, Role.AGAINST: 0.5}
EXPLAINED_WEIGHT = 0.2
"""What is left of a sign that a firmly believed pattern explains as its consequence."""
CLAIMED_WEIGHT = 0.6
"""What is left of a trigger that a better founded pattern claims as a sign of its own."""
LATER_FACTOR = 0.9
LATER_NS = 10_000_000_000
"""A pattern whose first sign came this much after the first sign of all is somewhat less likely to be the root."""
FIRM = 0.5
ABSENT_FACTOR = 0.93
"""For each supporting code whose monitor has run to its end without it; a code that was never tested says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A pattern that applies.

    Attributes:
        belief: 0..1. touched: codes and finding ids seen that belong to it, sorted. grounds: those of them that trigger it.
        measured: predicates that hold. contrary: codes, findings and predicates seen that speak against it, in words.
        explained: (code, id of the pattern that explains or claims it) of signs that count little for it.
        alone: the belief if no other pattern explained any of its signs; what is claimed only does not lead, but stays dangerous.
    """

    pattern: Pattern
    belief: float
    touched: tuple[str, ...]
    grounds: frozenset[str]
    measured: tuple[Predicate, ...] = ()
    contrary: tuple[str, ...] = ()
    explained: tuple[tuple[str, str], ...] = ()
    alone: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedCause:
    """A root cause with its unnormalised belief and the strongest match that suggests it."""

    cause: PatternCause
    belief: float
    match: Match
    touched: tuple[str, ...]


def match_pattern(pattern: Pattern, seen: Observation, discount: Mapping[str, float] | None = None) -> Match | None:
    """How far the pattern applies, None where it does not or touches nothing of the incident itself.

    Args:
        discount: code -> factor for signs that another pattern explains.
    """
    doubts: dict[Role, list[float]] = {role: [] for role in Role}
    touched: set[str] = set()
    grounds: set[str] = set()
    contrary: set[str] = set()
    for role, strength, found, keys in _code_hits(pattern, seen, discount or {}):
        if not found:
            return None  # a required sign is missing
        doubts[role].append(1 - strength)
        if role is Role.AGAINST:
            contrary |= keys
        else:
            touched |= keys
        if role in (Role.TRIGGER, Role.REQUIRED):
            grounds |= keys
    for finding in pattern.findings:
        if finding.id in seen.findings:
            doubts[finding.role].append(1 - FINDING_STRENGTH[finding.role] * seen.findings[finding.id])
            (contrary if finding.role is Role.AGAINST else touched).add(plain_id(finding.id))
            if finding.role is Role.TRIGGER:
                grounds.add(plain_id(finding.id))
    holding = [predicate for predicate in pattern.predicates if predicate.holds(seen.values)]
    for predicate in holding:
        doubts[predicate.role].append(1 - VALUE_STRENGTH[predicate.role])
        if predicate.role is Role.AGAINST:
            contrary.add(predicate.words)
    for sign in pattern.explains:
        touched.update(hits(sign, seen.codes))
    if not (doubts[Role.TRIGGER] or doubts[Role.REQUIRED]) or (seen.own is not None and not touched & seen.own):
        return None
    belief = 1 - prod(doubts[Role.REQUIRED] + doubts[Role.TRIGGER] + doubts[Role.SUPPORT])
    belief *= prod(doubts[Role.AGAINST]) * ABSENT_FACTOR ** _missing_supports(pattern, seen)
    return Match(
        pattern=pattern,
        belief=belief,
        touched=tuple(sorted(touched)),
        grounds=frozenset(grounds),
        measured=tuple(predicate for predicate in holding if predicate.role is not Role.AGAINST),
        contrary=tuple(sorted(contrary)),
    )


def _code_hits(
    pattern: Pattern, seen: Observation, discount: Mapping[str, float]
) -> Iterator[tuple[Role, float, bool, set[str]]]:
    """(role, strength, whether found, codes) of every sign that is there, and of a required one that is not."""
    for sign in pattern.signs:
        if found := hits(sign.code, seen.codes):
            weight = max(seen.codes[code] * discount.get(code, 1.0) for code in found)
            yield sign.role, CODE_STRENGTH[sign.role] * weight, True, set(found)
        elif sign.role is Role.REQUIRED:
            yield sign.role, 0.0, False, set()
    for several in pattern.several:
        if found := several.hits(seen.codes):
            weight = sorted((seen.codes[code] for code in found), reverse=True)[several.count - 1]
            yield several.role, CODE_STRENGTH[several.role] * weight, True, set(found)


def _missing_supports(pattern: Pattern, seen: Observation) -> int:
    return sum(s.role is Role.SUPPORT and s.code in seen.absent for s in pattern.signs) if seen.absent else 0


def match_patterns(patterns: Iterable[Pattern], seen: Observation) -> tuple[Match, ...]:
    """Patterns that apply, strongest first; fallback patterns only where no other one does.

    Consequences are explained away: first every pattern is judged as if alone, then again with the signs that firmly
    believed patterns explain counting little for the others.
    """
    candidates = sorted(patterns, key=lambda p: p.id)
    first = [m for p in candidates if (m := match_pattern(p, seen))]
    explained = {m.pattern.id: explained_codes(seen.codes, [m.pattern]) for m in first if m.belief >= FIRM and m.pattern.explains}
    again: list[Match] = []
    for match in first:
        discount, why = _claimed_codes(match, first)
        alone = match.belief
        for parent, codes in explained.items():
            if parent != match.pattern.id:
                discount |= codes
                why |= dict.fromkeys(codes, parent)
                alone = 0.0 if codes.keys() & match.grounds else alone
        refined = match_pattern(match.pattern, seen, discount) if discount else match
        if refined is not None:
            lost = tuple(sorted((code, parent) for code, parent in why.items() if code in match.touched))
            again.append(_dated(replace(refined, explained=lost, alone=alone), seen))
    specific = [m for m in again if not m.pattern.fallback]
    return tuple(sorted(specific or again, key=_rank))


def _rank(match: Match) -> tuple[float, int, int, str]:
    """The most believed first; of equals the most urgent, then the one that answers most signs."""
    return -round(match.belief, 6), -int(match.pattern.urgency), -len(match.touched), match.pattern.id


def _dated(match: Match, seen: Observation) -> Match:
    """The match with its belief lowered where its first sign came well after the first one of all."""
    times = [seen.first_ns[code] for code in match.touched if code in seen.first_ns]
    if not times or min(times) < min(seen.first_ns.values()) + LATER_NS:
        return match
    return replace(match, belief=match.belief * LATER_FACTOR)


def _claimed_codes(match: Match, others: Sequence[Match]) -> tuple[dict[str, float], dict[str, str]]:
    """Code -> what is left of its weight, and -> the id of the better founded pattern that counts it among its own signs.

    Better founded: it is believed, rests on a trigger that this pattern knows nothing of, and this pattern has no other
    ground than the claimed codes. So a code beside a greater fault does not lead the answer.
    """
    claims: dict[str, float] = {}
    owners: dict[str, str] = {}
    for other in others:
        apart = other.belief >= FIRM and not other.pattern.fallback and other.grounds.isdisjoint(match.touched)
        if apart and match.grounds and match.grounds.issubset(other.touched):
            claims |= dict.fromkeys(match.grounds, CLAIMED_WEIGHT)
            owners |= dict.fromkeys(match.grounds, other.pattern.id)
    return claims, owners


def explained_codes(codes: Iterable[str], parents: Sequence[Pattern]) -> dict[str, float]:
    """Code -> what is left of its weight, for the codes that one of `parents` explains."""
    known = set(codes)
    return {code: EXPLAINED_WEIGHT for parent in parents for sign in parent.explains for code in hits(sign, known)}


def shares(pattern: Pattern, seen: Observation) -> list[float]:
    """Share of each of the pattern's causes, moved by the signs present and absent; they add up to 1."""
    present = {**seen.codes, **seen.findings}
    moved = []
    for cause in pattern.causes:
        share = cause.share
        for shift in cause.shifts:
            share *= _factor(shift, present, seen)
        moved.append(share)
    total = sum(moved)
    return [share / total for share in moved]


def _factor(shift: Shift, present: Collection[str], seen: Observation) -> float:
    """What a shift multiplies a share by; a code known to be absent counts the other way round, but only half as much."""
    if shift.predicate is not None:
        return shift.times if shift.predicate.holds(seen.values) == shift.present else 1.0
    if any(hits(sign, present) for sign in shift.signs) == shift.present:
        return shift.times
    tested = bool(shift.signs) and all(hits(sign, seen.absent) for sign in shift.signs)
    return shift.times**-0.5 if shift.present and tested else 1.0


def rank_causes(matched: Sequence[Match], seen: Observation) -> list[RankedCause]:
    """Noisy-OR over the patterns that suggest each cause; most probable first, then by id.

    A cause is told with the strongest of its patterns, so that what is said of the fault is what is believed most.
    """
    named: dict[str, tuple[PatternCause, Match]] = {}
    doubt: dict[str, float] = {}
    touched: dict[str, set[str]] = {}
    for match in matched:
        for cause, share in zip(match.pattern.causes, shares(match.pattern, seen), strict=True):
            belief = match.belief * share
            doubt[cause.id] = doubt.get(cause.id, 1.0) * (1 - belief)
            touched.setdefault(cause.id, set()).update(match.touched)
            named.setdefault(cause.id, (cause, match))
    ranked = [
        RankedCause(cause=cause, belief=1 - doubt[id_], match=match, touched=tuple(sorted(touched[id_])))
        for id_, (cause, match) in named.items()
    ]
    return sorted(ranked, key=lambda r: (-r.belief, r.cause.id))
