"""Whole OBD-II and UDS messages of one vehicle to reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.trouble_codes import NOT_AVAILABLE, CodeList, FreezeValue, Protocol, StatusBit
from ingest.diagnostics import obd, uds
from ingest.diagnostics.freeze_frame import freeze_value

if TYPE_CHECKING:
    from ingest.diagnostics.reading import Reading

_FAULT_BITS = StatusBit.TEST_FAILED | StatusBit.CONFIRMED


class IsoTpReports:
    """Reads whole messages for a `Reading`, whose conversation holds what was asked before."""

    __slots__ = ("_reading",)

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def read(self, row: int, time_ns: int, bus: str, can_id: int, message: bytes, *, is_standard: bool) -> None:
        """Take a whole message; requests are noted, answers reported, others left alone.

        Args:
            row: row of its last frame. time_ns: that frame's event time. bus, can_id: where it was heard.
            message: the payload.
            is_standard: `can_id` is an answering identifier of ISO 15765-4; others speak UDS only.
        """
        service = message[0]
        if service == uds.READ_ANSWER:
            self._uds_answer(row, time_ns, bus, can_id, message)
        elif service == uds.CLEAR_ANSWER:
            self._uds_cleared(row, time_ns, bus, can_id, message, is_standard=is_standard)
        elif service == uds.NEGATIVE_ANSWER:
            self._refused(time_ns, bus, message)
        elif is_standard:
            self._obd_answer(row, time_ns, bus, can_id, message)
        elif service == uds.READ_REQUEST and len(message) > 1:
            mask = message[-1] if message[1] in (0x02, 0x42) and len(message) > 2 else 0xFF
            if message[1] == uds.WWH_BY_MASK and len(message) > 3:
                mask = message[3]
            self._reading.conversation.ask((bus, service, message[1]), time_ns, mask)
        elif service == uds.CLEAR_REQUEST and len(message) >= 4:
            self._reading.conversation.ask((bus, service, -1), time_ns, int.from_bytes(message[1:4], "big"))

    def _obd_answer(self, row: int, time_ns: int, bus: str, source: int, message: bytes) -> None:
        reading, service = self._reading, message[0]
        name = f"{service - 0x40:02X}" if service >= 0x40 else ""
        kind: CodeList | None = None
        more: dict[str, object] = {"message": name, "raw": message}
        if service in obd.LISTS:
            answer = obd.code_list(message, reading.anomalies)
            if answer is not None:
                kind = answer.kind
                more |= {"complete": answer.complete, "codes": answer.codes}
        elif service == obd.FREEZE_FRAME_ANSWER:
            freeze, signals = reading.conversation.freeze, reading.context.signals
            reading.report_freeze_frames(freeze.receive(bus, source, time_ns, message, signals, reading.anomalies), row)
        elif service == obd.STATUS_ANSWER:
            monitors = obd.status(message, reading.anomalies)
            kind, more["monitors"] = (None if monitors is None else CodeList.STATUS), monitors
        elif service == obd.CLEAR_ANSWER:
            kind, more["complete"] = CodeList.CLEARED, True
        elif service == obd.TEST_ANSWER:
            tests = obd.tests(message, reading.anomalies)
            kind, more["tests"] = (CodeList.TEST_RESULTS if tests else None), tests
        elif service == obd.IDENTIFICATION_ANSWER:
            self._identification(row, bus, source, message)
        if kind is not None:
            reading.report(row, bus, source, Protocol.OBD, kind, **more)

    def _identification(self, row: int, bus: str, source: int, message: bytes) -> None:
        """The VIN only masked; calibrations and names are counted."""
        reading = self._reading
        item = message[1] if len(message) > 1 else 0
        if item != obd.VIN_TYPE:
            reading.counted[f"09 {item:02X}"] += 1
            return
        identity = obd.masked_vin(message, reading.anomalies)
        if identity is not None:
            reading.report(
                row, bus, source, Protocol.OBD, CodeList.IDENTIFICATION, complete=True, message="09 02", identity=identity
            )

    def _uds_answer(self, row: int, time_ns: int, bus: str, can_id: int, message: bytes) -> None:
        reading = self._reading
        known_format = reading.conversation.formats.get((bus, can_id), 0)
        answer = uds.read_answer(message, known_format, reading.context.identifiers, reading.anomalies)
        if answer is None:
            reading.counted[f"19 {message[1]:02X}" if len(message) > 1 else "19"] += 1
            return
        if answer.code_format != NOT_AVAILABLE:
            reading.conversation.note_format(bus, can_id, answer.code_format)
        reading.report(
            row,
            bus,
            can_id,
            Protocol.UDS,
            answer.kind,
            complete=answer.complete and self._asked_for_all(bus, message[1], time_ns, answer.availability),
            codes=answer.codes,
            message=f"19 {message[1]:02X}",
            availability=answer.availability,
            code_format=answer.code_format,
            monitors=answer.monitors,
            records=answer.records,
            freeze=self._freeze_values(answer),
            raw=uds.without_vin(message),
        )

    def _asked_for_all(self, bus: str, report: int, time_ns: int, availability: int) -> bool:
        """Whether a code that the answer lacks is no fault: all lists are whole, but those by a mask that asks for less.

        Of an answer whose request was not heard nobody knows the mask.
        """
        if report not in (0x02, uds.WWH_BY_MASK):
            return True
        mask = self._reading.conversation.answered((bus, uds.READ_REQUEST, report), time_ns)
        faults = _FAULT_BITS & availability
        return mask is not None and mask & faults == faults

    def _freeze_values(self, answer: uds.Answer) -> tuple[FreezeValue, ...]:
        """The values of the first record of a snapshot whose identifiers mirror OBD PIDs."""
        context = self._reading.context
        values: list[FreezeValue] = []
        for record in answer.records if answer.kind is CodeList.SNAPSHOT else ():
            known = context.identifiers.get(record.identifier)
            if known is not None and known.pid >= 0 and record.number == answer.records[0].number:
                told = (freeze_value(signal, record.data) for signal in context.signals.get(known.pid, ()))
                values += [value for value in told if value is not None]
        return tuple(values)

    def _uds_cleared(self, row: int, time_ns: int, bus: str, can_id: int, message: bytes, *, is_standard: bool) -> None:
        """A clear that was not asked for is one only from an identifier that nothing else uses."""
        group = self._reading.conversation.answered((bus, uds.CLEAR_REQUEST, -1), time_ns)
        if group is None and not is_standard:
            return
        code_format = self._reading.conversation.formats.get((bus, can_id), 0)
        codes = () if group is None else uds.cleared_codes(group, code_format)
        more = {"message": "14", "complete": group in (None, uds.ALL_CODES), "codes": codes, "raw": message}
        self._reading.report(row, bus, can_id, Protocol.UDS, CodeList.CLEARED, **more)

    def _refused(self, time_ns: int, bus: str, message: bytes) -> None:
        reading = self._reading
        if len(message) < 3:
            return
        service, reason = message[1], message[2]
        if service in obd.REQUESTS:
            reading.anomalies[obd.NEGATIVE] += 1
        if service in (*obd.REQUESTS, 0x04, uds.READ_REQUEST, uds.CLEAR_REQUEST):
            reading.counted[f"7F {service:02X} {reason:02X}"] += 1
        if reason == uds.RESPONSE_PENDING:
            reading.conversation.wait_longer(bus, service, time_ns)
