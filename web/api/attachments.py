"""`/api/v1/orders/ID/attachments`: photos and videos of the work, for the order's parties alone."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from domain.media import SIGNATURES, Attachment, media_type_of
from notifier.push.messages import rfc3339
from web.api.access import OrderMover, OrderViewer
from web.api.orders import order_for
from web.api.problems import Problem
from web.api.service import Served, Service

router = APIRouter(prefix="/api/v1/orders", tags=["attachments"])
MOST_BYTES = 32 * 1024 * 1024
"""Of a photo or video."""
MOST_ATTACHMENTS = 60
"""Of an order."""
HEADERS = {
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-store",
    "content-security-policy": "default-src 'none'; sandbox",
}
_TYPES = sorted({media_type for _, _, media_type in SIGNATURES})

_FILE = {
    "schema": {"type": "string", "format": "binary"},
    "examples": {"photo": {"summary": "The bytes of the file.", "value": "…"}},
}


async def _sent(request: Request) -> bytes:
    """The body, refused as soon as it is too long."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BYTES:
            raise Problem(413, "too_large", f"A photo or video has at most {MOST_BYTES // 1024 // 1024} MB.")
        chunks.append(chunk)
    return b"".join(chunks)


@router.post(
    "/{order_id}/attachments",
    status_code=201,
    openapi_extra={"requestBody": {"required": True, "content": dict.fromkeys(_TYPES, _FILE)}},
    responses={413: {"description": "too large"}, 415: {"description": "no JPEG, PNG, WebP or MP4"}},
)
def attach(
    order_id: str,
    service: Served,
    caller: OrderMover,
    body: Annotated[bytes, Depends(_sent)],
    line: Annotated[int, Query(ge=0, le=999, description="of the plan or quote; 0 = of none")] = 0,
    caption: Annotated[str, Query(max_length=300)] = "",
) -> dict[str, Any]:
    """Keep a photo or video of the work; the same one sent again is one. What it is its bytes say, not its sender."""
    order = order_for(service, order_id, caller)
    media_type = media_type_of(body)
    if not media_type:
        raise Problem(415, "media_type", f"Taken are {', '.join(_TYPES)}.")
    if len(service.store.papers(Attachment, order=order.id)) >= MOST_ATTACHMENTS:
        raise Problem(409, "too_many", f"An order has at most {MOST_ATTACHMENTS} photos and videos.")
    attachment = Attachment(
        order=order.id,
        vehicle=order.vehicle,
        line=line,
        media_type=media_type,
        size=len(body),
        content=service.media.put(body),
        author=caller.name,
        caption=caption,
        created_ns=service.clock(),
    )
    if not service.store.change_paper(None, attachment):
        attachment = service.store.paper(Attachment, attachment.id) or attachment
    return attachment_json(attachment)


@router.get("/{order_id}/attachments")
def list_attachments(order_id: str, service: Served, caller: OrderViewer) -> dict[str, Any]:
    """Photos and videos of an order, first one first."""
    order = order_for(service, order_id, caller)
    return {"attachments": [attachment_json(each) for each in service.store.papers(Attachment, order=order.id)]}


@router.get(
    "/{order_id}/attachments/{content}",
    response_class=Response,
    responses={200: {"content": {kind: {} for kind in _TYPES}, "description": "the photo or video"}},
)
def show_attachment(order_id: str, content: str, service: Served, caller: OrderViewer) -> Response:
    """One photo or video by its SHA-256."""
    return media_of(service, order_for(service, order_id, caller).id, content)


def media_of(service: Service, order_id: str, content: str) -> Response:
    """The bytes of an attachment of this order.

    Raises:
        Problem: 404 where the order has none of this SHA-256.
    """
    known = next((each for each in service.store.papers(Attachment, order=order_id) if each.content == content), None)
    data = None if known is None else service.media.get(known.content)
    if known is None or data is None:
        raise Problem(404, "attachment_unknown", "The order has no such photo or video.")
    return Response(data, media_type=known.media_type, headers=HEADERS)


def attachment_json(attachment: Attachment) -> dict[str, Any]:
    """An attachment as a document."""
    return {
        "content": attachment.content,
        "line": attachment.line or None,
        "media_type": attachment.media_type,
        "size": attachment.size,
        "author": attachment.author,
        "caption": attachment.caption,
        "created": rfc3339(attachment.created_ns),
        "path": f"/api/v1/orders/{attachment.order}/attachments/{attachment.content}",
    }
