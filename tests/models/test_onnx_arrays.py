"""The reader of ONNX files: bytes worked out by hand, and graphs that onnxruntime can run."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from segtutor.models.onnx_arrays import read_convolutions


def varint(number):
    """Seven bits per byte, lowest first; the highest bit says that another follows."""
    parts = []
    while number > 127:
        parts.append(number % 128 + 128)
        number //= 128
    return bytes([*parts, number])


def field(number, value):
    """A whole number (wire type 0) or bytes (wire type 2)."""
    if isinstance(value, int):
        return varint(8 * number) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(8 * number + 2) + varint(len(value)) + value


def tensor(name, array, packed=False):
    shape = field(1, b"".join(varint(side) for side in array.shape)) if packed else b""
    shape = shape or b"".join(field(1, side) for side in array.shape)
    return shape + field(2, 1) + field(8, name) + field(9, array.astype("<f4").tobytes())


def node(operation, inputs, output):
    return b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, operation)


def value_info(name, shape):
    dims = b"".join(field(1, field(1, side)) for side in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def model(nodes, tensors, inputs=(), outputs=()):
    graph = b"".join(field(1, one) for one in nodes) + field(2, "graph") + b"".join(field(5, one) for one in tensors)
    graph += b"".join(field(11, one) for one in inputs) + b"".join(field(12, one) for one in outputs)
    return field(1, 6) + field(8, field(2, 11)) + field(7, graph)


@pytest.fixture
def arrays():
    generator = np.random.default_rng(0)
    return {
        "7": generator.normal(size=(4, 3, 3, 3)),
        "8": generator.normal(size=4),
        "last.weight": generator.normal(size=(2, 4, 1, 1)),
    }


def two_convolutions(arrays, **options):
    nodes = [node("Conv", ["x", "7", "8"], "5"), node("Relu", ["5"], "6"), node("Conv", ["6", "last.weight"], "y")]
    tensors = [tensor(name, array, **options) for name, array in reversed(arrays.items())]
    return model(nodes, tensors, [value_info("x", (1, 3, 9, 9))], [value_info("y", (1, 2, 7, 7))])


def test_a_file_by_hand():
    """One convolution of one weight, 1.5, byte for byte from the encoding's description."""
    weight = bytes([0x08, 1, 0x08, 1, 0x08, 1, 0x08, 1, 0x10, 1, 0x42, 1, ord("3"), 0x4A, 4, 0, 0, 0xC0, 0x3F])
    convolution = bytes([0x0A, 1, ord("x"), 0x0A, 1, ord("3"), 0x22, 4, *b"Conv"])
    graph = bytes([0x0A, len(convolution), *convolution, 0x2A, len(weight), *weight])
    found = read_convolutions(bytes([0x08, 6, 0x3A, len(graph), *graph]))
    assert list(found) == ["conv0.weight"]
    assert found["conv0.weight"].tolist() == [[[[1.5]]]]


@pytest.mark.parametrize("packed", [False, True])
def test_mere_numbers_are_counted_and_names_kept_in_the_order_of_the_graph(arrays, packed):
    found = read_convolutions(two_convolutions(arrays, packed=packed))
    assert list(found) == ["conv0.weight", "conv0.bias", "last.weight"]
    for ours, theirs in zip(found.values(), arrays.values(), strict=True):
        assert ours.dtype == torch.float32
        assert np.array_equal(ours.numpy(), theirs.astype(np.float32))


def test_onnxruntime_reads_the_same_arrays(arrays):
    runtime = pytest.importorskip("onnxruntime")
    content = two_convolutions(arrays)
    images = np.random.default_rng(1).normal(size=(1, 3, 9, 9)).astype(np.float32)
    (expected,) = runtime.InferenceSession(content).run(None, {"x": images})
    found = read_convolutions(content)
    hidden = F.conv2d(torch.from_numpy(images), found["conv0.weight"], found["conv0.bias"]).relu()
    np.testing.assert_allclose(F.conv2d(hidden, found["last.weight"]).numpy(), expected, atol=1e-5)


def test_a_file_cut_off_anywhere_is_refused(arrays):
    content = two_convolutions(arrays)
    for length in range(len(content)):
        with pytest.raises(ValueError, match="ONNX"):
            read_convolutions(content[:length])


def test_what_it_cannot_read_is_said(arrays):
    half = field(1, 2) + field(2, 10) + field(8, "7") + field(9, b"\0\0\0\0")
    with pytest.raises(ValueError, match="array 7 of the ONNX file is not one of 32-bit numbers"):
        read_convolutions(model([node("Conv", ["x", "7"], "y")], [half]))
    with pytest.raises(ValueError, match="computes the array 9 of a convolution"):
        read_convolutions(model([node("Conv", ["x", "9"], "y")], [tensor("7", arrays["7"])]))
    for other in (b"", b"<html>Not found</html>", b"\x80\x02}q\x00.", bytes(range(256))):
        with pytest.raises(ValueError, match="ONNX"):
            read_convolutions(other)
