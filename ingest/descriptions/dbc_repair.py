"""A DBC that cannot be parsed as written -> one that can, with an account of every change.

Layout comes first and details after it, in the file's order, whatever stands between them in the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from domain.errors import DbcFileError
from ingest.descriptions import dbc_details as details
from ingest.descriptions.dbc_layout import UNASSIGNED, Names, UnreadableLayoutError, mend_message, mend_signal
from ingest.descriptions.dbc_statements import Statement, statements
from ingest.descriptions.mend import Mend, MendKind

_UNUSED = frozenset(
    {"VERSION", "BS_", "BU_", "NS_", "CM_", "EV_", "ENVVAR_DATA_", "EV_DATA_", "VAL_TABLE_", "BO_TX_BU_", "SIG_GROUP_", "BA_DEF_REL_", "BA_REL_",
     "BA_DEF_DEF_REL_", "BA_SGTYPE_", "BA_DEF_SGTYPE_", "SGTYPE_", "SGTYPE_VAL_", "SIG_TYPE_REF_", "SIGTYPE_VALTYPE_", "CAT_", "CAT_DEF_",
     "FILTER", "NS_DESC_", "BU_BO_REL_", "BU_EV_REL_", "BU_SG_REL_"}
)  # fmt: skip
"""Statements that have no part in decoding: the mended text goes without them."""
_HEAD = 'VERSION "" NS_ : BS_: BU_:'


@dataclass(frozen=True, slots=True, kw_only=True)
class MendedMessage:
    """One message. `layout`: its BO_ and SG_ lines. `details`: value tables, number types and multiplexing of its signals."""

    name: str
    line: int
    identifier: int
    layout: tuple[str, ...]
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MendedDbc:
    """A mended file.

    Attributes:
        messages: what is left, in the file's order. attributes: definitions and values.
        names: name in the mended text -> name as the file has it. wide: (identifier without flag, signal) -> selector values.
    """

    messages: tuple[MendedMessage, ...]
    attributes: tuple[str, ...]
    mends: tuple[Mend, ...]
    names: dict[str, str]
    wide: dict[tuple[int, str], tuple[tuple[int, int], ...]]

    def text(self, *, attributes: bool = True, only: MendedMessage | None = None) -> str:
        """A DBC of all messages, or of one of them."""
        chosen = self.messages if only is None else (only,)
        layout = [line for message in chosen for line in message.layout]
        about = [line for message in chosen for line in message.details]
        return "\n".join([_HEAD, *layout, *(self.attributes if attributes else ()), *about, ""])


class _Repair:
    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.index = details.Index(names=Names(text))
        self.mends: list[Mend] = []
        self.line = 0
        self.all = list(statements(text))
        self.heads: list[tuple[str, int, int]] = []
        self.layout: list[list[str]] = []
        self.about: list[list[str]] = []
        """Of each message in `heads`: its lines, and what else is about it."""
        self.attributes: list[str] = []
        self.at: dict[int, int] = {}
        """Identifier as written -> place of its last message in `heads`."""

    def note(self, kind: MendKind, what: str) -> None:
        self.mends.append(Mend(file=self.file, line=self.line, kind=kind, what=" ".join(what.split())))

    def run(self) -> MendedDbc:
        self._layout()
        for statement in self.all:
            self.line = statement.line
            self._definition(statement)
        for statement in self.all:
            self.line = statement.line
            self._detail(statement)
        messages = tuple(
            MendedMessage(
                name=name, line=line, identifier=identifier, layout=tuple(self.layout[place]), details=tuple(self.about[place])
            )
            for place, (name, line, identifier) in enumerate(self.heads)
        )
        return MendedDbc(
            messages=messages,
            attributes=tuple(self.attributes),
            mends=tuple(sorted(self.mends, key=lambda mend: mend.line)),
            names=self.index.names.originals,
            wide=self.index.wide,
        )

    def _layout(self) -> None:
        """Messages and their signals; what follows a message that is left out goes with it."""
        place, lost, signals = -1, False, dict[str, int]()
        for statement in self.all:
            self.line = statement.line
            if statement.kind == "BO_":
                message = mend_message(statement.text, self.index.names, self.note)
                lost = message is None or message.name == UNASSIGNED
                if message is not None and not lost:
                    place += 1
                    self.heads.append((message.name, statement.line, message.mended))
                    self.layout.append([message.text])
                    self.about.append([])
                    self.index.identifiers[message.identifier] = message.mended
                    self.at[message.identifier] = place
                    signals = self.index.signals.setdefault(message.identifier, {})
            elif statement.kind == "SG_" and place < 0 and not lost:
                self.note(MendKind.SIGNAL, "signal left out: it stands in no message")
            elif statement.kind == "SG_" and not lost:
                signal = mend_signal(statement.text, self.index.names, self.note)
                if signal is not None:
                    signals[signal.name] = signal.length
                    self.layout[place].append(signal.text)
            elif not statement.kind:
                self.note(MendKind.STATEMENT, f"left out: {' '.join(statement.text.split())[:60]}")

    def _definition(self, statement: Statement) -> None:
        if statement.kind == "BA_DEF_":
            text = details.mend_definition(statement.text, self.index, self.note)
        elif statement.kind == "BA_DEF_DEF_":
            text = details.mend_default(statement.text, self.index, self.note)
        else:
            return
        if text is not None:
            self.attributes.append(text)

    def _detail(self, statement: Statement) -> None:
        if statement.kind == "CM_":
            details.mend_comment(statement.text, self.note)
        elif statement.kind == "BA_":
            text = details.mend_attribute(statement.text, self.index, self.note)
            if text is not None:
                self.attributes.append(text)
        elif statement.kind in _MENDERS:
            text = _MENDERS[statement.kind](statement.text, self.index, self.note)
            if text is not None:
                identifier = int(statement.text.split()[1])
                self.about[self.at[identifier]].append(text)


_MENDERS = {"VAL_": details.mend_values, "SIG_VALTYPE_": details.mend_float_type, "SG_MUL_VAL_": details.mend_multiplexing}


def mend_dbc(text: str, file: Path) -> MendedDbc:
    """Read a DBC as far as it can be read; a text that is no DBC has no messages.

    Raises:
        DbcFileError: a message or signal cannot be read.
    """
    repair = _Repair(text, file.name)
    try:
        return repair.run()
    except UnreadableLayoutError as problem:
        mend = "correct the definition there, or leave this file out of the profile"
        raise DbcFileError(f"is not a DBC that can be loaded: {problem}", file=file, line=repair.line, mend=mend) from problem
