"""An event in words, for people: subject, text and HTML, in English or Chinese."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from jinja2 import Environment, Template

from domain.records import OutboxEvent

LANGUAGES = ("en", "zh")
_PLAN_LINES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A message. `subject` is one line."""

    subject: str
    text: str
    html: str


def worded(event: OutboxEvent, language: str, answer_at: str = "") -> Words:
    """The event in words; of an event of another kind its title and text, where it carries any.

    Args:
        language: "zh", anything else is English. answer_at: URL of the page on which the reader answers, "" for none.
    """
    spoken = "zh" if language == "zh" else "en"
    known = _words()
    data = json.loads(event.body).get("data", {})
    label = {word: texts[spoken] for word, texts in known["labels"].items()}
    kind = event.type.partition(".")[0]
    told = known["events"].get(event.type, {}).get(spoken, "")
    title = _said(data.get("titles") or data.get("title"), spoken) or event.type
    rank = str(data.get("priority") or data.get("severity") or "")
    subject = " ".join(f"{f'[{rank}] ' if rank else ''}{told}{label['colon'] if told else ''}{title}".split())
    shown = {
        "subject": subject,
        "paragraphs": [text for text in _paragraphs(kind, data, spoken) if text],
        "facts": [(label[name], value) for name, value in _facts(kind, data) if value],
        "lines": [_said(line["description"], spoken) for line in data.get("plan", [])[:_PLAN_LINES]],
        "answer_at": answer_at,
        "label": label,
        "language": {"zh": "zh-Hans", "en": "en"}[spoken],
    }
    text, html = (_template(f"letter.{form}.j2").render(shown) for form in ("txt", "html"))
    return Words(subject=subject, text=text, html=html)


def _paragraphs(kind: str, data: Mapping[str, Any], language: str) -> Iterator[str]:
    yield _said(data.get("explanation") if kind == "alert" else data.get("text"), language)
    yield _said(data.get("advice"), language)
    yield _said(data.get("urgency_reason"), language)


def _facts(kind: str, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(label, value), empty values included. A message to an owner says all in its text."""
    if kind == "notice":
        return
    vehicle = data.get("vehicle")
    if isinstance(vehicle, Mapping):
        named = [str(vehicle.get(word) or "") for word in ("brand", "model", "year")]
        yield "vehicle", " ".join(filter(None, (*named, str(vehicle.get("id", ""))[:12])))
    else:
        yield "vehicle", str(vehicle or "")[:12]
    yield "urgency", str(data.get("urgency") or "")
    yield "codes", ", ".join(data.get("codes") or ())
    yield "time", str(data.get("event_time") or "").partition(".")[0].replace("T", " ")
    if kind != "order":
        return
    slots = data.get("slots") or [{}]
    yield "state", str(data.get("state") or "")
    yield "dealer", str((data.get("dealer") or {}).get("id") or "")
    yield "appointment", str(slots[0].get("start", "")).partition(".")[0].replace("T", " ")
    totals = data.get("totals") or {}
    yield "total", f"{totals.get('total')} {totals.get('currency', '')}" if totals.get("total") else ""
    yield "order", str(data.get("order_id") or "")


def _said(text: Any, language: str) -> str:
    """A text of both languages, or of one."""
    if isinstance(text, Mapping):
        return str(text.get(language) or text.get("en") or "")
    return text if isinstance(text, str) else ""


@cache
def _words() -> dict[str, dict[str, dict[str, str]]]:
    known: dict[str, dict[str, dict[str, str]]] = yaml.safe_load(_file("words.yaml"))
    return known


@cache
def _template(name: str) -> Template:
    escapes = name.endswith(".html.j2")
    return Environment(autoescape=escapes, trim_blocks=True, lstrip_blocks=True).from_string(_file(name))  # noqa: S701 - plain text


def _file(name: str) -> str:
    return files("notifier").joinpath("channels", "templates", name).read_text(encoding="utf-8")
