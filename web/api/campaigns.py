"""`/api/v1/segments` and `/api/v1/campaigns`: invitations to owners, previewed before they are sent."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.campaigns import Campaign, Segment
from domain.findings import Text
from notifier.push.messages import rfc3339, text_json
from web.api.access import Orderer, Reader
from web.api.problems import Problem
from web.api.quotes import Words
from web.api.service import Served, Service
from web.campaigns import CampaignError, campaign_id, previewed, scored, send

router = APIRouter(prefix="/api/v1", tags=["campaigns"])
Names = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=50)]


class CampaignRequest(BaseModel):
    """An invitation and whom it is for; empty lists mean all."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "title": {"en": "Winter check for 99", "zh": "冬季检测 99 元"},
                    "about": {"en": "Battery, tyres, coolant.", "zh": "电池、轮胎、冷却液。"},
                    "segments": ["at_risk"],
                    "limit": 200,
                }
            ]
        },
    )

    title: Words
    about: Words
    segments: Annotated[list[Segment], Field(max_length=7)] = []
    brands: Names = []
    models: Names = []
    benefit: Annotated[str, Field(max_length=100)] = ""
    benefit_until: AwareDatetime | None = None
    cap_days: Annotated[int, Field(ge=1, le=3650)] = 90
    limit: Annotated[int, Field(ge=1, le=1_000_000)] = 1000


class SendRequest(BaseModel):
    """The mark of the preview that was looked at."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"preview": "9f2c11d0a7b34e58"}]})

    preview: Annotated[str, Field(max_length=64)]


@router.get("/segments")
def list_segments(service: Served, _caller: Reader) -> dict[str, Any]:
    """How many vehicles are in each segment by recency, frequency and money of their visits."""
    counts = Counter(each.segment for each in scored(service.store, service.clock()))
    return {"segments": {segment.value: counts[segment] for segment in Segment}}


@router.get("/campaigns")
def list_campaigns(service: Served, _caller: Reader) -> dict[str, Any]:
    """All campaigns, newest first."""
    return {"campaigns": [_campaign_json(each) for each in service.store.papers(Campaign, newest_first=True)]}


@router.post("/campaigns", status_code=201)
def make_campaign(request: CampaignRequest, service: Served, caller: Orderer) -> dict[str, Any]:
    """Draft a campaign; the answer tells whom it would invite now, and nobody is told anything."""
    now_ns = service.clock()
    if request.benefit and request.benefit not in {offer.id for offer in service.benefits.offers()}:
        raise Problem(422, "offer_unknown", f"There is no offer {request.benefit!r}.")
    until_ns = int(request.benefit_until.timestamp()) * 1_000_000_000 if request.benefit_until else 0
    if request.benefit and until_ns <= now_ns:
        raise Problem(422, "benefit_ended", "Say with benefit_until how long the benefit lasts.")
    campaign = Campaign(
        id=campaign_id(request.title.en, caller.name, now_ns),
        title=Text(en=request.title.en, zh=request.title.zh),
        about=Text(en=request.about.en, zh=request.about.zh),
        segments=tuple(dict.fromkeys(request.segments)),
        brands=tuple(request.brands),
        models=tuple(request.models),
        benefit=request.benefit,
        benefit_until_ns=until_ns,
        cap_days=request.cap_days,
        limit=request.limit,
        author=caller.name,
        created_ns=now_ns,
    )
    service.store.change_paper(None, campaign)
    return {**_campaign_json(campaign), "preview": _preview_json(service, campaign)}


@router.get("/campaigns/{campaign_id}/preview")
def preview_campaign(campaign_id: str, service: Served, _caller: Reader) -> dict[str, Any]:
    """Whom it would invite now, how many not and why."""
    return _preview_json(service, _campaign(service, campaign_id))


@router.post("/campaigns/{campaign_id}/send", responses={409: {"description": "sent already, or not the preview of now"}})
def send_campaign(campaign_id: str, request: SendRequest, service: Served, _caller: Orderer) -> dict[str, Any]:
    """Invite whom the preview showed; each owner once."""
    campaign = _campaign(service, campaign_id)
    try:
        sent = send(service.store, campaign, request.preview, service.owners, service.benefits)
    except CampaignError as problem:
        raise Problem(409, "campaign_not_sent", str(problem)) from problem
    return {"campaign": campaign.id, "counts": dict(sent.counts)}


def _campaign(service: Service, identifier: str) -> Campaign:
    campaign = service.store.paper(Campaign, identifier)
    if campaign is None:
        raise Problem(404, "campaign_unknown", "There is no campaign of this id.")
    return campaign


def _preview_json(service: Service, campaign: Campaign) -> dict[str, Any]:
    selection = previewed(service.store, campaign, service.clock())
    return {"preview": selection.mark, "counts": dict(selection.counts), "vehicles": list(selection.vehicles[:100])}


def _campaign_json(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": campaign.id,
        "title": text_json(campaign.title),
        "about": text_json(campaign.about),
        "segments": list(campaign.segments),
        "brands": list(campaign.brands),
        "models": list(campaign.models),
        "benefit": campaign.benefit or None,
        "cap_days": campaign.cap_days,
        "limit": campaign.limit,
        "state": campaign.state,
        "author": campaign.author,
        "created": rfc3339(campaign.created_ns),
    }
