"""The convolutions of an ONNX file, by a reader of the few fields that hold them.

An ONNX file is a protobuf message: fields, each a key (number and wire type) and a value. The package ``onnx`` reads
all of it and is several times as large as the weights; four kinds of message are needed here. Nothing in it is run.

    ModelProto.graph(7) --> GraphProto.initializer(5) --> TensorProto: dims(1) data_type(2) name(8) raw_data(9)
                                       node(1)        --> NodeProto: input(1) op_type(4)

Source: onnx.proto of ONNX, and the encoding page of Protocol Buffers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FLOAT = 1  # TensorProto.DataType.FLOAT


def read_convolutions(content: bytes) -> dict[str, Tensor]:
    """Weights and biases of an ONNX graph's convolutions.

    Args:
        content: The file.

    Returns:
        Arrays by name, in the order in which the graph runs. Where the exporter gave a mere number for a name, as it
        does where it multiplied a batch norm into the convolution, the name is "conv0.weight", "conv0.bias", "conv1..."
        counted over those alone.

    Raises:
        ValueError: If it is not an ONNX file, or holds its arrays in another way.
    """
    graphs = [value for field, value in _fields(content) if field == 7 and isinstance(value, bytes)]
    if len(graphs) != 1:
        raise ValueError(f"this is not an ONNX file: it has {len(graphs)} graphs, not one")
    arrays: dict[str, Tensor] = {}
    convolutions: list[list[str]] = []
    for field, value in _fields(graphs[0]):
        if field == 5 and isinstance(value, bytes):
            name, array = _tensor(value)
            arrays[name] = array
        elif field == 1 and isinstance(value, bytes):
            inputs, operation = _node(value)
            if operation == "Conv":
                convolutions.append(inputs[1:])
    named: dict[str, Tensor] = {}
    unnamed = 0
    for inputs in convolutions:
        for name, kind in zip(inputs, ("weight", "bias"), strict=False):
            if name not in arrays:
                raise ValueError(f"the ONNX file computes the array {name} of a convolution instead of holding it")
            named[f"conv{unnamed}.{kind}" if name.isdigit() else name] = arrays[name]
        unnamed += inputs[0].isdigit()
    return named


def _node(message: bytes) -> tuple[list[str], str]:
    """Names of a node's inputs, and its operation."""
    fields = list(_fields(message))
    inputs = [value.decode() for field, value in fields if field == 1 and isinstance(value, bytes)]
    operation = [value.decode() for field, value in fields if field == 4 and isinstance(value, bytes)]
    return inputs, operation[0] if operation else ""


def _tensor(message: bytes) -> tuple[str, Tensor]:
    """Name and array of an initializer."""
    name, kind, raw, shape = "", 0, b"", []
    for field, value in _fields(message):
        if field == 1 and isinstance(value, int):
            shape.append(value)
        elif field == 1 and isinstance(value, bytes):  # packed
            position = 0
            while position < len(value):
                number, position = _varint(value, position)
                shape.append(number)
        elif field == 2 and isinstance(value, int):
            kind = value
        elif field == 8 and isinstance(value, bytes):
            name = value.decode()
        elif field == 9 and isinstance(value, bytes):
            raw = value
    if kind != _FLOAT or len(raw) != 4 * math.prod(shape):
        raise ValueError(f"array {name or '?'} of the ONNX file is not one of 32-bit numbers in its raw_data")
    return name, torch.from_numpy(np.frombuffer(raw, "<f4").astype(np.float32).reshape(shape))


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Numbers and values of a message's fields: whole numbers, or bytes."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        field, wire = key >> 3, key & 7
        if wire == _VARINT:
            number, position = _varint(message, position)
            yield field, number
            continue
        if wire == _BYTES:
            length, position = _varint(message, position)
        elif wire in (_FIXED32, _FIXED64):
            length = 4 if wire == _FIXED32 else 8
        else:
            raise ValueError(f"this is not an ONNX file: a field of the unknown wire type {wire}")
        if position + length > len(message):
            raise ValueError("the ONNX file is cut off")
        yield field, message[position : position + length]
        position += length


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """A number of seven bits per byte, lowest first, and the position behind it.

    >>> _varint(bytes([0x96, 0x01]), 0)
    (150, 2)
    """
    number = shift = 0
    while True:
        if position >= len(message) or shift > 63:
            raise ValueError("the ONNX file is cut off, or is none")
        byte = message[position]
        number |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return number, position
