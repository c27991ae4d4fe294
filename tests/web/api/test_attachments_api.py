"""Photos and videos of an order: who may send and see them, and what is taken."""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.media import media_type_of
from domain.owners import OwnerLink
from storage.media_folder import MediaFolder, MemoryMedia
from tests.web.pages.test_owner_page import calm, link
from tests.web.serving import ORDER, client, store
from web.api import attachments
from web.api.access import key_hash

PATH = f"/api/v1/orders/{ORDER}/attachments"
KEYS = {key_hash("dealer"): ("dealer:SH-014",), key_hash("other"): ("dealer:SH-022",), key_hash("desk"): ("orders",)}


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\xff\0\0"))
    + _chunk(b"IEND", b"")
)


def send(web: Any, data: bytes = PNG, query: str = "?line=1&caption=worn", **headers: str) -> Any:
    return web.post(f"{PATH}{query}", content=data, headers={"content-type": "image/png", **headers})


def test_a_photo_is_kept_once_and_shown_to_the_orders_parties_alone() -> None:
    served = calm(store())
    with client(served, keys=KEYS, headers={"X-API-Key": "dealer"}) as web:
        first, again = send(web), send(web)
        assert (first.status_code, first.json()) == (201, again.json())
        assert (first.json()["content"], first.json()["size"]) == (hashlib.sha256(PNG).hexdigest(), len(PNG))
        assert web.get(PATH).json()["attachments"] == [first.json()]
        shown = web.get(first.json()["path"])
        assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
        assert shown.headers["x-content-type-options"] == "nosniff"
        for key, status in (("other", 404), ("desk", 200)):
            assert web.get(first.json()["path"], headers={"X-API-Key": key}).status_code == status
        assert web.get(PATH, headers={"X-API-Key": "other"}).status_code == 404
        assert web.get(f"{PATH}/{'0' * 64}").status_code == 404


def test_the_owner_sees_it_beside_its_line_and_no_longer_than_the_link() -> None:
    served = calm(store())
    with client(served) as web:
        content = send(web).json()["content"]
        path = link(web, "track")
        page = web.get(path).text
        assert f'<img src="{path}/media/{content}" alt="worn"' in page
        assert web.get(f"{path}/media/{content}").content == PNG
        assert web.get(f"{path}/media/none").status_code == 404
        (row,) = served.papers(OwnerLink)
        web.post(f"/api/v1/vehicles/{row.vehicle}/ownership-changes")
        assert web.get(f"{path}/media/{content}").status_code == 404


@pytest.mark.parametrize("data", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html>", b"GIF89a", b"\x89PNG"])
def test_what_is_no_photo_or_video_is_refused_whatever_its_sender_says(data: bytes) -> None:
    with client(calm(store())) as web:
        assert send(web, data).status_code == 415


def test_what_is_too_large_or_too_many_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MOST_BYTES", 100)
    monkeypatch.setattr(attachments, "MOST_ATTACHMENTS", 1)
    with client(calm(store())) as web:
        assert send(web, PNG + b"\0" * 100).status_code == 413
        assert send(web).status_code == 201
        assert send(web, PNG + b"\0").status_code == 409


@given(data=st.binary(max_size=64))
def test_any_bytes_are_told_apart_without_an_error(data: bytes) -> None:
    assert media_type_of(data) in ("", "image/jpeg", "image/png", "image/webp", "video/mp4")


@pytest.mark.parametrize("data", [b"\xff\xd8\xff\xe0x", b"RIFF1234WEBPx", b"\0\0\0\x20ftypisom"])
def test_files_are_kept_by_their_hash_and_read_only_as_they_were(tmp_path: Path, data: bytes) -> None:
    assert media_type_of(data)
    for kept in (MediaFolder(tmp_path / "media"), MemoryMedia()):
        content = kept.put(data)
        assert (kept.put(data), kept.get(content)) == (content, data)
        assert [kept.get(name) for name in ("", "../" + content, "0" * 64)] == [None] * 3
    (file,) = [each for each in (tmp_path / "media").rglob("*") if each.is_file()]
    file.write_bytes(b"altered")
    assert MediaFolder(tmp_path / "media").get(file.name) is None
