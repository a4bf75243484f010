from __future__ import annotations

import struct

import numpy as np
import pytest
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.plugins.scalar.metadata import create_summary_metadata
from tensorboard.util.tensor_util import make_tensor_proto

from nbdiag.tracking import records


def parsed(data: bytes) -> list[event_pb2.Event]:
    """The oracle: TensorBoard's own messages, and its checksums."""
    events = []
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        message = data[12 : 12 + size]
        checks = struct.unpack("<I", data[8:12]) + struct.unpack("<I", data[12 + size : 16 + size])
        assert checks == (masked_crc32c(data[:8]), masked_crc32c(message))
        events.append(event_pb2.Event.FromString(message))
        data = data[16 + size :]
    return events


def test_a_file_begins_with_the_version() -> None:
    (first,) = parsed(records.opening(12.5, restart=False))
    assert (first.wall_time, first.file_version) == (12.5, "brain.Event:2")
    assert first.source_metadata.writer == "nbdiag"


def test_a_restart_tells_tensorboard_to_forget() -> None:
    _, start, again = parsed(records.opening(12.5, restart=True))
    assert start.session_log.status == event_pb2.SessionLog.START
    assert start.step == 0
    assert again == start


def test_scalars() -> None:
    steps = np.array([0, 127, 128, 2**31 + 5])
    values = np.array([[0.5, np.nan], [-np.inf, 1e300], [1.0, 2.0], [0.0, -0.0]])
    events = parsed(records.scalars(["loss", "größe/λ"], steps + 0.25, steps, values))
    assert [event.step for event in events] == steps.tolist()
    assert [event.wall_time for event in events] == (steps + 0.25).tolist()
    tags = {tuple(value.tag for value in event.summary.value) for event in events}
    assert tags == {("loss", "größe/λ")}
    read = [[value.simple_value for value in event.summary.value] for event in events]
    assert repr(read) == "[[0.5, nan], [-inf, inf], [1.0, 2.0], [0.0, -0.0]]"


def test_histograms() -> None:
    counts = np.array([[1, 0, 3, 0], [0, 0, 0, 0], [0, 0, 7, 0]], np.float32)
    nan = float("nan")
    (event,) = parsed(
        records.histograms(1.0, 9, ["a", "none", "same"], [0, nan, 2], [4, nan, 2], counts)
    )
    some, none, same = (value.histo for value in event.summary.value)
    assert (event.step, [v.tag for v in event.summary.value]) == (9, ["a", "none", "same"])
    assert (some.min, some.max, some.num) == (0, 4, 4)
    assert list(some.bucket_limit) == [1, 2, 3, 4]
    assert list(some.bucket) == [1, 0, 3, 0]
    assert (some.sum, some.sum_squares) == (0.5 + 3 * 2.5, 0.25 + 3 * 6.25)
    assert (none.num, list(none.bucket)) == (0, [])
    assert (same.min, same.max, list(same.bucket_limit), list(same.bucket)) == (2, 2, [2], [7])


def test_blobs_come_back_and_nothing_else_does() -> None:
    content = bytes(range(256)) * 3
    framed = records.blob(1.0, 300, content)
    (event,) = parsed(framed)
    (value,) = event.summary.value
    assert value.metadata.plugin_data.plugin_name == "nbdiag"
    assert value.tensor.string_val[0] == content
    assert list(records.blobs(framed[12:-4])) == [content]
    assert list(records.blobs(records.opening(1.0, restart=False)[12:-4])) == []


def event_with(**value: object) -> bytes:
    summary = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag="t", **value)])
    return event_pb2.Event(wall_time=1, step=70_000, summary=summary).SerializeToString()


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.float32(1.5), 1.5),
        (np.float64(-1e-300), -1e-300),
        (np.array(0.0, np.float32), 0.0),
        (np.int32(-3), -3.0),
        (np.int64(2**40), 2.0**40),
        (np.float32("nan"), float("nan")),
    ],
)
def test_numbers_of_the_newer_form(array: np.generic, expected: float) -> None:
    metadata = create_summary_metadata("", "")
    (found,) = records.numbers(event_with(tensor=make_tensor_proto(array), metadata=metadata))
    assert repr(found) == repr(("t", 70_000, expected))


def test_numbers_of_the_older_form() -> None:
    assert list(records.numbers(event_with(simple_value=0.25))) == [("t", 70_000, 0.25)]


def test_other_values_are_no_numbers() -> None:
    text = make_tensor_proto("words")
    assert list(records.numbers(event_with(tensor=text))) == []
    assert (
        list(records.numbers(event_with(tensor=text, metadata=create_summary_metadata("", ""))))
        == []
    )
    assert list(records.numbers(event_with(histo=summary_pb2.HistogramProto(num=1)))) == []
    assert list(records.numbers(b"")) == []


def test_bytes_that_are_no_message() -> None:
    for nonsense in (b"\x0a\x7fab", b"\xff", b"\x0b"):
        with pytest.raises(ValueError, match="no protobuf message"):
            list(records.fields(nonsense))
