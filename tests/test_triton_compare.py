"""The comparison of the Triton kernels environment: what is right, and which cases tell anything."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rftgym_triton_kernels.cases import make_inputs
from rftgym_triton_kernels.compare import (
    BadReference,
    Failed,
    Replica,
    Wanted,
    discriminating,
    mismatch,
    read_results,
)
from rftgym_triton_kernels.dtypes import FLOATS, INTEGERS, OVERFLOW, decode, encode, rounded
from rftgym_triton_kernels.problems import ProblemRow

EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
dtypes = st.sampled_from(FLOATS)
numbers = st.lists(st.floats(-1e4, 1e4).filter(lambda x: x == 0 or abs(x) > 1e-3), min_size=1, max_size=20)


def wanted(values, dtype):
    exact = np.array(values, np.float64)
    return Wanted(dtype, rounded(exact, dtype), exact)


def said(got, want, tolerance=(0.0, 0.0)):
    values = np.asarray(got, np.float64)
    return mismatch(encode(values, want.dtype), want.dtype, values.shape, want, tolerance)


class TestRounding:
    @given(st.lists(st.floats(width=32), min_size=1))
    def test_bfloat16_as_torch_rounds_it(self, values):
        ours = encode(np.array(values), "bfloat16")
        theirs = torch.tensor(values, dtype=torch.float32).bfloat16()
        assert np.array_equal(decode(ours, "bfloat16"), theirs.double().numpy(), equal_nan=True)

    def test_bfloat16_rounds_once(self):
        just_above_the_middle = np.array([1 + 2.0**-8 + 2.0**-40, 1 + 2.0**-8, -1 - 2.0**-8 - 2.0**-40])
        assert rounded(just_above_the_middle, "bfloat16").tolist() == [1 + 2.0**-7, 1.0, -1 - 2.0**-7]

    @pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
    def test_where_infinity_begins(self, dtype):
        below, at = np.nextafter(OVERFLOW[dtype], 0), OVERFLOW[dtype]
        assert np.isfinite(rounded(np.array([below, -below]), dtype)).all()
        assert np.isinf(rounded(np.array([at, -at]), dtype)).all()

    @given(st.sampled_from(INTEGERS), st.lists(st.integers(0, 127)))
    def test_integers_come_back(self, dtype, values):
        assert decode(encode(np.array(values, np.int64), dtype), dtype).tolist() == values


class TestRight:
    @given(dtypes, numbers)
    def test_the_wanted_numbers_pass_without_any_tolerance(self, dtype, values):
        assert said(values, wanted(values, dtype)) is None

    @given(dtypes, numbers, st.integers(0, 19), st.sampled_from([1, -1]))
    def test_one_step_of_the_dtype_off_passes(self, dtype, values, place, direction):
        want = wanted(values, dtype)
        got = want.values.copy()
        got[place % len(got)] *= 1 + direction * EPSILON[dtype]
        assert said(got, want, (2 * EPSILON[dtype], 1e-30)) is None

    @given(dtypes, numbers, st.integers(0, 19))
    def test_twice_the_tolerance_off_fails(self, dtype, values, place):
        want = wanted(values, dtype)
        rtol, atol = 8 * EPSILON[dtype], 1e-3
        got = want.values.copy()
        got[place % len(got)] += 2 * (atol + rtol * abs(got[place % len(got)]))
        assert "wrong elements: 1 of" in said(got, want, (rtol, atol))

    @given(dtypes, numbers, st.integers(0, 19), st.sampled_from([np.nan, np.inf, -np.inf]))
    def test_what_is_not_finite_has_to_be_in_both(self, dtype, values, place, odd):
        want = wanted(values, dtype)
        with_it = want.values.copy()
        with_it[place % len(with_it)] = odd
        loose = (1.0, 1e9)
        assert said(with_it, want, loose) is not None
        assert said(want.values, wanted(with_it, dtype), loose) is not None
        assert said(with_it, wanted(with_it, dtype), loose) is None

    def test_infinities_have_signs(self):
        assert said([np.inf], wanted([-np.inf], "float32"), (1, 1)) is not None

    def test_too_large_for_the_dtype_is_infinite_in_both(self):
        want = wanted([1e6, -1e6, 1.0], "float16")
        assert said([np.inf, -np.inf, 1.0], want, (1e-3, 0)) is None
        assert said([65504.0, -np.inf, 1.0], want, (1e-3, 0)) is not None

    def test_at_the_edge_of_the_dtype_either_side_will_do(self):
        for value in (65519.0, 65530.0):
            want = wanted([value], "float16")
            assert said([np.inf], want, (1e-3, 0)) is None
            assert said([65504.0], want, (1e-3, 0)) is None
            assert said([-np.inf], want, (1e-3, 0)) is not None
            assert said([60000.0], want, (1e-3, 0)) is not None

    def test_integers_and_booleans_are_exact(self):
        whole = np.array([1, 2**60 + 1])
        want = Wanted("int64", whole, whole)
        assert mismatch(whole.tobytes(), "int64", [2], want, (1, 1)) is None
        assert "1 of 2, the first at [1]" in mismatch((whole - [0, 1]).tobytes(), "int64", [2], want, (1, 1))
        bits = np.array([1, 0, 1], np.uint8)
        flags = Wanted("bool", bits, bits)
        assert mismatch(b"\1\0\1", "bool", [3], flags, (0, 0)) is None
        assert mismatch(b"\xff\0\1", "bool", [3], flags, (0, 0)) is not None  # memory that nobody wrote

    @given(dtypes, dtypes, numbers)
    def test_dtype_and_shape_are_exact(self, dtype, other, values):
        want = wanted(values, dtype)
        data = encode(want.values, other)
        if other != dtype:
            assert "dtype" in mismatch(data, other, want.shape, want, (1, 1e9))
        assert "shape" in mismatch(encode(want.values, dtype), dtype, (*want.shape, 1), want, (1, 1e9))
        assert "bytes" in mismatch(encode(want.values, dtype)[:-1], dtype, want.shape, want, (1, 1e9))

    def test_the_words_hold_no_values(self):
        words = said([[1.0, 2.0], [7.25, 4.0]], wanted([[1.0, 2.0], [3.0625, 4.0]], "float32"), (1e-5, 1e-6))
        assert words == "wrong elements: 1 of 4, the first at [1, 0], by up to 1e6 times the tolerance"


def replicas(signature, function, *specs, drawings=2, layout_op=False):
    """A problem of one case, and drawings of it; the function is numpy's."""
    row = {"name": "f", "signature": signature, "reference": "def f(*a): return a[0]", "cases": [list(specs)]}
    problem = ProblemRow.model_validate({**row, "layout_op": layout_op}).problem()
    found = []
    for seed in range(drawings):
        arguments = make_inputs(problem.cases[0], seed)
        results = function(*(each.values() for each in arguments))
        several = results if isinstance(results, tuple) else (results,)
        found.append(Replica(arguments, [wanted(each, "float32") for each in several]))
    return problem, found


class TestDiscriminating:
    @pytest.mark.parametrize(
        "function",
        [
            np.zeros_like,
            lambda x: np.full_like(x, 3.5),
            lambda x: np.full_like(x, np.nan),
            lambda x: np.full_like(x, np.inf),
            lambda x: 2 + 1e-6 * x,
            lambda x: x.copy(),
            lambda x: x.T.copy(),
            lambda x: x.reshape(-1),
            lambda x: x[:0],
            lambda x: (x.copy(), np.zeros_like(x)),
        ],
    )
    def test_what_a_lazy_answer_passes_tells_nothing(self, function):
        assert not discriminating(*replicas("f(x)", function, {"shape": [7, 5]}))

    @pytest.mark.parametrize(
        "function",
        [lambda x: x * 2, np.abs, lambda x: x.sum(1), lambda x: np.flip(x, 0), lambda x: (x.copy(), x + 1)],
    )
    def test_what_has_to_be_computed_tells_something(self, function):
        assert discriminating(*replicas("f(x)", function, {"shape": [7, 5]}))

    def test_copies_are_of_any_input_and_cast(self):
        specs = {"shape": [7, 5]}, {"shape": [7, 5], "dtype": "int64", "high": 100}
        assert not discriminating(*replicas("f(x, y)", lambda x, y: y.astype(float), *specs))
        assert discriminating(*replicas("f(x, y)", lambda x, y: x * y, *specs))

    def test_where_the_problem_is_layout_a_transposed_copy_is_work(self):
        def turned(x):
            return x.T.copy()

        assert discriminating(*replicas("f(x)", turned, {"shape": [7, 5]}, layout_op=True))
        # its storage lies already as the answer should: handing it back in that order is no work
        assert not discriminating(*replicas("f(x)", turned, {"shape": [7, 5], "t": True}, layout_op=True))

    def test_one_element_needs_two_drawings(self):
        assert not discriminating(*replicas("f(x)", lambda x: x * 2, {"shape": [1]}, drawings=1))
        assert discriminating(*replicas("f(x)", lambda x: x * 2, {"shape": [1]}, drawings=2))

    @settings(max_examples=50)
    @given(st.floats(-1e3, 1e3), st.integers(1, 30), st.sampled_from([0.0, 0.3, 0.9]))
    def test_any_constant_is_found(self, constant, n, share):
        """However the elements lie inside the tolerance around a constant."""
        problem, _ = replicas("f(x)", lambda x: x, {"shape": [3]})
        rtol, atol = problem.tolerance("float32")
        room = share * (atol + rtol * abs(constant)) * 0.9
        values = constant + np.linspace(-room, room, n)
        drawn = Replica(make_inputs(problem.cases[0], 1), [Wanted("float32", values, values)])
        assert not discriminating(problem, [drawn])


class TestReading:
    RESULT = {"dtype": "float32", "shape": [2], "blob": 0}  # noqa: RUF012  # not changed

    def test_a_result_is_read(self):
        header = {"cases": [{"ok": True, "results": [self.RESULT]}, {"ok": False, "message": "no"}]}
        (result,), failed = read_results(header, [struct.pack("<2d", 0.1, 2)], 2)
        assert result.exact.tolist() == [0.1, 2] and result.values[0] == np.float32(0.1)
        assert failed == Failed("no")

    @pytest.mark.parametrize(
        "change",
        [
            {"dtype": "object"},
            {"dtype": ["float32"]},
            {"shape": [3]},
            {"shape": [-2]},
            {"shape": "2"},
            {"shape": [2.0]},
            {"shape": [2**40, 2**40]},
            {"shape": [1] * 99},
            {"blob": 1},
            {"blob": -1},
            {"blob": True},
            {"blob": None},
        ],
    )
    def test_what_is_not_in_the_agreed_form_is_refused(self, change):
        header = {"cases": [{"ok": True, "results": [{**self.RESULT, **change}]}]}
        with pytest.raises(BadReference):
            read_results(header, [struct.pack("<2d", 1, 2)], 1)

    @pytest.mark.parametrize(
        "header",
        [
            {},
            {"cases": 3},
            {"cases": []},
            {"cases": [3]},
            {"cases": [{"ok": True}]},
            {"cases": [{"ok": True, "results": []}]},
        ],
    )
    def test_so_is_a_wrong_header(self, header):
        with pytest.raises(BadReference):
            read_results(header, [], 1)
