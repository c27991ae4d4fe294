"""The queue between network thread and consumer: no broker behaviour makes it acknowledge what the consumer did not."""

from __future__ import annotations

from collections import deque
from itertools import count, pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from domain.messages import RawMessage
from ingest.mqtt.inbox import Inbox, Publish
from ingest.mqtt.socket_receiver import PacketReader


def inbox(messages: int = 1000, octets: int = 1_000_000) -> Inbox:
    return Inbox(messages=messages, octets=octets, clock_ns=lambda: 1, on_room=lambda: None)


class RepeatingBroker:
    """Repeats unacknowledged messages on the standing connection at any moment, reuses packet ids at once, and is slow both ways."""

    def __init__(self, packet_ids: int) -> None:
        self.numbers = count()
        self.free = set(range(1, packet_ids + 1))
        self.under_way: dict[int, bytes] = {}
        self.to_client: deque[Publish] = deque()
        self.to_broker: deque[int] = deque()
        self.waiting: deque[bytes] = deque()
        self.forgotten: list[bytes] = []

    def send_new(self) -> None:
        if self.free:
            again = bool(self.waiting)
            packet_id, payload = min(self.free), self.waiting.popleft() if again else b"%d" % next(self.numbers)
            self.free.remove(packet_id)
            self.under_way[packet_id] = payload
            self.to_client.append(Publish("t", payload, packet_id, again))

    def repeat(self, chance: int) -> None:
        if self.under_way:
            packet_id = sorted(self.under_way)[chance % len(self.under_way)]
            self.to_client.append(Publish("t", self.under_way[packet_id], packet_id, True))

    def receive(self) -> None:
        if self.to_broker:
            packet_id = self.to_broker.popleft()
            assert packet_id in self.under_way, "acknowledged twice"
            self.forgotten.append(self.under_way.pop(packet_id))
            self.free.add(packet_id)

    def reconnect(self) -> None:
        self.waiting.extendleft(reversed(self.under_way.values()))
        self.free |= set(self.under_way)
        self.under_way.clear()
        self.to_client.clear()
        self.to_broker.clear()


STEPS = ["new", "repeat", "deliver", "take", "acknowledge", "flush", "receive"]
OPERATIONS = st.lists(st.tuples(st.sampled_from([*STEPS, *STEPS, "reconnect"]), st.integers(0, 9)), min_size=10, max_size=150)


TWO_AGAIN = ["new", "new", "reconnect", "new", "deliver", "take", "acknowledge", "flush", "receive"]
"""Two messages come again on a new connection, one after the other under the same packet id."""


@example([(name, 1) for name in TWO_AGAIN], 2)
@given(OPERATIONS, st.integers(1, 4))
def test_only_what_the_consumer_acknowledged_is_forgotten_by_a_broker_that_repeats_itself(
    operations: list[tuple[str, int]], packet_ids: int
) -> None:
    broker, box = RepeatingBroker(packet_ids), inbox()
    held: list[RawMessage] = []
    done: set[bytes] = set()
    for name, chance in operations:
        if name == "new":
            broker.send_new()
        elif name == "repeat":
            broker.repeat(chance)
        elif name == "deliver" and broker.to_client:
            box.put([broker.to_client.popleft()])
        elif name == "take":
            held += box.take(chance, 0)
        elif name == "acknowledge" and held:
            message = held.pop(chance % len(held))
            done.add(message.payload)
            box.acknowledge([message.token])
        elif name == "flush":
            broker.to_broker.extend(box.packets_to_acknowledge())
        elif name == "receive":
            broker.receive()
        elif name == "reconnect":
            broker.reconnect()
            box.connection_lost()
        assert set(broker.forgotten) <= done
    # nothing gets stuck: with everything taken and acknowledged, the broker holds nothing in the end
    while broker.under_way or broker.waiting:
        left = len(broker.under_way) + len(broker.waiting)
        while broker.waiting and broker.free:
            broker.send_new()
        box.put(broker.to_client)
        broker.to_client.clear()
        box.acknowledge([message.token for message in held + box.take(1000, 0)])
        held.clear()
        broker.to_broker.extend(box.packets_to_acknowledge())
        while broker.to_broker:
            broker.receive()
        assert len(broker.under_way) + len(broker.waiting) < left


def test_the_queue_is_bounded_by_messages_and_by_bytes() -> None:
    for box in (inbox(messages=3), inbox(octets=30)):
        box.put(Publish("t", bytes(10), n, False) for n in (1, 2))
        assert box.has_room
        box.put([Publish("t", bytes(10), 3, False)])
        assert not box.has_room
        box.take(1, 0)
        assert box.has_room


def test_room_is_told_only_to_a_receiver_that_has_stopped_reading() -> None:
    told: list[bool] = []
    box = Inbox(messages=2, octets=100, clock_ns=lambda: 1, on_room=lambda: told.append(True))
    box.put([Publish("t", b"", 1, False)])
    box.take(1, 0)
    assert told == []
    box.put([Publish("t", b"", 2, False), Publish("t", b"", 3, False)])
    box.take(1, 0)
    assert told == [True]


def test_a_lost_connection_drops_what_comes_again_and_keeps_what_does_not() -> None:
    box = inbox()
    box.put([Publish("t", b"once", 0, False), Publish("t", b"again", 1, False)])
    box.connection_lost()
    assert [m.payload for m in box.take(10, 0)] == [b"once"]


STREAM = (
    b"\x20\x02\x00\x00\x32\x0a\x00\x05topic\x00\x01x\xd0\x00\x3b\xd1\x01\x00\x01t\x00\x02" + bytes(204) + b"\x30\x03\x00\x01u"
)


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_packets_do_not_depend_on_how_the_stream_was_cut(cuts: list[int]) -> None:
    reader, publishes, others = PacketReader(), [], []
    bounds = sorted({0, len(STREAM), *cuts})
    for start, end in pairwise(bounds):
        some, rest = reader.feed(STREAM[start:end])
        publishes += some
        others += rest
    assert publishes == [
        Publish("topic", b"x", 1, False),
        Publish("t", bytes(204), 2, True, retained=True),
        Publish("u", b"", 0, False),
    ]
    assert others == [(2, b"\0\0"), (13, b"")]
