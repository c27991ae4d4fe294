"""Finding the message of every frame, and putting frames and their payloads in order of message: kernels as those of `ingest.kernels`.

They are several because compilers make better loops out of each alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def match_frames(  # noqa: C901 -- one self-contained kernel; calls would not compile through an injected jit
    can_id: NDArray[np.uint32],
    length: NDArray[np.uint8],
    flags: NDArray[np.uint8],
    vehicle: NDArray[np.int32],
    bus: NDArray[np.uint8],
    vehicle_ok: NDArray[np.bool_],
    bus_ok: NDArray[np.bool_],
    everybody: bool,
    standard: NDArray[np.int32],
    groups: NDArray[np.int32],
    exact_slots: NDArray[np.uint32],
    exact_messages: NDArray[np.int32],
    masked: NDArray[np.uint32],
    messages: NDArray[Any],
    message: NDArray[np.int32],
    first: NDArray[np.int64],
    short: NDArray[np.int64],
) -> None:
    """Message number of every frame into `message` (m: none); too short frames of each message into `short` (m long, zero before).

    Into `first` (m + 2 long): where the frames of each message begin in an order by message, and its end. `everybody`: every
    vehicle and bus is ok. `standard` to `masked`: as in `ingest.identifiers`.
    """
    n, total = len(can_id), len(short)
    none = np.int32(total)
    odd, any_id, every_id = np.uint8(0), np.uint32(0), np.uint32(0xFFFF_FFFF)
    for i in range(n):
        odd |= flags[i]
    for i in range(n):
        any_id |= can_id[i]
        every_id &= can_id[i]
    # remote and error frames, and what is no CAN frame (`columns.NO_SIGNALS`), carry no signals
    plain = everybody and odd & np.uint8(0xF3) == 0
    count = np.zeros(total + 1, np.uint32)
    by_group_alone = len(exact_slots) == 1 and len(masked) == 0
    if plain and any_id & np.uint32(0x8000_0000) == 0:
        for i in range(n):
            number = standard[can_id[i] & np.uint32(0x7FF)]
            message[i] = number
            count[np.uint64(np.uint32(number))] += np.uint32(1)
    elif plain and by_group_alone and every_id & np.uint32(0x8000_0000) != 0:
        last_group = np.uint32(len(groups) - 1)
        for i in range(n):
            number = groups[(can_id[i] >> np.uint32(8)) & last_group]
            message[i] = number
            count[np.uint64(np.uint32(number))] += np.uint32(1)
    elif plain and by_group_alone:
        last_group = np.uint32(len(groups) - 1)
        for i in range(n):
            identifier = can_id[i]
            by_group = groups[(identifier >> np.uint32(8)) & last_group]
            by_standard = standard[identifier & np.uint32(0x7FF)]
            number = by_group if identifier & np.uint32(0x8000_0000) != 0 else by_standard
            message[i] = number
            count[np.uint64(np.uint32(number))] += np.uint32(1)
    else:
        # few identifiers come again and again: what was looked up is remembered, by a hash of the identifier
        memo_id = np.zeros(4096, np.uint32)
        memo_message = np.full(4096, none, np.int32)
        last = np.uint64(len(exact_slots) - 1)
        last_group = np.uint32(len(groups) - 1)
        for i in range(n):
            number = none
            if flags[i] & np.uint8(0xF3) == 0 and vehicle_ok[np.uint32(vehicle[i])] and bus_ok[bus[i]]:
                identifier = can_id[i]
                hashed = np.uint64(identifier) * np.uint64(0x9E3779B1)
                at = (hashed >> np.uint64(20)) & np.uint64(4095)
                if identifier & np.uint32(0x8000_0000) == 0:
                    number = standard[identifier & np.uint32(0x7FF)]
                elif memo_id[at] == identifier:
                    number = memo_message[at]
                else:
                    slot = (hashed >> np.uint64(15)) & last
                    while exact_slots[slot] != np.uint32(0xFFFF_FFFF) and exact_slots[slot] != identifier:
                        slot = (slot + np.uint64(1)) & last
                    number = exact_messages[slot]
                    if number == none:
                        for k in range(len(masked)):
                            if identifier & masked[k, 0] == masked[k, 1]:
                                number = np.int32(masked[k, 2])
                    if number == none:
                        number = groups[(identifier >> np.uint32(8)) & last_group]
                    memo_id[at], memo_message[at] = identifier, number
            message[i] = number
            count[np.uint64(np.uint32(number))] += np.uint32(1)
    first[0] = 0
    for m in range(total + 1):
        first[m + 1] = first[m] + np.int64(count[m])
    # a message that occurs and the shortest frame tell at once, mostly, that none is too short
    needed = np.zeros(total + 1, np.int32)
    most = np.int32(0)
    for m in range(total):
        if count[m] > np.uint32(0):
            needed[m] = messages["min_bytes"][m]
            most = max(most, needed[m])
    least = np.uint8(255)
    for i in range(n):
        least = min(least, length[i])
    if np.int32(least) < most:
        lacking = np.int32(0)
        for i in range(n):
            lacking |= np.int32(length[i]) - needed[np.uint64(np.uint32(message[i]))]
        if lacking < 0:
            for i in range(n):
                if np.int32(length[i]) < needed[message[i]]:
                    short[message[i]] += 1


def order_frames(
    message: NDArray[np.int32],
    first: NDArray[np.int64],
    payload: NDArray[np.uint64],
    order: NDArray[np.int64],
    words: NDArray[np.uint64],
) -> None:
    """The frames of each message, in their order, into `order`; their payloads, so, into the beginning of `words`. `first`: as above."""
    place = np.empty(len(first), np.uint32)
    for m in range(len(first)):
        place[m] = np.uint32(first[m])
    # unsigned indices: one that might be negative costs a test each time
    for i in range(len(message)):
        number = np.uint64(np.uint32(message[i]))
        k = np.uint64(place[number])
        place[number] = np.uint32(k + np.uint64(1))
        order[k] = i
        words[k] = payload[i]


def order_long_frames(  # noqa: C901 -- one self-contained kernel; calls would not compile through an injected jit
    message: NDArray[np.int32],
    first: NDArray[np.int64],
    short: NDArray[np.int64],
    payload: NDArray[np.uint64],
    length: NDArray[np.uint8],
    arena_offset: NDArray[np.int64],
    arena: NDArray[np.uint8],
    messages: NDArray[Any],
    windows: NDArray[Any],
    order: NDArray[np.int64],
    words: NDArray[np.uint64],
    further: NDArray[np.int64],
) -> None:
    """As `order_frames`, where messages have several windows: all but the first of each message into `words`, behind the payloads.

    One column of words per window, frames as in `order`; bytes past the payload are zero. Into `further` (m long): where those of
    each message begin.
    """
    n, total = len(message), len(messages)
    column = np.int64(n)
    for m in range(total):
        further[m] = column
        column += (messages["last_window"][m] - messages["first_window"][m] - 1) * (first[m + 1] - first[m])
    place = first.copy()
    before = first.copy()
    begin = np.empty(8192, np.int64)
    # so many frames at a time that the second cache holds their payloads until they are read again, message by message
    for low in range(0, n, 8192):
        high = min(n, low + 8192)
        for m in range(total):
            before[m] = place[m]
        for i in range(low, high):
            number = np.uint64(np.uint32(message[i]))
            at = np.uint64(place[number])
            place[number] = np.int64(at + np.uint64(1))
            order[at] = i
            words[at] = payload[i]
        # payloads come from memory as a stream where they are read as they lie; in order of message each would be waited for
        head, tail = low, high - 1
        while head < tail and arena_offset[head] < 0:
            head += 1
        while head < tail and arena_offset[tail] < 0:
            tail -= 1
        if arena_offset[head] >= 0 and arena_offset[tail] - arena_offset[head] <= 64 * 8192:
            seen = np.uint8(0)
            for line in range(arena_offset[head], arena_offset[tail], 64):
                seen |= arena[line]
            begin[0] = seen  # compilers leave out what nobody keeps
        for m in range(total):
            first_window, last_window = messages["first_window"][m], messages["last_window"][m]
            start = before[m]
            size = place[m] - start
            if first_window + 1 == last_window or size == 0:
                continue
            rows = order[start : start + size]
            lowest = np.int64(0)
            for k in range(size):
                begin[k] = arena_offset[np.uint64(rows[k])]
                lowest = min(lowest, begin[k])
            for w in range(first_window + 1, last_window):
                window = windows["byte_offset"][w]
                column = further[m] + (w - first_window - 1) * (first[m + 1] - first[m]) + start - first[m]
                out = words[column : column + size]
                if lowest == 0 and short[m] == 0 and window + 8 <= messages["min_bytes"][m]:
                    for k in range(size):
                        # spelt out, it becomes one load
                        b = np.uint64(begin[k] + window)
                        out[k] = (
                            np.uint64(arena[b])
                            | np.uint64(arena[b + np.uint64(1)]) << np.uint64(8)
                            | np.uint64(arena[b + np.uint64(2)]) << np.uint64(16)
                            | np.uint64(arena[b + np.uint64(3)]) << np.uint64(24)
                            | np.uint64(arena[b + np.uint64(4)]) << np.uint64(32)
                            | np.uint64(arena[b + np.uint64(5)]) << np.uint64(40)
                            | np.uint64(arena[b + np.uint64(6)]) << np.uint64(48)
                            | np.uint64(arena[b + np.uint64(7)]) << np.uint64(56)
                        )
                else:
                    for k in range(size):
                        gathered = np.uint64(0)
                        if begin[k] >= 0:
                            for c in range(min(np.int64(8), np.int64(length[rows[k]]) - window)):
                                gathered |= np.uint64(arena[begin[k] + window + c]) << np.uint64(8 * c)
                        elif window < 8:
                            gathered = words[start + k] >> np.uint64(8 * window)
                        out[k] = gathered


def count_above_limits(
    chosen: NDArray[np.int64],
    first: NDArray[np.int64],
    words: NDArray[np.uint64],
    further: NDArray[np.int64],
    messages: NDArray[Any],
    windows: NDArray[Any],
    above: NDArray[np.int64],
) -> None:
    """Raw values above their limits, of the `chosen` (countable) messages, into `above` (m long).

    All fields of a window at once: each, but its highest bit, is added to what makes it overflow if it is too great; then an
    overflow out of the highest bit is where two of field, addend and carry are set (H. S. Warren, Hacker's Delight, 2-18).
    """
    for j in range(len(chosen)):
        m = chosen[j]
        count = first[m + 1] - first[m]
        found = np.uint64(0)
        for w in range(messages["first_window"][m], messages["last_window"][m]):
            low, high, addend = windows["low"][w], windows["high"][w], windows["addend"][w]
            begin = first[m]
            if w > messages["first_window"][m]:
                begin = further[m] + (w - messages["first_window"][m] - 1) * count
            word = words[begin : begin + count]
            for k in range(count):
                carry = (word[k] & low) + (addend & low)
                over = ((word[k] & addend) | ((word[k] | addend) & carry)) & high
                # the bits that are set, counted by pairs, fours and bytes
                over = over - ((over >> np.uint64(1)) & np.uint64(0x5555555555555555))
                over = (over & np.uint64(0x3333333333333333)) + ((over >> np.uint64(2)) & np.uint64(0x3333333333333333))
                over = (over + (over >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
                over = (over & np.uint64(0xFFFFFFFF)) + (over >> np.uint64(32))
                found += (over * np.uint64(0x01010101)) >> np.uint64(24) & np.uint64(0xFF)
        above[m] = np.int64(found)
