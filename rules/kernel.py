"""The kernel: interprets the rules' programs over an ordered stream of samples, many vehicles at once.

Self-contained over arrays and scalars, so that it can be compiled or run as it is; the op codes are therefore written as
numbers in it, and `rules.program.Op` gives them their names. Times are event times in ns.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

NEVER = -(2**62)
"""A time before all times; any value from then is stale, and a timer since then does not run."""

STACK_DEPTH = 64

IntArray = NDArray[Any]
"""An integer array; the element type is said where it is described."""
FloatArray = NDArray[Any]


def run_rules(  # noqa: C901 - one function by design: a kernel calls nothing
    begin: int,
    time_ns: IntArray,
    slot: IntArray,
    column: IntArray,
    value: FloatArray,
    stale_ns: IntArray,
    listener_start: IntArray,
    listener: IntArray,
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
    last_time: IntArray,
    last_value: FloatArray,
    active: IntArray,
    since: IntArray,
    began: IntArray,
    known_until: IntArray,
    muted: IntArray,
    event_where: IntArray,
    event_time: IntArray,
    event_value: FloatArray,
) -> tuple[int, int]:
    """Apply rows from `begin` on, group by group; stop where the events could overflow.

    Args:
        time_ns, slot, column, value: n rows sorted by slot-group and time; column -1 = tick, -2 = end-of-drive tick.
        stale_ns: slots × columns. listener_*: rules that each column wakes (compressed rows). input_*: columns that decide each
            rule. shown_*: columns whose values an event carries.
        code_start: per rule 4 bounds: gate, raising, clearing program and their end. op, operand: instructions.
        hold_ns: rules × (for, clear_for). pauses: rules × (unknown resets, closed gate holds).
        last_time, last_value: slots × columns. active, since, began, known_until: slots × rules; since NEVER = the timer does not
            run. muted: slots × rules, 1 where the rule does not concern the vehicle.
        event_where: events × (rule, slot, 1 raised | 0 cleared). event_time: events × (now, began, counted from).

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
        while row < len(time_ns) and time_ns[row] == now and slot[row] == car:
            c = column[row]
            if c < 0:
                tick = max(tick, -c)
            else:
                last_time[car, c] = now
                last_value[car, c] = value[row]
                for k in range(listener_start[c], listener_start[c + 1]):
                    r = listener[k]
                    if mark[r] != first:
                        mark[r] = first
                        woken[count] = r
                        count += 1
            row += 1
        if tick > 0:
            count = rules
        for w in range(count):
            r = w if tick > 0 else woken[w]
            if muted[car, r]:
                continue
            # Gate, then the raising or the clearing condition: 1 true, 0 false, NaN unknown.
            result = 1.0
            closed = False
            for part in range(2):
                which = 0 if part == 0 else 2 if active[car, r] else 1
                lo = code_start[r, which]
                hi = code_start[r, which + 1]
                if lo == hi:
                    continue
                top = -1
                for i in range(lo, hi):
                    o = op[i]
                    if o == 0:  # constant
                        top += 1
                        stack[top] = constant[operand[i]]
                    elif o == 1:  # column, unknown once stale
                        top += 1
                        c = operand[i]
                        if now - last_time[car, c] > stale_ns[car, c]:
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
                result = stack[0]
                if part == 0:
                    if result == 0.0:
                        closed = True
                        break
                    if result != result:
                        break
            unknown = result != result
            # The time in which inputs were stale since the last evaluation does not count, or ends the count.
            if since[car, r] != NEVER and now > known_until[car, r]:
                if pauses[r, 0]:
                    since[car, r] = NEVER
                else:
                    since[car, r] += now - known_until[car, r]
            waits = (unknown and not pauses[r, 0]) or (closed and pauses[r, 1])
            if waits:
                known_until[car, r] = now
            elif unknown or result == 0.0:
                since[car, r] = NEVER
            else:
                if since[car, r] == NEVER:
                    since[car, r] = now
                    began[car, r] = now
                lasts = -NEVER
                for k in range(input_start[r], input_start[r + 1]):
                    c = input_column[k]
                    ends = last_time[car, c] + stale_ns[car, c]
                    if now <= ends < lasts:
                        lasts = ends
                known_until[car, r] = lasts
                if now - since[car, r] >= hold_ns[r, 1 if active[car, r] else 0]:
                    active[car, r] = 0 if active[car, r] else 1
                    event_where[events, 0] = r
                    event_where[events, 1] = car
                    event_where[events, 2] = active[car, r]
                    event_time[events, 0] = now
                    event_time[events, 1] = began[car, r]
                    event_time[events, 2] = since[car, r]
                    for k in range(shown_start[r], shown_start[r + 1]):
                        c = shown_column[k]
                        if now - last_time[car, c] > stale_ns[car, c]:
                            event_value[events, k - shown_start[r]] = float("nan")
                        else:
                            event_value[events, k - shown_start[r]] = last_value[car, c]
                    events += 1
                    since[car, r] = NEVER
            if tick > 1:
                since[car, r] = NEVER
    return row, events
