"""The life of versions: shadow, active, retired. Every decision gives the versions of the model as they stand afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from domain.errors import InputError
from domain.model_versions import ROLLED_BACK_TO, Lineage, ModelStage, ModelVersion, StageChange

Versions = Sequence[ModelVersion]


def registered(
    name: str, sha256: str, lineage: Lineage, figures: dict[str, float], *, time_ns: int, actor: str, reason: str = "trained"
) -> ModelVersion:
    """A new version, in shadow."""
    return ModelVersion(
        id=f"{name}-{sha256[:12]}",
        name=name,
        sha256=sha256,
        lineage=lineage,
        figures=tuple(sorted((key, float(value)) for key, value in figures.items())),
        changes=(StageChange(stage=ModelStage.SHADOW, time_ns=time_ns, actor=actor, reason=reason),),
    )


def champion(versions: Versions) -> ModelVersion | None:
    """The active version of a model, None where none is."""
    return next((each for each in versions if each.stage is ModelStage.ACTIVE), None)


def promoted(versions: Versions, identifier: str, *, time_ns: int, actor: str, reason: str) -> tuple[ModelVersion, ...]:
    """The version becomes the champion, and the champion of before retires.

    Raises:
        InputError: it is the champion already, or there is no such version.
    """
    chosen = find(versions, identifier)
    if chosen.stage is ModelStage.ACTIVE:
        raise InputError(f"{identifier} is active already", mend="`pitcall models list` shows the others")
    return tuple(
        _moved(each, ModelStage.ACTIVE, time_ns, actor, reason)
        if each is chosen
        else _moved(each, ModelStage.RETIRED, time_ns, actor, f"followed by {identifier}")
        if each.stage is ModelStage.ACTIVE
        else each
        for each in versions
    )


def rolled_back(versions: Versions, *, time_ns: int, actor: str, reason: str) -> tuple[ModelVersion, ...]:
    """The champion retires, and the one that was promoted before it is champion again; repeated, it goes back further.

    Raises:
        InputError: there is no champion, or none was there before it.
    """
    now = champion(versions)
    if now is None:
        raise InputError("no version is active", mend="promote one: `pitcall models promote ID`")
    promoted_ns = now.activated_ns or 0
    earlier = [each for each in versions if each.activated_ns is not None and each.activated_ns < promoted_ns]
    if not earlier:
        raise InputError(f"no version was active before {now.id}", mend="promote one: `pitcall models promote ID`")
    back = max(earlier, key=lambda each: each.activated_ns or 0)
    return tuple(
        _moved(each, ModelStage.ACTIVE, time_ns, actor, ROLLED_BACK_TO)
        if each is back
        else _moved(each, ModelStage.RETIRED, time_ns, actor, reason)
        if each is now
        else each
        for each in versions
    )


def find(versions: Versions, identifier: str) -> ModelVersion:
    """The version whose id begins so.

    Raises:
        InputError: none does, or several do.
    """
    found = [each for each in versions if each.id.startswith(identifier)]
    if len(found) != 1:
        what = f"{len(found)} versions begin with {identifier}" if found else f"there is no version {identifier}"
        raise InputError(what, mend="`pitcall models list` names them")
    return found[0]


def _moved(version: ModelVersion, stage: ModelStage, time_ns: int, actor: str, reason: str) -> ModelVersion:
    change = StageChange(stage=stage, time_ns=time_ns, actor=actor, reason=reason)
    return replace(version, changes=(*version.changes, change))
