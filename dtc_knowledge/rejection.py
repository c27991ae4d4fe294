"""Which faults were thought of and are not the answer, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain.findings import Text
from domain.ports import CodeTable
from dtc_knowledge.evidence import Observation
from dtc_knowledge.matching import FIRM, Match
from dtc_knowledge.pattern import Pattern, Role, hits

MOST_REJECTED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A pattern that the signs bring to mind, what is left of the belief in it, and why no more."""

    pattern: Pattern
    belief: float
    reason: Text


def rejected(fitting: Iterable[Pattern], seen: Observation, matched: Sequence[Match], table: CodeTable) -> tuple[Rejected, ...]:
    """Patterns that the signs bring to mind but that are not believed, most believed first; at most `MOST_REJECTED`.

    Args:
        fitting: the patterns that can apply to the vehicle. matched: those that do apply, strongest first. table: of what
            system a code is; it speaks against faults of its own system only.
    """
    titles = {match.pattern.id: match.pattern.title for match in matched}
    weak = [
        Rejected(pattern=match.pattern, belief=match.belief, reason=_doubt(match, titles))
        for match in matched[1:]
        if match.belief < FIRM
    ]
    systems = {match.pattern.system for match in matched}
    near = [
        Rejected(pattern=p, belief=0.0, reason=reason)
        for p in fitting
        if p.system in systems and p.id not in titles and not p.fallback
        for reason in _missed(p, seen.codes, [code for code in seen.codes if table.lookup(code).system == p.system])
    ]
    return tuple(sorted((*weak, *near), key=lambda r: (-r.belief, r.pattern.id)))[:MOST_REJECTED]


def _doubt(match: Match, titles: Mapping[str, Text]) -> Text:
    if match.explained:
        codes = [code for code, _ in match.explained]
        other = titles[match.explained[0][1]]
        verb = "are" if len(codes) > 1 else "is"
        return Text(en=f"{', '.join(codes)} {verb} explained by: {other.en}", zh=f"{', '.join(codes)} 可由“{other.zh}”解释")
    if match.contrary:
        return _contrary(match.contrary)
    return Text(en="its signs are weak: pending, history or of another incident", zh="迹象较弱：待定、历史或属于其他故障")


def _contrary(words: Iterable[str]) -> Text:
    told = list(dict.fromkeys(words))
    return Text(en=f"{', '.join(told)} {'speak' if len(told) > 1 else 'speaks'} against it", zh=f"{', '.join(told)} 与之不符")


def _missed(pattern: Pattern, codes: Collection[str], related: Collection[str]) -> Iterator[Text]:
    """Why a pattern does not apply although signs beside it are there; nothing where none is."""
    support = [code for s in pattern.signs if s.role is Role.SUPPORT for code in hits(s.code, codes)]
    if against := [code for s in pattern.signs if s.role is Role.AGAINST for code in hits(s.code, related)]:
        yield _contrary(against)
    elif other := _other_mode(pattern, codes):
        shown, reported = other
        yield Text(en=f"{shown} would show it, {reported} is reported", zh=f"需 {shown} 才能证明，实际报告 {reported}")
    elif support:
        told = list(dict.fromkeys(support))
        en = f"{', '.join(told)} {'go' if len(told) > 1 else 'goes'} with it, but nothing shows it"
        yield Text(en=en, zh=f"{', '.join(told)} 可伴随出现，但没有直接证明它的迹象")


def _other_mode(pattern: Pattern, codes: Collection[str]) -> tuple[str, str] | None:
    """(a sign that it rests on, the code reported) where one J1939 parameter is reported with another failure mode."""
    for sign in pattern.signs:
        head, slash, _ = sign.code.partition("/")
        if slash and sign.role in (Role.TRIGGER, Role.REQUIRED) and "*" not in sign.code:
            for code in codes:
                if code.startswith(head + "/"):
                    return sign.code, code
    return None
