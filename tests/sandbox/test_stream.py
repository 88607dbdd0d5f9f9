import socket
import struct
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qverify_desktop.sandbox.stream import CappedBytes, CappedOutput, Demultiplexer, Pump, Sender


def frame(stream: int, payload: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(payload)) + payload


@given(
    frames=st.lists(st.tuples(st.sampled_from([1, 2, 7]), st.binary(max_size=40)), max_size=12),
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=40),
)
def test_frames_come_apart_however_the_bytes_arrive(frames: list[tuple[int, bytes]], sizes: list[int]) -> None:
    raw = b"".join(frame(*one) for one in frames)
    got = {1: bytearray(), 2: bytearray()}
    demultiplexer = Demultiplexer({1: got[1].extend, 2: got[2].extend})
    offset = turn = 0
    while offset < len(raw):
        size = sizes[turn % len(sizes)]
        demultiplexer.feed(memoryview(raw)[offset : offset + size])
        offset, turn = offset + size, turn + 1
    for stream in (1, 2):
        assert bytes(got[stream]) == b"".join(payload for number, payload in frames if number == stream)


@given(chunks=st.lists(st.binary(max_size=30), max_size=20), cap=st.integers(0, 60))
def test_output_keeps_head_and_tail_within_its_cap(chunks: list[bytes], cap: int) -> None:
    output = CappedOutput(cap)
    whole = b"".join(chunks)
    for chunk in chunks:
        output.write(memoryview(chunk))
    assert output.total == len(whole)
    assert output.truncated == (len(whole) > cap)
    if not output.truncated:
        assert output.text() == whole.decode("utf-8", "replace")
        return
    head, tail = whole[: cap - cap // 2], whole[len(whole) - cap // 2 :]
    text = output.text()
    assert text.startswith(head.decode("utf-8", "replace"))
    assert text.endswith(tail.decode("utf-8", "replace"))
    assert f"{len(whole) - cap} bytes left out" in text


def test_output_holds_no_more_than_a_few_times_its_cap_in_memory() -> None:
    output = CappedOutput(1000)
    chunk = memoryview(bytes(700))
    for _ in range(1000):
        output.write(chunk)
    assert len(output._head) + len(output._tail) <= 4000
    assert output.total == 700_000


def test_bytes_over_the_cap_are_dropped_whole_and_counted() -> None:
    kept = CappedBytes(10)
    kept.write(memoryview(b"0123456789"))
    assert not kept.overflown
    assert bytes(kept.content()) == b"0123456789"
    dropped = CappedBytes(10)
    for _ in range(5):
        dropped.write(memoryview(b"0123"))
    assert dropped.overflown
    assert (dropped.total, bytes(dropped.content())) == (20, b"")


@pytest.fixture
def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair()


def test_pump_reads_to_the_end(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    output = CappedOutput(100)
    pump = Pump(near, Demultiplexer({2: output.write}))
    far.sendall(frame(2, b"one ") + frame(2, b"two"))
    far.close()
    assert pump.join(5)
    pump.close()
    assert output.text() == "one two"


def test_a_pump_whose_peer_never_ends_can_be_closed(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    pump = Pump(near, Demultiplexer({}))
    assert not pump.join(0.05)
    pump.close()
    assert pump.join(0)
    far.close()


def test_a_sender_gives_up_only_where_nothing_is_read(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    content = bytes(range(256)) * 8192
    read = bytearray()

    def read_slowly() -> None:
        while piece := far.recv(32 * 1024):
            read.extend(piece)
            time.sleep(0.02)

    reader = threading.Thread(target=read_slowly)
    reader.start()
    begun = time.monotonic()
    assert Sender(near, 0.5).send(content)
    assert time.monotonic() - begun > 0.5, "it was not slow"
    near.close()
    reader.join()
    assert read == content
    far.close()


def test_a_sender_whose_peer_reads_nothing_or_is_gone(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    with pytest.raises(TimeoutError):
        Sender(near, 0.1).send(bytes(4 * 1024 * 1024))
    far.close()
    assert not Sender(near, 0.1).send(b"x")
    near.close()
