"""`pitcall dtc explain`: what codes and measured values mean, as a JSON document and as readable text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from domain.findings import PlanLine, Text
from domain.vss import catalogue
from dtc_knowledge.code_table import CodeCatalogue
from dtc_knowledge.diagnosis import FaultKnowledge
from dtc_knowledge.offers import PRIOR_WEIGHT

_WORDS = {
    "codes": Text(en="Codes", zh="故障码"),
    "signals": Text(en="Measured", zh="测量值"),
    "causes": Text(en="Probable causes", zh="可能原因"),
    "checks": Text(en="Checks, in order", zh="检查步骤"),
    "plan": Text(en="Plan", zh="维修方案"),
    "urgency": Text(en="Urgency", zh="紧急程度"),
    "advice": Text(en="Advice", zh="建议"),
    "optional": Text(en="if needed", zh="视情况"),
    "unknown": Text(en="no pattern applies: have it diagnosed", zh="没有匹配的故障模式，请到店诊断"),
    "hours": Text(en="h", zh="小时"),
    "minutes": Text(en="min", zh="分钟"),
    "drive": Text(en="drive", zh="行驶"),
    "safety": Text(en="safety risk", zh="安全风险"),
}
_URGENCY = {
    "STOP": Text(en="STOP - stop safely now", zh="立即停车"),
    "TODAY": Text(en="TODAY - within 24 hours", zh="今天（24 小时内）"),
    "SOON": Text(en="SOON - within 7 days or 500 km", zh="尽快（7 天或 500 公里内）"),
    "NEXT": Text(en="NEXT - at the next visit", zh="下次保养"),
    "MONITOR": Text(en="MONITOR - keep watching", zh="持续观察"),
}
_LEVELS = {
    "ok": Text(en="normal", zh="正常"),
    "limited": Text(en="limited", zh="受限"),
    "limp": Text(en="limp home", zh="跛行"),
    "no": Text(en="do not drive", zh="禁止行驶"),
    "none": Text(en="none", zh="无"),
    "low": Text(en="low", zh="低"),
    "medium": Text(en="medium", zh="中"),
    "high": Text(en="high", zh="高"),
}


def say(text: Text, lang: str) -> str:
    """The words in a language, "en" or "zh"."""
    return text.zh if lang == "zh" else text.en


def explain(
    knowledge: FaultKnowledge, codes: Sequence[str], signals: Mapping[str, float], lang: str, absent: Sequence[str] = ()
) -> dict[str, Any]:
    """The JSON document of `pitcall dtc explain`: codes named, causes ranked, checks, plan, urgency with its reason.

    Args:
        codes: as reported, "P0301", "P0117:16", "SPN100/FMI3", "GB11". signals: VSS path -> measured value.
        lang: "en" or "zh". absent: codes that are not there although their monitors have run to the end.
    """
    named = list(dict.fromkeys(code.strip().upper() for code in codes))
    found = knowledge.explain(named, signals, absent)
    decided, way, words = knowledge.judge(found, named)
    infos = [knowledge.lookup(code) for code in named]
    truck = any(code.startswith("SPN") for code in named)
    plan, needs = knowledge.plan(found, infos[0].system if infos else "", truck)
    return {
        "codes": [_code(knowledge.codes, code, lang) for code in named],
        "signals": [{"signal": path, "value": value, "unit": _unit(path)} for path, value in sorted(signals.items())],
        "title": say(found.pattern.title, lang) if found.pattern else None,
        "patterns": [match.pattern.id for match in found.matched],
        "causes": [
            {
                "id": cause.id,
                "title": say(cause.title, lang),
                "probability": cause.probability,
                "explains": list(cause.explains),
                "sources": list(cause.sources),
            }
            for cause in knowledge.causes(found)
        ],
        "checks": [{"id": c.id, "title": say(c.title, lang), "minutes": c.minutes} for c in found.checks],
        "information": [{"check": s.check.id, "bits": s.bits, "tells": list(s.tells)} for s in found.steps],
        "absent": list(absent),
        "prior": {"weight": PRIOR_WEIGHT, "repairs": {ranked.cause.id: ranked.cause.repairs for ranked, _ in found.ranked}},
        "plan": [_plan_line(line, lang) for line in plan],
        "parts": _parts(plan, lang),
        "urgency": decided.urgency.name,
        "urgency_reason": say(decided.reason, lang),
        "action": way.action,
        "drive": way.drive,
        "safety": way.safety,
        "advice": say(words, lang),
        "capabilities": list(needs),
        "unexplained": list(found.unexplained),
        "lang": lang,
    }


def _unit(path: str) -> str:
    signal = catalogue().get(path)
    return signal.unit if signal else ""


def _code(codes: CodeCatalogue, code: str, lang: str) -> dict[str, Any]:
    info = codes.lookup(code)
    system = codes.systems.get(info.system)
    return {
        "code": info.code,
        "title": say(info.title, lang),
        "system": info.system,
        "system_name": say(system, lang) if system else "",
        "component": info.component,
        "group_key": info.group_key,
        "severity": info.severity.value,
        "urgency": info.urgency.name,
        "known": info.known,
        "source": _source(codes, info.source),
        "category": info.category,
        "confidence": info.confidence,
    }


def _source(codes: CodeCatalogue, id_: str) -> str:
    """The title of a source; a maker's table names its own source in words."""
    known = codes.sources.get(id_)
    return known.title if known else id_


def _plan_line(line: PlanLine, lang: str) -> dict[str, Any]:
    return {
        "line": line.line,
        "operation": line.operation,
        "description": say(line.description, lang),
        "labour_hours": line.labour_hours,
        "optional": line.optional,
        "parts": [{"number": p.number, "quantity": p.quantity, "price": p.price} for p in line.parts],
    }


def _parts(plan: Iterable[PlanLine], lang: str) -> list[dict[str, Any]]:
    """Every part once, with the greatest quantity that one line needs."""
    parts = sorted((part for line in plan for part in line.parts), key=lambda part: part.quantity)
    latest = {
        p.number: {"number": p.number, "name": say(p.name, lang), "quantity": p.quantity, "price": p.price, "currency": "CNY"}
        for p in parts
    }
    return [latest[number] for number in sorted(latest)]


def explain_text(document: Mapping[str, Any], lang: str) -> str:
    """The document of `explain` as text for a terminal, in the language that it was made in."""
    lines = []
    if document["codes"]:
        lines.append(say(_WORDS["codes"], lang))
        for code in document["codes"]:
            system = f"  [{code['system_name']}]" if code["system_name"] else ""
            lines.append(f"  {code['code']}  {code['title']}{system}")
    if document["signals"]:
        lines += ["", say(_WORDS["signals"], lang)]
        lines += [f"  {s['signal']} = {s['value']:g} {s['unit']}".rstrip() for s in document["signals"]]
    level = say(_URGENCY[document["urgency"]], lang)
    comma = "，" if lang == "zh" else ", "
    colon = "：" if lang == "zh" else ": "
    state = comma.join(f"{say(_WORDS[key], lang)}{colon}{say(_LEVELS[document[key]], lang)}" for key in ("drive", "safety"))
    lines += ["", f"{say(_WORDS['urgency'], lang)}{colon}{level}", f"  {document['urgency_reason']}", f"  {state}"]
    lines += ["", f"{say(_WORDS['causes'], lang)}{colon}{document['title'] or say(_WORDS['unknown'], lang)}"]
    lines += [f"  {cause['probability']:>6.1%}  {cause['title']}" for cause in document["causes"]]
    lines += ["", say(_WORDS["checks"], lang)]
    for number, check in enumerate(document["checks"], 1):
        minutes = f"  ({check['minutes']} {say(_WORDS['minutes'], lang)})" if check["minutes"] else ""
        lines.append(f"  {number}. {check['title']}{minutes}")
    lines += ["", say(_WORDS["plan"], lang), *_plan_text(document["plan"], lang)]
    lines += ["", f"{say(_WORDS['advice'], lang)}{colon}{document['advice']}"]
    return "\n".join(lines).strip() + "\n"


def _plan_text(plan: Iterable[Mapping[str, Any]], lang: str) -> list[str]:
    out = []
    for line in plan:
        parts = ", ".join(f"{part['quantity']}x {part['number']}" for part in line["parts"])
        optional = f" ({say(_WORDS['optional'], lang)})" if line["optional"] else ""
        hours = f"{line['labour_hours']} {say(_WORDS['hours'], lang)}"
        out.append(f"  {line['line']}. {line['description']}{optional}  {hours}{'  ' + parts if parts else ''}")
    return out
