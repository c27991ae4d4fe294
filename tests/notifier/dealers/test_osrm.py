"""A road service that answers, answers nonsense, or does not answer."""

from __future__ import annotations

import httpx
import pytest

from domain.errors import RoadError
from notifier.dealers.osrm import OsrmRoads

HERE, THERE, ISLAND = (31.2304, 121.4737), (31.3, 121.5), (30.0, 122.4)


def roads(answer: httpx.Response | Exception, asked: list[str]) -> OsrmRoads:
    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if isinstance(answer, Exception):
            raise answer
        return answer

    return OsrmRoads(httpx.Client(base_url="http://roads.example", transport=httpx.MockTransport(handle)))


def test_ways_are_kilometres_and_hours_and_no_way_is_infinite() -> None:
    asked: list[str] = []
    document = {"code": "Ok", "distances": [[0, 12_500.0, None]], "durations": [[0, 1_800.0, None]]}
    ways = roads(httpx.Response(200, json=document), asked).ways(HERE, [THERE, ISLAND])
    assert ways.km.tolist() == [12.5, float("inf")]
    assert ways.hours.tolist() == [0.5, float("inf")]
    (url,) = asked
    assert "/table/v1/driving/121.473700,31.230400;121.500000,31.300000;122.400000,30.000000" in url
    assert "sources=0" in url


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(302, headers={"location": "http://elsewhere.example"}),
        httpx.Response(200, text="busy"),
        httpx.Response(200, json={"code": "InvalidQuery"}),
        httpx.Response(200, json={"distances": [[0, 1.0]], "durations": [[0, 1.0]]}),
        httpx.Response(200, json={"distances": [[0, -1.0, 2.0]], "durations": [[0, 1.0, 2.0]]}),
        httpx.Response(200, json={"distances": [[0, "x", 2.0]], "durations": [[0, 1.0, 2.0]]}),
        httpx.Response(200, json=[1]),
        httpx.ConnectTimeout("slow"),
    ],
)
def test_whatever_else_comes_is_a_road_error_and_the_service_is_left_alone_for_a_while(
    answer: httpx.Response | Exception,
) -> None:
    asked: list[str] = []
    service = roads(answer, asked)
    for _ in range(1 + OsrmRoads.REST_CALLS):
        with pytest.raises(RoadError):
            service.ways(HERE, [THERE, ISLAND])
    assert (len(asked), service.failures) == (1, 1)
    with pytest.raises(RoadError):
        service.ways(HERE, [THERE, ISLAND])
    assert len(asked) == 2
