"""Generated problems of the Triton kernels environment: sound, varied, and none that is held out."""

from __future__ import annotations

import itertools
import math
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rftgym.errors import UsageError
from rftgym_triton_kernels import reference
from rftgym_triton_kernels.cases import Tensor, make_inputs, pack
from rftgym_triton_kernels.compare import Failed, Replica, discriminating, read_results
from rftgym_triton_kernels.generator import LEVELS, generated, row
from rftgym_triton_kernels.plainref import NotPlain, run
from rftgym_triton_kernels.problems import TensorArgument, problem_of, problems
from rftgym_triton_kernels.twins import kinds_of, twin

MANY = 25
HELD_OUT = [each for each in problems().values() if each.split != "train"]


def evaluated(problem, seed):
    """Drawings of a problem's cases, by the torch reference."""
    inputs = [make_inputs(case, seed + index) for index, case in enumerate(problem.cases)]
    entries, blobs = pack(inputs)
    header, out = reference.evaluate(
        {"source": problem.reference, "name": problem.name, "cases": entries}, blobs
    )
    results = read_results(header, out, len(inputs))
    return [
        each if isinstance(each, Failed) else Replica(arguments, each)
        for arguments, each in zip(inputs, results, strict=True)
    ]


def one_line(signature, body):
    return f"def {signature}:\n    return {body}\n"


class TestGenerated:
    @pytest.mark.parametrize("level", LEVELS)
    def test_a_level_is_sound(self, level):
        tasks = generated([level])
        difficulties = set()
        for index in range(MANY):
            task = tasks.item("train", index, seed=3)
            problem = problem_of(task)
            difficulties.add(problem.difficulty)
            assert problem.name not in problems() and 4 <= len(problem.cases) <= 8
            drawn = [evaluated(problem, seed) for seed in (0, 100)]
            for first, second in zip(*drawn, strict=True):
                assert not isinstance(first, Failed) and not isinstance(second, Failed), first
                assert all(np.isfinite(each.values).all() for each in first.wanted)
            telling = [discriminating(problem, pair) for pair in zip(*drawn, strict=True)]
            assert sum(telling) >= 2, problem.reference
        assert len(difficulties) == 1

    @pytest.mark.parametrize("index", [0, 104, 105, 132, 252, *range(1, 11)])
    def test_float32_is_within_the_tolerance_however_inputs_are_drawn(self, index):
        """A right answer must not fail by chance; some of the first five did while few rows were looked at."""
        problem = problem_of(generated().item("train", index))
        for number, case in itertools.product(range(80), problem.cases):
            tensors = [each for each in case if isinstance(each, TensorArgument)]
            if any(each.dtype != "float32" for each in tensors):
                continue
            inputs = make_inputs(case, number)
            values = [each.values() if isinstance(each, Tensor) else each.value for each in inputs]
            want = run(problem.reference, problem.name, values)
            single = [each.astype(np.float32) if isinstance(each, np.ndarray) else each for each in values]
            got = run(problem.reference, problem.name, single)
            rtol, atol = problem.tolerance("float32")
            assert (np.abs(got - want) <= atol + rtol * np.abs(want)).all(), (problem.reference, case, number)

    def test_levels_grow_harder(self):
        levels = [generated([level]).item("train", 0).difficulty for level in LEVELS]
        assert levels == sorted(levels) and len(set(levels)) == len(levels)

    def test_an_item_depends_on_its_seed_and_index_only(self):
        tasks, again = generated(), generated()
        backwards = [again.item("train", index, seed=7) for index in reversed(range(10))]
        assert [tasks.item("train", index, seed=7) for index in range(10)] == backwards[::-1]
        assert tasks.by_id("train-7-4") == tasks.item("train", 4, seed=7)
        assert tasks.item("train", 4, seed=8).data != tasks.item("train", 4, seed=7).data

    def test_there_is_variety(self):
        tasks = generated([2, 3, 5])
        sources = {tasks.item("train", index).data["reference"].partition("\n")[2] for index in range(100)}
        assert len(sources) >= 95

    def test_only_for_training(self):
        assert generated().size("train") is None
        assert generated().size("test") == generated().size("validation") == 0

    @pytest.mark.parametrize("levels", [[], [0], [6], [1, 2.5]])
    def test_levels_that_there_are_not(self, levels):
        with pytest.raises(UsageError, match="levels"):
            generated(levels)

    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, 2**32), st.sampled_from(LEVELS))
    def test_nothing_that_is_held_out_comes_up(self, seed, level):
        """By torch, at arguments of its own, rather than by the numpy evaluation that the generator relies on."""
        made = row(Random(seed), level).problem()
        scope = {"torch": torch}
        exec(made.reference, scope)
        tensors = [isinstance(spec, TensorArgument) for spec in made.cases[0]]
        numbers = [spec for spec in made.cases[0] if not isinstance(spec, TensorArgument)]
        for other in HELD_OUT:
            kinds = [isinstance(spec, TensorArgument) for spec in other.cases[0]]
            if sum(kinds) != sum(tensors) or "@" in other.reference:
                continue
            exec(other.reference, scope)
            for order in itertools.permutations(range(sum(kinds))):
                theirs = _called(
                    scope[other.name], kinds, order, (numbers * 3 + [0.5, 2.0, 1.0])[: kinds.count(False)]
                )
                ours = _called(scope[made.name], tensors, range(sum(tensors)), numbers)
                if theirs is not None and theirs.shape == ours.shape:
                    assert not torch.allclose(theirs.double(), ours.double(), rtol=1e-6), (
                        other.name,
                        made.reference,
                    )


def _called(function, tensors, order, numbers):
    generator = torch.Generator().manual_seed(5)
    matrices = [torch.randn(6, 6, generator=generator, dtype=torch.float64) for _ in range(3)]
    places, left = iter(order), iter(numbers)
    try:
        return function(*(matrices[next(places)] if tensor else next(left) for tensor in tensors))
    except (RuntimeError, IndexError):
        return None


class TestTwins:
    @pytest.mark.parametrize(
        ("signature", "body", "name"),
        [
            ("f(x)", "torch.log(1 + torch.exp(x))", "softplus"),
            ("f(a)", "-torch.log(torch.sigmoid(-a))", "softplus"),
            ("f(a, b)", "b - 0.37 * a", "sub_scaled"),
            ("f(x)", "torch.maximum(x, 0.2 * x)", "leaky_relu"),
            ("f(x)", "torch.clamp(x, min=0) - 0.7 * torch.clamp(-x, min=0)", "leaky_relu"),
            ("f(x)", "torch.sum(x, dim=-1) / 9", "row_mean"),
            ("f(u, v)", "torch.maximum(u, v) - torch.minimum(u, v)", "abs_diff"),
            ("f(x)", "torch.exp(-0.5 * torch.log(1 + x * x))", "rsqrt_one_plus_square"),
            ("f(w, x, y)", "(1 - w) * x + w * y", "lerp"),
            ("f(a, b, c)", "torch.where(a > 0, b, c)", "where_mask"),
            ("f(p, q, r)", "q * r * 0.77 + p", "addcmul"),
            ("f(x, y)", "torch.sqrt(y * y + x * x)", "hypot"),
            ("f(x)", "torch.where(x > 0, x / (1 + x), x / (1 - x))", "softsign"),
            ("f(x)", "torch.clamp(x, min=0) + 0.37 * (torch.exp(torch.clamp(x, max=0)) - 1)", "elu"),
            ("f(x)", "x * torch.minimum(torch.maximum(x + 3, 0), 6) / 6", "hardswish"),
            ("f(x)", "x * torch.tanh(torch.log1p(torch.exp(x)))", "mish"),
            ("f(x)", "x * (1 + torch.erf(x / 1.4142135623730951))", "gelu_erf"),
            ("f(x)", "torch.clamp(x - 0.5, min=0) + torch.clamp(x + 0.5, max=0)", "softshrink"),
            ("f(a, b)", "a * torch.sigmoid(b) * b", "swiglu"),
            ("f(x)", "(x + 1.234) * (x - 5)", "quadratic"),
            ("f(x)", "torch.mean(x * x, dim=-1) - torch.square(torch.mean(x, dim=-1))", "row_variance"),
            ("f(x)", "torch.argmin(-x, dim=-1)", "row_argmax"),
            ("f(x)", "torch.log(torch.sum(torch.exp(x), dim=-1))", "row_logsumexp"),
            ("f(x)", "torch.sqrt(torch.mean(x * x, dim=-1))", "row_norm"),
            ("f(x)", "x - torch.log(torch.sum(torch.exp(x), dim=-1, keepdim=True))", "log_softmax"),
            ("f(a, b)", "torch.mean(torch.log(1 + torch.exp(a)) - a * b, dim=-1)", "bce_with_logits"),
            ("f(a, b)", "torch.sum(torch.clamp(1 - a * b, min=0), dim=-1)", "hinge_loss"),
        ],
    )
    def test_other_words_for_what_is_held_out(self, signature, body, name):
        kinds = ["tensor"] * (signature.count(",") + 1)
        assert twin(one_line(signature, body), "f", kinds) == name

    @pytest.mark.parametrize("problem", HELD_OUT, ids=lambda each: each.name)
    def test_each_is_its_own_twin(self, problem):
        numbers = [spec for spec in problem.cases[0] if not isinstance(spec, TensorArgument)]
        try:
            assert twin(problem.reference, problem.name, kinds_of(problem), numbers) == problem.name
        except NotPlain:
            assert problem.name in {"matvec", "outer", "flip_rows", "tril"}

    @pytest.mark.parametrize(
        ("signature", "body"),
        [
            ("f(x)", "x / (1 + torch.exp(-x))"),
            ("f(x)", "torch.clamp(x, -1, 1)"),
            ("f(x)", "torch.log(1 + torch.exp(x)) * x"),
            ("f(x)", "torch.amax(x, dim=-1)"),
            ("f(x, y)", "torch.abs(x - y) * y"),
            ("f(x)", "x / torch.sqrt(torch.mean(x * x, dim=-1, keepdim=True) + 1e-5)"),
        ],
    )
    def test_others_are_none(self, signature, body):
        assert twin(one_line(signature, body), "f", ["tensor"] * (signature.count(",") + 1)) is None


class TestPlain:
    @pytest.mark.parametrize("name", sorted(problems()))
    def test_numpy_gives_what_torch_gives(self, name):
        problem = problems()[name]
        if name in {"matmul", "matvec", "outer", "flip_rows", "tril", "transpose"}:
            with pytest.raises(NotPlain):
                run(problem.reference, name, [np.ones((2, 2))] * len(problem.parameters))
            return
        for drawn in evaluated(problem, 1)[:2]:
            arguments = [each.values() if hasattr(each, "shape") else each.value for each in drawn.arguments]
            if name == "where_mask":
                arguments[0] = arguments[0] > 0
            assert np.allclose(
                run(problem.reference, name, arguments), drawn.wanted[0].exact, rtol=1e-12, atol=1e-12
            )

    @pytest.mark.parametrize(
        "body",
        [
            "__import__('os')",
            "x.sum()",
            "torch.load(x)",
            "x @ x",
            "y",
            "torch.sum(x)",
            "torch.exp(x, 1, 2, 3)",
        ],
    )
    def test_anything_else_is_refused(self, body):
        with pytest.raises(NotPlain):
            run(one_line("f(x)", body), "f", [np.ones((2, 2))])

    def test_functions_are_those_of_torch(self):
        x = np.array([-1.5, 0.25, 2.0])
        for name in (
            "erf",
            "sigmoid",
            "rsqrt",
            "relu",
            "reciprocal",
            "square",
            "expm1",
            "log1p",
            "exp2",
            "neg",
        ):
            value = np.abs(x) if name in {"rsqrt", "log1p"} else x
            want = getattr(torch, name)(torch.tensor(value)).numpy()
            assert np.allclose(run(one_line("f(x)", f"torch.{name}(x)"), "f", [value]), want, rtol=1e-12), (
                name
            )
        assert math.isclose(run(one_line("f(x)", "torch.erf(x)"), "f", [np.array(0.5)]).item(), math.erf(0.5))
