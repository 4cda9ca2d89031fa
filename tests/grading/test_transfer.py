"""Values travel as JSON; what was written by somebody else is refused before anything large is built from it."""

import json
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from segtutor.exercises.running import Outcome
from segtutor.grading.transfer import MOST_BYTES, decode, decode_outcome, encode, encode_outcome, read_line


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, 0.5, float("inf"), "text", [1, (2, 3)], {"a": np.arange(3), 1: None}, np.zeros((0, 4)),
        np.array([[True, False]]), np.array([np.nan, 1e300]), np.uint8(7), np.float16(0.1), 2**900,
        np.array(7), np.arange(6, dtype=">i4").reshape(2, 3).T,
    ],
)  # fmt: skip
def test_values_travel(value):
    back = decode(json.loads(json.dumps(encode(value))))
    np.testing.assert_equal(back, value)
    assert type(back) is type(value) or isinstance(value, np.generic)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (object(), "<object>"),
        (np.zeros(1_000_001, np.uint8), "<ndarray of 1000001 uint8>"),
        (np.array(["a" * 1000]), "<ndarray of 1 <U1000>"),
        (np.zeros(3, complex), "<ndarray of 3 complex128>"),
        (2**5000, "<int of many digits>"),
        ("x" * 10_001, "<str of 10001 characters>"),
        ([0] * 200_001, "<list of 200001>"),
        ([[0] * 1000] * 1000, "<list: more than 1,000,000 numbers or 200,000 parts came back>"),
    ],
)
def test_what_has_no_place_travels_as_its_name(value, name):
    assert decode(json.loads(json.dumps(encode(value)))) == name


@pytest.mark.parametrize(
    "value",
    [Fraction(1, 4), Decimal("0.25"), np.array([Fraction(1, 4)] * 2), np.longdouble(0.25), [Fraction(1, 4)]],
)
def test_numbers_of_other_kinds_travel_as_floats(value):
    np.testing.assert_equal(np.asarray(decode(json.loads(json.dumps(encode(value)))), float).ravel()[0], 0.25)


def test_what_contains_itself_ends():
    value = []
    value.append(value)
    assert "nested too deeply" in str(decode(encode(value)))


@pytest.mark.parametrize(
    "content",
    [
        {}, {"pickle": "x"}, [], None, "x", {"array": [1]},
        {"array": "AA==", "dtype": "S900000000", "shape": [1]},
        {"array": "AAAAAAAAAAA=", "dtype": "object", "shape": [1]},
        {"array": "AAAAAAAAAAA=", "dtype": "float64", "shape": [10**9]},
        {"array": "", "dtype": "float64", "shape": [1000, 1000, 1000, 0]},
        {"array": "AAAAAAAAAAA=", "dtype": "float64", "shape": [-1]},
        {"array": "AAAAAAAAAAA=", "dtype": "float64", "shape": "x"},
        {"array": "AAA=", "dtype": "uint8", "shape": [3]},
        {"array": "A" * 80, "dtype": "uint8", "shape": [1]},
        {"array": "A===", "dtype": "uint8", "shape": [1]},
        {"array": "é===", "dtype": "uint8", "shape": [1]},
        {"array": [1], "dtype": "uint8", "shape": [1]},
        {"dict": [[{"list": []}, {"plain": 1}]]},
        {"dict": [[{"plain": 1}]]},
        {"dict": 3}, {"tuple": 3}, {"plain": [1]}, {"plain": "x" * 10_001}, {"other": 3},
        {"list": [{"plain": 1}] * 200_001},
    ],
)  # fmt: skip
def test_a_forged_value_is_refused(content):
    with pytest.raises(ValueError, match=r"\w"):
        decode(content)


def test_a_forged_truth_value_is_one_of_two():
    found = decode({"array": "AP8B", "dtype": "bool", "shape": [3]})
    assert found.tolist() == [False, True, True]
    assert found.view("uint8").max() == 1


def test_a_forged_line_of_nested_brackets_is_refused():
    for text in (b"[" * 100_000, b'{"list":[' * 50_000):
        with pytest.raises(ValueError, match=r"\w"):
            read_line(text)
    with pytest.raises(ValueError, match="came back"):
        read_line(b"1" * (MOST_BYTES + 1))
    deep = {"plain": 1}
    for _ in range(5000):
        deep = {"list": [deep]}
    with pytest.raises(ValueError, match="deeply"):
        decode(deep)


def test_outcomes_travel_and_forged_ones_are_refused():
    outcome = Outcome("raised", error="KeyError", message="x", line="line 3: y", position=1)
    assert decode_outcome(json.loads(json.dumps(encode_outcome(outcome)))) == outcome
    good = encode_outcome(outcome)
    for forged in (None, [], {}, {**good, "kind": "won"}, {**good, "error": 3}, {**good, "position": "1"},
                   {**good, "position": True}):  # fmt: skip
        with pytest.raises(ValueError, match="not an encoded outcome"):
            decode_outcome(forged)
    long = decode_outcome(json.loads(json.dumps(encode_outcome(Outcome("raised", message="m" * 10_000)))))
    assert len(long.message) == 500
