"""What is expected of one vehicle's next trip, learnt trip by trip, and the running sums of how trips deviate from it.

The value of a trip is expected to be linear in its operating point. What the fleet knows is the prior of the coefficients and of the
scatter; the vehicle's first trips move both (Bayesian linear regression with a normal-inverse-gamma prior, O'Hagan & Forster,
Kendall's Advanced Theory of Statistics 2B, chapter 11), so that a vehicle with a short history is compared with the fleet, one with a
long one with itself. Then the baseline stands still, so that a slow drift cannot hide in it. Deviations go into a two-sided
cumulative sum (Page, Biometrika 41:100, 1954).
"""

from __future__ import annotations

import math
from typing import Any

# a vehicle's row of state for `judge_trips`; then q coefficients (level first) and their q × q covariance
LEARNT, SCALE_A, SCALE_B, WATCH, ALERT, RETURNED = 0, 1, 2, 3, 4, 5
HIGH, LOW = 6, 10
"""Each side: sum, trips in it, mean of their last deviations, since when (s)."""
COEFFICIENTS = 14

GUARD = 1.0
"""A deviation counts as far as it exceeds so many standard errors of what is expected: trips share that error, so that sums of
them would take it for a drift."""
CLIP = 4.0
"""What one trip can say at most, in standard deviations."""
LEARNABLE = 3.5
"""What is learnt from one trip at most, in standard deviations: an odd one widens the scatter a little, and moves nothing far."""
RECENT = 0.2
"""Weight of the last trip in the mean deviation, so that a ramp is told by where it stands."""
RETURN_TRIPS = 5
RETURN_SHARE = 0.5
"""An episode is over after so many trips in a row that lie within this share of its mean deviation."""
WATCH_RAISED, ALERT_RAISED, REPEATED, WATCH_CLEARED, ALERT_CLEARED = 1, 2, 4, 8, 16

# what `judge_trips` tells of each trip, then its q coefficients before learning from it
SAID, EXPECTED, NOISE, ERROR, MEAN, TOTAL, TRIPS, SINCE_S, SIDE = 0, 1, 2, 3, 4, 5, 6, 7, 8
TOLD = 9


def limit_for_budget(false_alarms_per_trip: float, allowance: float) -> float:
    """The running sum that normal deviations of a known baseline pass, on either side, at this rate.

    Siegmund's approximation (Sequential Analysis, 1985, chapter 2), solved by bisection.
    """

    def rate(limit: float) -> float:
        reach = 2.0 * allowance * (limit + 1.166)
        return 2.0 * 2.0 * allowance**2 / (math.exp(reach) - reach - 1.0)

    low, high = 0.0, 200.0 / allowance
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if rate(middle) > false_alarms_per_trip else (low, middle)
    return high


def judge_trips(  # noqa: C901 (a kernel calls no functions, so that any compiler can take it)
    slot: Any,
    start_s: Any,
    value: Any,
    weight: Any,
    points: Any,
    state: Any,
    trips_to_learn: float,
    least_scale: float,
    allowance: float,
    watch_at: float,
    alert_at: float,
    alert_high: float,
    alert_low: float,
    watch_high: float,
    watch_low: float,
    out: Any,
) -> None:
    """Take in trips one by one: compare with what is expected, add to the running sums, learn.

    Args:
        points: [n, q], 1 and the operating point. alert_high to watch_low: mean deviation that is worth telling, infinite for a side
            that does not matter. out: [n, TOLD + 2 q], the last q are for working.
    """
    q = points.shape[1]
    covariance = COEFFICIENTS + q
    for n in range(len(slot)):
        s, x = state[slot[n]], points[n]
        expected, unsure = 0.0, 0.0
        for i in range(q):
            expected += s[COEFFICIENTS + i] * x[i]
            out[n, TOLD + i] = s[COEFFICIENTS + i]
            for j in range(q):
                unsure += x[i] * s[covariance + i * q + j] * x[j]
        noise = math.sqrt(max(s[SCALE_B] / s[SCALE_A], least_scale * least_scale) / weight[n])
        error = value[n] - expected
        guard = GUARD * math.sqrt(max(0.0, unsure))
        score = math.copysign(min(max(0.0, abs(error) - guard) / noise, CLIP), error)
        worth = alert_high if error > 0.0 else alert_low
        tame = math.copysign(min(abs(error), max(guard + CLIP * noise, 2.0 * worth)), error)
        open_side = s[ALERT] if s[ALERT] != 0.0 else s[WATCH]
        size = s[HIGH + 2] if open_side > 0.0 else s[LOW + 2]
        for side in (1.0, -1.0):
            at = HIGH if side > 0.0 else LOW
            total = s[at] + side * score - allowance
            if total <= 0.0:
                s[at : at + 4] = 0.0
            else:
                if s[at + 1] == 0.0:
                    s[at + 3] = start_s[n]
                s[at] = total
                s[at + 1] += 1.0
                s[at + 2] += max(1.0 / s[at + 1], RECENT) * (tame - s[at + 2])
        said = 0
        told = open_side
        if open_side != 0.0:
            at = HIGH if open_side > 0.0 else LOW
            if error * open_side < RETURN_SHARE * size * open_side or s[at + 1] == 0.0:
                s[RETURNED] += 1.0
                # the size of the deviation stays what it was, for the next trips to be held against
                s[at + 2] = size if s[at + 1] > 0.0 else 0.0
            else:
                s[RETURNED] = 0.0
                said = REPEATED
            if s[RETURNED] >= RETURN_TRIPS:
                said = (WATCH_CLEARED if s[WATCH] != 0.0 else 0) + (ALERT_CLEARED if s[ALERT] != 0.0 else 0)
                s[WATCH] = 0.0
                s[ALERT] = 0.0
                s[RETURNED] = 0.0
                s[at : at + 4] = 0.0
        if said < WATCH_CLEARED:
            for side in (1.0, -1.0):
                at = HIGH if side > 0.0 else LOW
                if s[at + 1] == 0.0 or (open_side != 0.0 and side != open_side):
                    continue
                mean = side * s[at + 2]
                if s[at] > alert_at and s[ALERT] == 0.0 and mean >= (alert_high if side > 0.0 else alert_low):
                    s[ALERT] = side
                    said = (said | ALERT_RAISED) & ~REPEATED
                    told = side
                if s[at] > watch_at and s[WATCH] == 0.0 and mean >= (watch_high if side > 0.0 else watch_low):
                    s[WATCH] = side
                    said = (said | WATCH_RAISED) & ~REPEATED
                    told = side
                if told != 0.0 and open_side == 0.0:
                    break
        side = told if told != 0.0 else (1.0 if s[HIGH] >= s[LOW] else -1.0)
        at = HIGH if side > 0.0 else LOW
        out[n, SAID] = said
        out[n, EXPECTED] = expected
        out[n, NOISE] = noise
        out[n, ERROR] = error
        out[n, MEAN] = s[at + 2] if s[at + 1] > 0.0 else error
        out[n, TOTAL] = s[at]
        out[n, TRIPS] = s[at + 1]
        out[n, SINCE_S] = s[at + 3]
        out[n, SIDE] = side
        spread = unsure + noise * noise
        if s[LEARNT] < trips_to_learn and s[WATCH] == 0.0 and s[ALERT] == 0.0:
            learnt = math.copysign(min(abs(error), LEARNABLE * math.sqrt(spread)), error)
            for i in range(q):
                gain = 0.0
                for j in range(q):
                    gain += s[covariance + i * q + j] * x[j]
                out[n, TOLD + q + i] = gain
            for i in range(q):
                s[COEFFICIENTS + i] += out[n, TOLD + q + i] * learnt / spread
                for j in range(q):
                    s[covariance + i * q + j] -= out[n, TOLD + q + i] * out[n, TOLD + q + j] / spread
            s[SCALE_A] += 0.5
            s[SCALE_B] += 0.5 * learnt * learnt * weight[n] * noise * noise / spread
            s[LEARNT] += 1.0
