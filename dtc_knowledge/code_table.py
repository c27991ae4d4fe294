"""What is known of a trouble code by itself, from the tables in `codes/`; always answers.

A code that no table names is put into words from its structure: SAE J2012 for letter codes (a maker's own ranges are
never named without the maker), SAE J1939-73 for "SPN…/FMI…", GB/T 32960.3 for "GB…" alarm flags.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from domain.codes import CodeInfo
from domain.findings import Severity, Text, Urgency
from dtc_knowledge.schema import FailureModeRow, FailureTypeRow, ParameterRow, SourceRow

_LETTER_CODE = re.compile(r"([PCBU])([0-3])([0-9A-F])([0-9A-F]{2})(?:[:-]([0-9A-F]{2}))?")
_SPN_CODE = re.compile(r"SPN(\d+)/FMI(\d+)")
_ALARM_BIT = re.compile(r"GB(\d+)")
_TERMINAL_FAULT = re.compile(r"GB([BMEO])-([0-9A-F]{8})")
_TERMINAL_LISTS = {
    "B": ("ev.battery", Text(en="Energy storage fault", zh="可充电储能装置故障")),
    "M": ("ev.drive_unit", Text(en="Drive motor fault", zh="驱动电机故障")),
    "E": ("engine", Text(en="Engine fault", zh="发动机故障")),
    "O": ("", Text(en="Other fault", zh="其他故障")),
}
"""The four fault lists of GB/T 32960.3: system and words; the numbers are the maker's."""
_LETTER_WORDS = {
    "P": Text(en="powertrain", zh="动力系统"),
    "C": Text(en="chassis", zh="底盘"),
    "B": Text(en="body", zh="车身"),
    "U": Text(en="network", zh="网络通信"),
}
_P_AREAS = {
    "0": Text(en="fuel and air metering", zh="燃油与空气计量"),
    "1": Text(en="fuel and air metering", zh="燃油与空气计量"),
    "2": Text(en="injector circuits", zh="喷油器电路"),
    "3": Text(en="ignition and misfire", zh="点火与失火"),
    "4": Text(en="emission control", zh="排放控制"),
    "5": Text(en="speed, idle and auxiliary inputs", zh="车速、怠速与辅助输入"),
    "6": Text(en="control units and outputs", zh="控制单元与输出电路"),
    "7": Text(en="transmission", zh="变速器"),
    "8": Text(en="transmission", zh="变速器"),
    "9": Text(en="transmission", zh="变速器"),
    "A": Text(en="hybrid and electric drive", zh="混动与电驱动"),
    "B": Text(en="hybrid and electric drive", zh="混动与电驱动"),
    "C": Text(en="hybrid and electric drive", zh="混动与电驱动"),
    "D": Text(en="hybrid and electric drive", zh="混动与电驱动"),
    "E": Text(en="hybrid and electric drive", zh="混动与电驱动"),
}


def is_maker_code(code: str) -> bool:
    """Whether SAE J2012 leaves the meaning to the maker: P1xxx, P30xx-P33xx, and the digits 1 and 2 of U, B and C."""
    match = _LETTER_CODE.fullmatch(code)
    if match is None:
        return False
    letter, digit, third = match[1], match[2], match[3]
    if letter == "P":
        return digit == "1" or (digit == "3" and third in "0123")
    return digit in "12"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeCatalogue:
    """A `domain.ports.CodeTable` over the shipped tables.

    Attributes:
        codes: letter code -> info. parameters: by SPN. failure_modes: by FMI. failure_types: by two hexadecimal digits.
        alarm_bits: GB/T 32960 alarm flags by bit. systems: id -> name. sources: by id.
        makers: maker -> its codes; used only where the maker is named. monitors: self-test of an ECU -> codes that it reports.
        components: id -> name.
    """

    codes: dict[str, CodeInfo]
    parameters: dict[int, ParameterRow]
    failure_modes: dict[int, FailureModeRow]
    failure_types: dict[str, FailureTypeRow]
    alarm_bits: dict[int, CodeInfo]
    systems: dict[str, Text]
    sources: dict[str, SourceRow]
    makers: dict[str, dict[str, CodeInfo]] = field(default_factory=dict)
    monitors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    components: dict[str, Text] = field(default_factory=dict)

    def for_maker(self, maker: str) -> CodeCatalogue:
        """The catalogue with the names that a maker gives to the codes of its own range; unchanged for an unknown maker."""
        own = self.makers.get(maker.lower())
        return replace(self, codes={**self.codes, **own}) if own else self

    def lookup(self, code: str) -> CodeInfo:
        """What the code says by itself; in generic words with `known=False` where no table names it.

        A failure type may follow ("P0117:16", "P0117-16").
        """
        code = code.strip().upper()
        if match := _LETTER_CODE.fullmatch(code):
            return self._letter_code(code, match[5])
        if match := _SPN_CODE.fullmatch(code):
            return self._parameter_code(code, int(match[1]), int(match[2]))
        if (match := _ALARM_BIT.fullmatch(code)) and (known := self.alarm_bits.get(int(match[1]))):
            return known
        if match := _TERMINAL_FAULT.fullmatch(code):
            return _terminal_fault(code, match[1], match[2])
        return _unknown(code, Text(en=f"Trouble code {code}", zh=f"故障码 {code}"))

    def _letter_code(self, code: str, failure_type: str | None) -> CodeInfo:
        base = code[:5]
        info = self.codes.get(base) or _unknown(base, _generic_title(base))
        if failure_type is None:
            return info
        words = self.failure_types.get(failure_type)
        en = words.en if words else f"failure type {failure_type}"
        zh = words.zh if words else f"故障类型 {failure_type}"
        return replace(info, code=code, title=Text(en=f"{info.title.en}: {en}", zh=f"{info.title.zh}：{zh}"))

    def _parameter_code(self, code: str, spn: int, fmi: int) -> CodeInfo:
        mode, parameter = self.failure_modes.get(fmi), self.parameters.get(spn)
        name = parameter.text if parameter else Text(en=f"Parameter SPN {spn}", zh=f"参数 SPN {spn}")
        words = mode.text if mode else Text(en=f"failure mode {fmi}", zh=f"故障模式 {fmi}")
        title = Text(en=f"{name.en}: {words.en}", zh=f"{name.zh}：{words.zh}")
        urgency = mode.urgency if mode else Urgency.NEXT
        severity = mode.severity if mode else Severity.LOW
        if parameter is None:
            return replace(_unknown(code, title), urgency=min(urgency, Urgency.SOON), severity=severity)
        severe = fmi == {"high": 0, "low": 1}.get(parameter.severe)
        urgency = Urgency.STOP if severe else min(urgency, parameter.cap)
        return CodeInfo(
            code=code,
            title=title,
            system=parameter.system,
            component=parameter.component,
            group_key=parameter.system,
            severity=Severity.CRITICAL if severe else severity,
            urgency=urgency,
            severe_fmi=severe,
            known=mode is not None,
            source=parameter.source,
            category=parameter.category,
            confidence=parameter.confidence,
        )


def _unknown(code: str, title: Text) -> CodeInfo:
    return CodeInfo(
        code=code,
        title=title,
        system="",
        component="",
        group_key=f"code/{code}",
        severity=Severity.LOW,
        urgency=Urgency.NEXT,
        known=False,
    )


def _terminal_fault(code: str, letter: str, number: str) -> CodeInfo:
    system, words = _TERMINAL_LISTS[letter]
    title = Text(en=f"{words.en} {number}, meaning depends on the maker", zh=f"{words.zh} {number}，含义由厂家规定")
    return replace(_unknown(code, title), system=system, group_key=system or f"code/{code}")


def _generic_title(code: str) -> Text:
    letter = _LETTER_WORDS[code[0]]
    if is_maker_code(code):
        return Text(
            en=f"Maker-specific {letter.en} code {code}, meaning depends on the maker",
            zh=f"厂家自定义{letter.zh}故障码 {code}，含义由厂家规定",
        )
    area = _P_AREAS.get(code[2]) if code[0] == "P" and code[1] == "0" else None
    if area:
        return Text(en=f"Standard {letter.en} code {code} ({area.en})", zh=f"标准{letter.zh}故障码 {code}（{area.zh}）")
    return Text(en=f"Standard {letter.en} code {code}", zh=f"标准{letter.zh}故障码 {code}")
