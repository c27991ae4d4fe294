"""The kernel: interprets the rules' programs over an ordered stream of samples, many vehicles at once.

Self-contained over arrays and scalars, so that it can be compiled or run as it is; the op codes are therefore written as
numbers in it, and `rules.program.Op` gives them their names. Times are event times in ns.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

NEVER = -(2**62)
"""A time before all times; any value from then is stale, and a timer since then does not run."""
FOREVER = 2**61
"""How long a value may be used that holds until the next one: more than any recording lasts, less than since `NEVER`."""

STACK_DEPTH = 64

IntArray = NDArray[Any]
"""An integer array; the element type is said where it is described."""
FloatArray = NDArray[Any]


def run_rules(  # noqa: C901 - one function by design: a kernel calls nothing
    begin: int,
    probes: bool,
    time_ns: IntArray,
    slot: IntArray,
    column: IntArray,
    value: FloatArray,
    kind_of: IntArray,
    stale_ns: IntArray,
    muted: IntArray,
    listener_start: IntArray,
    listener: IntArray,
    untouched: IntArray,
    input_start: IntArray,
    input_column: IntArray,
    shown_start: IntArray,
    shown_column: IntArray,
    code_start: IntArray,
    op: IntArray,
    operand: IntArray,
    constant: FloatArray,
    hold_ns: IntArray,
    pauses: IntArray,
    mark_of: IntArray,
    last_time: IntArray,
    last_value: FloatArray,
    active: IntArray,
    doubts: IntArray,
    since: IntArray,
    paused_ms: IntArray,
    known_until: IntArray,
    marks: IntArray,
    event_where: IntArray,
    event_time: IntArray,
    event_value: FloatArray,
) -> tuple[int, int]:
    """Apply rows from `begin` on, group by group; stop where the events could overflow.

    Args:
        time_ns, slot, column, value: n rows sorted by slot-group and time; column -1 = tick, -2 = end-of-drive tick, -3 = not read.
        probes: only evaluate: every woken "rule" gives an event with the values of its three programs.
        kind_of: slot -> kind of vehicle, the row of stale_ns (kinds × columns), of muted (kinds × rules, 1 where the rule does not
            concern the vehicle) and of constant. listener_*: rules that each column wakes (compressed rows). untouched: for each listener
            the parts of its condition that the column does not decide. input_*: columns that decide each rule.
            shown_*: columns whose values an event carries.
        code_start: per rule 4 bounds: gate, raising, clearing program and their end. op, operand: instructions; constant: kinds × numbers.
        hold_ns: rules × (for, clear_for, keep_firing_for, min_interval). pauses: rules × (0 unknown holds | 1 unknown resets |
            2 any missing input is unknown, closed gate holds, raises on an edge only).
        mark_of: rules × (when it last held, when it last raised, first record of the drive), columns of `marks`, -1 = not kept.
        last_time, last_value: slots × columns. marks: slots × times.
        active (bit 0 raised, bit 1 seen false), doubts (parts of the condition for which it sleeps, see below), since (later by the gaps
            that do not count; NEVER = the timer does not run), paused_ms (those gaps), known_until: slots × rules.
        event_where: events × (rule, slot, 1 raised | 0 cleared, last row of its time); of a probe the third is bit 0 an input came,
            bit 1 the drive ends. event_time: events × (now, began, counted from).

    A condition is a conjunction of parts. A rule of which no timer runs and a part did not hold sleeps: it cannot come to hold before
    each such part has got a value that differs, since a value that goes stale makes a part unknown at most. So samples of other
    columns, and the same value again, pass it by. Parts that depend on the time of asking are not waited for.

    Returns:
        (row to go on at, number of events).
    """
    rules = len(hold_ns)
    row = begin
    events = 0
    woken = [0] * (rules + 1)
    mark = [-1] * (rules + 1)
    stack = [0.0] * STACK_DEPTH
    while row < len(time_ns):
        if events + rules > len(event_time):
            return row, events
        now = time_ns[row]
        car = slot[row]
        first = row
        count = 0
        tick = 0
        kind = kind_of[car]
        while row < len(time_ns) and time_ns[row] == now and slot[row] == car:
            c = column[row]
            if c < 0:
                if c > -3:
                    tick = max(tick, -c)
            else:
                same = last_value[car, c] == value[row] and now - last_time[car, c] <= stale_ns[kind, c]
                last_time[car, c] = now
                last_value[car, c] = value[row]
                for k in range(listener_start[c], listener_start[c + 1]):
                    r = listener[k]
                    if doubts[car, r]:
                        if same:
                            continue
                        doubts[car, r] &= untouched[k]
                        if doubts[car, r]:
                            continue
                    if mark[r] != first:
                        mark[r] = first
                        woken[count] = r
                        count += 1
            row += 1
        if tick > 0:
            count = rules
        for w in range(count):
            r = w if tick > 0 else woken[w]
            if muted[kind, r] or (probes and tick == 1 and mark[r] != first):
                continue
            awake = mark_of[r, 2]
            if awake >= 0 and mark[r] == first and marks[car, awake] == NEVER:
                marks[car, awake] = now
            on = active[car, r] & 1
            strict = False
            if pauses[r, 0] == 2:
                for k in range(input_start[r], input_start[r + 1]):
                    c = input_column[k]
                    if now - last_time[car, c] > stale_ns[kind, c]:
                        strict = True
            # Gate, then the raising or the clearing condition: 1 true, 0 false, NaN unknown.
            result = 1.0
            closed = False
            doubt = 0
            for part in range(3):
                if strict:
                    result = float("nan")
                    break
                if part == 2 and not probes and (on == 0 or mark_of[r, 0] < 0):
                    break
                which = part
                if not probes and part > 0:
                    which = 3 - part if on else part
                lo = code_start[r, which]
                hi = code_start[r, which + 1]
                if lo == hi:
                    continue
                top = -1
                for i in range(lo, hi):
                    o = op[i]
                    if o == 0:  # constant
                        top += 1
                        stack[top] = constant[kind, operand[i]]
                    elif o == 1:  # column, unknown once stale
                        top += 1
                        c = operand[i]
                        if now - last_time[car, c] > stale_ns[kind, c]:
                            stack[top] = float("nan")
                        else:
                            stack[top] = last_value[car, c]
                    elif o < 5:  # not, negate, absolute
                        x = stack[top]
                        if o == 2:
                            if x == x:
                                stack[top] = 1.0 if x == 0.0 else 0.0
                        elif o == 3:
                            stack[top] = -x
                        else:
                            stack[top] = abs(x)
                    elif o == 22:  # a part of the condition ends here
                        x = stack[top]
                        if x != x or x == 0.0:
                            doubt |= operand[i]
                    elif o == 20:  # absent: longer than the number above since the column's last value, or since the drive began
                        z = float("nan")
                        c = operand[i]
                        if last_time[car, c] != NEVER and marks[car, awake] != NEVER:
                            z = 1.0 if now - max(last_time[car, c], marks[car, awake]) > stack[top] else 0.0
                        stack[top] = z
                    elif o == 21:  # hour of the day, that many hours ahead of UTC
                        stack[top] = ((now + int(stack[top] * 3600000000000.0)) % 86400000000000) / 3600000000000.0
                    else:
                        y = stack[top]
                        top -= 1
                        x = stack[top]
                        both = x == x and y == y
                        z = float("nan")
                        if o == 5:  # and
                            if x == 0.0 or y == 0.0:
                                z = 0.0
                            elif both:
                                z = 1.0
                        elif o == 6:  # or
                            if both:
                                z = 1.0 if x != 0.0 or y != 0.0 else 0.0
                            elif (x == x and x != 0.0) or (y == y and y != 0.0):
                                z = 1.0
                        elif o == 19:  # y, but unknown where x is not true
                            if x == 1.0:
                                z = y
                        elif both:
                            if o == 7:
                                z = x + y
                            elif o == 8:
                                z = x - y
                            elif o == 9:
                                z = x * y
                            elif o == 10:
                                if y != 0.0:
                                    z = x / y
                            elif o == 11:
                                z = min(x, y)
                            elif o == 12:
                                z = max(x, y)
                            elif o == 13:
                                z = 1.0 if x < y else 0.0
                            elif o == 14:
                                z = 1.0 if x <= y else 0.0
                            elif o == 15:
                                z = 1.0 if x > y else 0.0
                            elif o == 16:
                                z = 1.0 if x >= y else 0.0
                            elif o == 17:
                                z = 1.0 if x == y else 0.0
                            else:
                                z = 1.0 if x != y else 0.0
                        stack[top] = z
                if probes:
                    event_value[events, part] = stack[0]
                    continue
                if part == 2:  # as long as `when` holds, the time to keep firing starts anew
                    if stack[0] == 1.0:
                        marks[car, mark_of[r, 0]] = now
                    break
                result = stack[0]
                if part == 0:
                    if result == 0.0:
                        closed = True
                        break
                    if result != result:
                        break
            if probes:
                event_where[events, 0] = r
                event_where[events, 1] = car
                event_where[events, 2] = (1 if mark[r] == first else 0) + (2 if tick > 1 else 0)
                event_where[events, 3] = row - 1
                event_time[events, 0] = now
                events += 1
                if tick > 1 and awake >= 0:
                    marks[car, awake] = NEVER
                continue
            unknown = result != result
            # The time in which inputs were stale since the last evaluation does not count, or ends the count.
            if since[car, r] != NEVER and now > known_until[car, r]:
                if pauses[r, 0] == 1:
                    since[car, r] = NEVER
                else:
                    since[car, r] += now - known_until[car, r]
                    paused_ms[car, r] += (now - known_until[car, r] + 500000) // 1000000
            waits = (unknown and pauses[r, 0] != 1) or (closed and pauses[r, 1])
            if waits:
                if since[car, r] != NEVER:
                    known_until[car, r] = now
            elif unknown or result == 0.0:
                since[car, r] = NEVER
                if pauses[r, 2] and on == 0 and not unknown and not closed:
                    active[car, r] = 2
            elif on == 0 and pauses[r, 2] and active[car, r] == 0:
                since[car, r] = NEVER
            else:
                if since[car, r] == NEVER:
                    since[car, r] = now
                    paused_ms[car, r] = 0
                lasts = -NEVER
                for k in range(input_start[r], input_start[r + 1]):
                    c = input_column[k]
                    ends = last_time[car, c] + stale_ns[kind, c]
                    if last_time[car, c] != NEVER and now <= ends < lasts:
                        lasts = ends
                known_until[car, r] = lasts
                ready = now - since[car, r] >= hold_ns[r, on]
                if ready and on and mark_of[r, 0] >= 0:
                    ready = now - marks[car, mark_of[r, 0]] >= hold_ns[r, 2]
                elif ready and on == 0 and mark_of[r, 1] >= 0:
                    ready = now - marks[car, mark_of[r, 1]] >= hold_ns[r, 3]
                if ready:
                    active[car, r] = 1 - on
                    if on == 0 and mark_of[r, 0] >= 0:
                        marks[car, mark_of[r, 0]] = now
                    if on == 0 and mark_of[r, 1] >= 0:
                        marks[car, mark_of[r, 1]] = now
                    event_where[events, 0] = r
                    event_where[events, 1] = car
                    event_where[events, 2] = 1 - on
                    event_where[events, 3] = row - 1
                    event_time[events, 0] = now
                    event_time[events, 1] = since[car, r] - int(paused_ms[car, r]) * 1000000
                    event_time[events, 2] = since[car, r]
                    for k in range(shown_start[r], shown_start[r + 1]):
                        c = shown_column[k]
                        if now - last_time[car, c] > stale_ns[kind, c]:
                            event_value[events, k - shown_start[r]] = float("nan")
                        else:
                            event_value[events, k - shown_start[r]] = last_value[car, c]
                    events += 1
                    since[car, r] = NEVER
            # What must see `when` false or true all the time does not sleep meanwhile.
            if since[car, r] != NEVER or (pauses[r, 2] and active[car, r] == 0) or (on and mark_of[r, 0] >= 0):
                doubt = 0
            if tick > 1:
                since[car, r] = NEVER
                active[car, r] &= 1
                doubt = 0
                if awake >= 0:
                    marks[car, awake] = NEVER
            doubts[car, r] = doubt
    return row, events
