"""What a reader of a backtest's figures must know."""

from __future__ import annotations

from collections.abc import Sequence

from app.backtest.backtest import Backtest
from domain.findings import Text

SHORT = 10
"""Digits of a pseudonym that tell the vehicles of one backtest apart."""
MOST_NAMED = 4


def notes(done: Backtest) -> list[Text]:
    """What was not judged, and what does not count."""
    told = []
    blind = [run.vehicle[:SHORT] for run in done.runs if run.is_blind]
    if blind:
        told.append(
            Text(
                en=f"{len(blind)} vehicles have no records of what the rules read, so nothing was judged on them: {_some(blind)}",
                zh=f"{len(blind)} 辆车没有规则所需的数据，未做评估：{_some(blind)}",
            )
        )
    idle = [row.id for row in done.rules if not row.vehicles and row.rule.paths and row.id not in done.unjudged]
    if idle:
        told.append(
            Text(
                en=f"{len(idle)} of {len(done.rules)} rules were never judged, no vehicle sends all their signals: {_some(idle)}",
                zh=f"{len(done.rules)} 条规则中有 {len(idle)} 条未被评估，因为没有车辆发送其全部信号：{_some(idle)}",
            )
        )
    if done.unjudged:
        told.append(
            Text(
                en=f"stored signals hold no trouble codes, so rules that read them are silent: {_some(done.unjudged)}",
                zh=f"历史信号中没有故障码，读取故障码的规则不会触发：{_some(done.unjudged)}",
            )
        )
    if done.unwatched_faults:
        told.append(
            Text(
                en=f"{done.unwatched_faults} labels are of groups that none of the rules watches and do not count",
                zh=f"{done.unwatched_faults} 条标注所属系统没有规则覆盖，不计入统计",
            )
        )
    if done.unseen_faults:
        told.append(
            Text(
                en=f"{done.unseen_faults} labels are of vehicles or times without records and do not count",
                zh=f"{done.unseen_faults} 条标注的车辆或时段没有记录，不计入统计",
            )
        )
    return told


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (f" … (+{len(names) - MOST_NAMED})" if len(names) > MOST_NAMED else "")
