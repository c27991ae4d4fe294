"""An ARXML or SYM file that cannot be parsed as written -> one that can, with an account of every change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from ingest.descriptions.mend import Mend, MendKind

_NAMESPACE = "http://autosar.org/schema/r4.0"
_OTHER_NAMESPACE = re.compile(r'xmlns="(http://autosar\.org/schema/[^"]*)"')
_EMPTY_SELECTOR = re.compile(r"^Mux=(\S+)\s+\d+\s*,\s*0\b.*$", re.MULTILINE)
_MAPPINGS = ("I-SIGNAL-TO-I-PDU-MAPPING", "I-SIGNAL-TO-PDU-MAPPING")
_FACTORS, _DIVISORS = 2, 1
"""How many numbers the numerator and the denominator of a linear scaling have."""


def mend_sym(text: str, file: str) -> tuple[str, list[Mend]]:
    """Selectors of no bits are left out: what hangs on them is always there."""
    mends = [
        Mend(
            file=file,
            line=_line(text, found.start()),
            kind=MendKind.MULTIPLEXING,
            what=f"selector {found[1]} left out: it has no bits",
        )
        for found in _EMPTY_SELECTOR.finditer(text)
    ]
    return _EMPTY_SELECTOR.sub("", text), mends


def mend_arxml(text: str, file: str) -> tuple[str, list[Mend]]:
    """Unknown namespaces are read as AUTOSAR 4; frames that are not in the file, and signals without a scaling, are left out.

    Raises:
        xml.etree.ElementTree.ParseError: the file is no XML.
    """
    mends: list[Mend] = []
    found = _OTHER_NAMESPACE.search(text)
    if found and found[1] != _NAMESPACE:
        mends.append(
            Mend(file=file, line=_line(text, found.start()), kind=MendKind.NAMESPACE, what=f"{found[1]} read as AUTOSAR 4")
        )
        text = text.replace(found[1], _NAMESPACE)
    root = ET.fromstring(text)  # noqa: S314 -- expat bounds the growth of entities, and cantools has parsed the same text
    known = dict(_named(root, ""))
    left_out = [*_absent_frames(root, known), *_without_scaling(root, known)]
    for parent, element, kind, name, reason in left_out:
        parent.remove(element)
        mends.append(Mend(file=file, line=_line(text, text.find(name)), kind=kind, what=f"{name} left out: {reason}"))
    return ET.tostring(root, encoding="unicode"), mends


_LeftOut = tuple[ET.Element, ET.Element, MendKind, str, str]
"""(parent, element, kind, path that it is about, reason)."""


def _absent_frames(root: ET.Element, known: dict[str, ET.Element]) -> Iterator[_LeftOut]:
    for parent, element in _pairs(root):
        if _tag(element) == "CAN-FRAME-TRIGGERING":
            for reference in element.iter():
                path = (reference.text or "").strip()
                if _tag(reference) == "FRAME-REF" and path.startswith("/") and path not in known:
                    yield parent, element, MendKind.MESSAGE, path, "there is no such frame"


def _without_scaling(root: ET.Element, known: dict[str, ET.Element]) -> Iterator[_LeftOut]:
    bad = {path for path, element in known.items() if _tag(element) == "COMPU-METHOD" and not _is_linear(element)}
    for _ in range(2):  # system signals refer to scalings, signals to system signals
        bad |= {
            path
            for path, element in known.items()
            if _tag(element) in ("SYSTEM-SIGNAL", "I-SIGNAL") and _references(element) & bad
        }
    for parent, element in _pairs(root):
        lost = _references(element) & bad if _tag(element) in _MAPPINGS else set()
        if lost:
            yield parent, element, MendKind.SIGNAL, min(lost), "its scaling cannot be read"


def _is_linear(method: ET.Element) -> bool:
    for coefficients in method.iter():
        if _tag(coefficients) == "COMPU-RATIONAL-COEFFS":
            sizes = {_tag(part): len([v for v in part if _tag(v) in ("V", "VF")]) for part in coefficients}
            if sizes.get("COMPU-NUMERATOR") != _FACTORS or sizes.get("COMPU-DENOMINATOR") != _DIVISORS:
                return False
    return True


def _references(element: ET.Element) -> set[str]:
    return {(each.text or "").strip() for each in element.iter() if _tag(each).endswith("-REF")}


def _named(element: ET.Element, path: str) -> Iterator[tuple[str, ET.Element]]:
    """Every element with a short name, by its path."""
    name = next((child.text for child in element if _tag(child) == "SHORT-NAME"), None)
    if name is not None:
        path = f"{path}/{name}"
        yield path, element
    for child in element:
        yield from _named(child, path)


def _pairs(root: ET.Element) -> list[tuple[ET.Element, ET.Element]]:
    """(parent, child) of all elements."""
    return [(parent, child) for parent in root.iter() for child in parent]


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1 if at >= 0 else 0
