"""The document of `explain` as a page for a technician at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from domain.findings import Text, Urgency
from dtc_knowledge.explain import say
from dtc_knowledge.graph import URGENCY_WORDS

_WORDS = {
    "codes": Text(en="Codes", zh="故障码"),
    "signals": Text(en="Measured", zh="测量值"),
    "vehicle": Text(en="Vehicle", zh="车辆"),
    "open": Text(en="open on it", zh="未关闭告警"),
    "orders": Text(en="orders", zh="工单"),
    "finding": Text(en="Finding", zh="诊断结论"),
    "causes": Text(en="Probable causes", zh="可能原因"),
    "evidence": Text(en="Evidence", zh="依据"),
    "against": Text(en="against", zh="不符"),
    "rejected": Text(en="Considered and rejected", zh="已考虑但排除"),
    "checks": Text(en="Checks, the most telling for its time first", zh="检查步骤（按信息量与耗时排序）"),
    "tells": Text(en="would confirm", zh="可确认"),
    "not_known": Text(en="Not known", zh="尚不清楚"),
    "no_pattern": Text(en="nothing here explains", zh="现有知识无法解释"),
    "would_help": Text(en="would help", zh="若有下列数据会更准确"),
    "plan": Text(en="Plan", zh="维修方案"),
    "total": Text(en="without the optional lines", zh="不含可选项目"),
    "parts": Text(en="parts", zh="配件"),
    "urgency": Text(en="Urgency", zh="紧急程度"),
    "symptoms": Text(en="The driver may notice", zh="车主可能察觉"),
    "bulletins": Text(en="Bulletins and software", zh="技术通报与软件"),
    "advice": Text(en="For the driver", zh="给车主的建议"),
    "optional": Text(en="if the checks say so", zh="视检查结果"),
    "unknown": Text(en="no pattern applies: have it diagnosed", zh="没有匹配的故障模式，请到店诊断"),
    "hours": Text(en="h", zh="小时"),
    "minutes": Text(en="min", zh="分钟"),
    "drive": Text(en="driving", zh="行驶"),
    "safety": Text(en="safety risk", zh="安全风险"),
    "estimate": Text(
        en="Shares are estimates with the weight of {weight:g} repairs; known repairs that have moved them: {repairs}.",
        zh="占比为估计值，按 {weight:g} 次维修的权重计；参与修正的已知维修：{repairs} 次。",
    ),
}
_STATES = {"pending": Text(en="pending", zh="待定"), "history": Text(en="history", zh="历史")}
_PAYERS = {
    "warranty": Text(en="warranty", zh="保修"),
    "recall": Text(en="recall", zh="召回"),
    "goodwill": Text(en="goodwill", zh="善意补偿"),
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
_UNITS = {"celsius": "°C", "percent": "%"}
LEAST_SHOWN = 0.02
"""Causes less likely than this are in the JSON document only."""


def explain_text(document: Mapping[str, Any], lang: str) -> str:
    """The page, in the language that the document was made in; every section that would be empty is left out."""
    sections = (
        _vehicle(document, lang),
        _codes(document, lang),
        _signals(document, lang),
        _judgement(document, lang),
        _causes(document, lang),
        _evidence(document, lang),
        _rejected(document, lang),
        _checks(document, lang),
        _bulletins(document, lang),
        _not_known(document, lang),
        _plan(document, lang),
        [_titled("advice", document["advice"], lang)],
    )
    return "\n\n".join("\n".join(lines) for lines in map(list, sections) if lines) + "\n"


def _titled(word: str, text: str, lang: str) -> str:
    return f"{say(_WORDS[word], lang)}{'：' if lang == 'zh' else ': '}{text}"


def _joined(words: Iterable[str], lang: str) -> str:
    return ("、" if lang == "zh" else ", ").join(words)


def _vehicle(document: Mapping[str, Any], lang: str) -> Iterator[str]:
    car = document["vehicle"]
    if car is None:
        return
    words = [str(car[key]) for key in ("brand", "model", "year", "powertrain") if car[key]]
    km = [f"{car['odometer_km']:,.0f} km"] if car["odometer_km"] is not None else []
    yield _titled("vehicle", _joined([" ".join(words) or car["id"][:12], *km], lang), lang)
    for key in ("open", "orders"):
        for row in car[key]:
            yield f"  {_titled(key, row['title'], lang)} [{row.get('urgency') or row['state']}]"


def _codes(document: Mapping[str, Any], lang: str) -> Iterator[str]:
    if not document["codes"]:
        return
    yield say(_WORDS["codes"], lang)
    width = max(len(code["code"]) for code in document["codes"])
    for code in document["codes"]:
        state = _STATES.get(code["state"])
        words = _joined(filter(None, (code["system_name"], say(state, lang) if state else "")), lang)
        yield f"  {code['code']:{width}}  {code['title']}{f'  [{words}]' if words else ''}"


def _signals(document: Mapping[str, Any], lang: str) -> Iterator[str]:
    if document["signals"]:
        yield say(_WORDS["signals"], lang)
    for signal in document["signals"]:
        yield f"  {signal['name']}: {signal['value']:g} {_UNITS.get(signal['unit'], signal['unit'])}".rstrip()


def _judgement(document: Mapping[str, Any], lang: str) -> Iterator[str]:
    yield _titled("finding", document["title"] or say(_WORDS["unknown"], lang), lang)
    yield f"{_titled('urgency', say(URGENCY_WORDS[Urgency[document['urgency']]], lang), lang)}"
    yield f"  {document['urgency_reason']}"
    if document["symptoms"]:
        yield "  " + _titled("symptoms", _joined((row["title"] for row in document["symptoms"]), lang), lang)
    yield "  " + ("；" if lang == "zh" else "; ").join(
        _titled(k, say(_LEVELS[document[k]], lang), lang) for k in ("drive", "safety")
    )


def _causes(document: Mapping[str, Any], lang: str) -> Iterator[str]:
    shown = [cause for cause in document["causes"] if cause["probability"] >= LEAST_SHOWN]
    if not shown:
        return
    yield say(_WORDS["causes"], lang)
    yield from (f"  {cause['probability']:>4.0%}  {cause['title']}" for cause in shown)
    prior = document["prior"]
    repairs = max((prior["repairs"].get(cause["id"], 0) for cause in shown), default=0)
    yield "  " + say(_WORDS["estimate"], lang).format(weight=prior["weight"], repairs=repairs)


def _evidence(document: Mapping[str, Any], lang: str) -> Iterator[str]:
    if document["evidence"]:
        yield say(_WORDS["evidence"], lang)
    for item in document["evidence"]:
        against = [_titled("against", _joined(item["against"], lang), lang)] if item["against"] else []
        yield f"  {_joined([*item['signs'], *item['measured'], *against], lang)} -> {item['title']} ({item['belief']:.0%})"


def _rejected(document: Mapping[str, Any], lang: str) -> Iterator[str]:
    if document["rejected"]:
        yield say(_WORDS["rejected"], lang)
    for other in document["rejected"]:
        yield "  " + f"{other['title']}{'：' if lang == 'zh' else ': '}{other['reason']}"


def _checks(document: Mapping[str, Any], lang: str) -> Iterator[str]:
    yield say(_WORDS["checks"], lang)
    titles = {cause["id"]: cause["title"] for cause in document["causes"] if cause["probability"] >= LEAST_SHOWN}
    tells = {row["check"]: [titles[cause] for cause in row["tells"] if cause in titles] for row in document["information"]}
    for number, check in enumerate(document["checks"], 1):
        minutes = f"  ({check['minutes']} {say(_WORDS['minutes'], lang)})" if check["minutes"] else ""
        yield f"  {number}. {check['title']}{minutes}"
        if shown := tells.get(check["id"]):
            yield f"     {_titled('tells', _joined(shown, lang), lang)}"


def _bulletins(document: Mapping[str, Any], lang: str) -> Iterator[str]:
    if document["bulletins"]:
        yield say(_WORDS["bulletins"], lang)
    for row in document["bulletins"]:
        applies = f" [{row['applies_to']}]" if row["applies_to"] else ""
        yield f"  {row['id']}{applies}{'：' if lang == 'zh' else ': '}{row['title']}"


def _not_known(document: Mapping[str, Any], lang: str) -> Iterator[str]:
    codes, signals = document["unknown"]["codes"], document["unknown"]["signals"]
    if codes or signals:
        yield say(_WORDS["not_known"], lang)
    if codes:
        yield "  " + _titled("no_pattern", _joined(codes, lang), lang)
    if signals:
        yield "  " + _titled("would_help", _joined((signal["name"] for signal in signals), lang), lang)


def _plan(document: Mapping[str, Any], lang: str) -> Iterator[str]:
    yield say(_WORDS["plan"], lang)
    for line in document["plan"]:
        optional = f" ({say(_WORDS['optional'], lang)})" if line["optional"] else ""
        payer = f" [{say(_PAYERS[line['pay_type']], lang)}]" if line["pay_type"] in _PAYERS else ""
        yield f"  {line['line']}. {line['description']}{optional}{payer}  {line['labour_hours']} {say(_WORDS['hours'], lang)}"
        for part in line["parts"]:
            yield f"     {part['quantity']} x {part['name']}  {part['number']}  {part['price']} {document['totals']['currency']}"
    totals = document["totals"]
    hours = f"{totals['labour_hours']} {say(_WORDS['hours'], lang)}"
    price = f"{say(_WORDS['parts'], lang)} {totals['parts']} {totals['currency']}"
    yield f"  = {hours} + {price} ({say(_WORDS['total'], lang)})"
