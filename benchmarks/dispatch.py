"""`pitcall bench dispatch`: one decision among many dealers, and a whole batch placed optimally against placed as it comes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.dispatch_demand import DETOUR, Demand, draw_demand
from benchmarks.dispatch_greedy import place_greedily
from domain.findings import Text, Urgency
from domain.fleet import Dealer
from domain.orders import OrderKind
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.dealers.dealer_needs import DealerNeeds
from notifier.dealers.geography import chord_km
from notifier.dispatch import NOWHERE, place

LOAD, SEED = 0.9, 20_261_122
BRANDS = ("Chenxing", "Yunchi", "Qilin")
MONDAY_NS = 1_750_032_000 * 1_000_000_000
"""2025-06-16T00:00:00Z."""

Ints = npt.NDArray[np.int64]


def run(*, orders: int, dealers: int, decisions: int, load: float = LOAD, seed: int = SEED) -> dict[str, Any]:
    """The figures of `bench dispatch --json`; ways are km by road (great circle times 1.3)."""
    demand = draw_demand(orders, dealers, load=load, seed=seed)
    problem = demand.problem()
    began = time.perf_counter()
    greedy = place_greedily(problem)
    greedy_s = time.perf_counter() - began
    began = time.perf_counter()
    optimal = place(problem)
    optimal_s = time.perf_counter() - began
    both = (greedy != NOWHERE) & (optimal.dealer != NOWHERE)
    greedy_km, optimal_km = (road_km(demand, chosen)[both] for chosen in (greedy, optimal.dealer))
    took_ms = _decisions_ms(demand, decisions, seed)
    return {
        "orders": orders,
        "dealers": dealers,
        "decision_p99_ms": _rounded(np.percentile(took_ms, 99)),
        "greedy_s": _rounded(greedy_s),
        "optimal_s": _rounded(optimal_s),
        "mean_km_gain": round(1 - float(optimal_km.mean() / greedy_km.mean()), 4),
        "unplaced": {"greedy": int((greedy == NOWHERE).sum()), "optimal": int((optimal.dealer == NOWHERE).sum())},
        "over_capacity": _over_capacity(demand, optimal.dealer),
        "decision_p50_ms": _rounded(np.percentile(took_ms, 50)),
        "km": {"greedy": _ways(greedy_km), "optimal": _ways(optimal_km)},
        "proven_optimal": optimal.proven,
        "rounds": optimal.rounds,
        "load": load,
        "seed": seed,
    }


def road_km(demand: Demand, chosen: Ints) -> npt.NDArray[np.float64]:
    """(n,) way of each order to its dealer by road, 0 where it has none."""
    problem = demand.problem()
    placed = chosen != NOWHERE
    km = np.zeros(len(chosen))
    km[placed] = DETOUR * chord_km(np.linalg.norm(problem.orders[placed] - problem.dealers[chosen[placed]], axis=1))
    return km


def _over_capacity(demand: Demand, chosen: Ints) -> int:
    """Orders above their dealer's room, and orders at a dealer that cannot do them."""
    placed = chosen != NOWHERE
    taken = np.bincount(chosen[placed], minlength=len(demand.dealers))
    unable = demand.electric[placed] & ~demand.equipped[chosen[placed]]
    return int(np.maximum(taken - demand.room, 0).sum() + unable.sum())


def _decisions_ms(demand: Demand, count: int, seed: int) -> npt.NDArray[np.float64]:
    """Milliseconds of single decisions at a network of these dealers: brand, capability, parts, hours, score and reasons."""
    rng = np.random.default_rng(seed + 1)
    network = DealerNetwork([
        Dealer(
            id=f"d{row:06}",
            name=Text(en=f"Workshop {row}", zh=f"维修站 {row}"),
            latitude=float(place[0]),
            longitude=float(place[1]),
            brands=() if row % 4 == 0 else (BRANDS[row % 3],),
            capabilities=("engine", "hv") if demand.equipped[row] else ("engine",),
            stock=((f"P{row % 20}", 3),),
        )
        for row, place in enumerate(demand.dealers)
    ])  # fmt: skip
    took = []
    for row in rng.integers(0, len(demand.orders), count).tolist():
        needs = DealerNeeds(
            kind=OrderKind.SERVICE,
            urgency=(Urgency.TODAY, Urgency.SOON, Urgency.NEXT)[row % 3],
            time_ns=MONDAY_NS + row * 1_000_000_000,
            location=(float(demand.orders[row, 0]), float(demand.orders[row, 1])),
            brand=BRANDS[row % 3],
            capabilities=("hv",) if demand.electric[row] else ("engine",),
            parts=((f"P{row % 20}", 1),),
        )
        began = time.perf_counter()
        network.decide(needs)
        took.append(1e3 * (time.perf_counter() - began))
    return np.array(took)


def _ways(km: npt.NDArray[np.float64]) -> dict[str, float]:
    return {
        "mean": _rounded(km.mean()),
        "p50": _rounded(np.percentile(km, 50)),
        "p95": _rounded(np.percentile(km, 95)),
        "p99": _rounded(np.percentile(km, 99)),
    }


def _rounded(value: float | np.floating[Any]) -> float:
    return float(f"{float(value):.4g}")
