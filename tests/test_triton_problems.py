"""Problems of the Triton kernels environment: files, cases, references."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from rftgym.errors import UsageError
from rftgym.sandbox import Limits
from rftgym_triton_kernels import reference
from rftgym_triton_kernels.cases import Tensor, case_seed, choose_reading, decoys, make_inputs, pack
from rftgym_triton_kernels.compare import Failed, Replica, discriminating, mismatch, read_results
from rftgym_triton_kernels.dtypes import FLOATS
from rftgym_triton_kernels.env import TritonKernelsEnv
from rftgym_triton_kernels.problems import ProblemRow, problem_of, problems, tasks
from rftgym_triton_kernels.trying import sandboxed

DOUBLE = {
    "name": "double",
    "signature": "double(x)",
    "doc": "Twice.",
    "reference": "def double(x):\n    return x + x\n",
    "cases": [[{"shape": [3]}]],
}
BUNDLED = sorted(problems())


def written(folder, *rows):
    path = folder / "problems.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def problem(**fields):
    return ProblemRow.model_validate({**DOUBLE, **fields}).problem()


def evaluated(found, seed=b"a key", replica=0):
    """Inputs and results of all cases of a problem, in this process: for references of our own."""
    inputs = [
        make_inputs(case, case_seed(seed, found.name, index, replica), swapped=found.swapped)
        for index, case in enumerate(found.cases)
    ]
    entries, blobs = pack(inputs)
    header, out = reference.evaluate({"source": found.reference, "name": found.name, "cases": entries}, blobs)
    return inputs, read_results(json.loads(json.dumps(header)), out, len(inputs))


def in_own_dtypes(source, name, arguments, change=lambda tensor: tensor):
    """What a function makes of a case in its own dtypes, with each tensor changed before."""
    ((entry,), blobs) = pack([arguments])
    scope = {"torch": torch}
    exec(source, scope)
    made = []
    for each in entry["arguments"]:
        if "value" in each:
            made.append(each["value"])
            continue
        meta = each["tensor"]
        dtype = getattr(torch, meta["dtype"])
        storage = bytearray(blobs[meta["blob"]])
        flat = torch.frombuffer(storage, dtype=dtype) if storage else torch.empty(0, dtype=dtype)
        made.append(change(flat.as_strided(meta["shape"], meta["strides"])))
    return scope[name](*made)


def verdict(result, wanted, tolerance):
    data = result.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if result.numel() else b""
    return mismatch(data, str(result.dtype).removeprefix("torch."), result.shape, wanted, tolerance)


def passed_by_constants(found, replicas):
    """Whether all drawings of a case are passed by 0, 1, and the mean of the first."""
    for constant in (0.0, 1.0, float(replicas[0].wanted[0].exact.mean())):
        said = []
        for replica in replicas:
            result = in_own_dtypes(found.reference, found.name, replica.arguments)
            wanted = replica.wanted[0]
            said.append(verdict(torch.full_like(result, constant), wanted, found.tolerance(wanted.dtype)))
        yield not any(said)


class TestRows:
    def test_a_line_becomes_a_task_and_a_task_a_problem(self, tmp_path):
        row = {
            **DOUBLE,
            "signature": "double(x: torch.Tensor, k=2) -> torch.Tensor",
            "reference": "def double(x, k=2): return x + x",
            "cases": [
                [{"shape": [3, 4], "dtype": "bfloat16", "t": True}],
                [{"shape": []}, None],
                [{"shape": [2]}, [0, 1]],
            ],
            "tol": {"float32": [0, 1e-3]},
            "layout_op": True,
        }
        task = TritonKernelsEnv.read_tasks(written(tmp_path, row)).by_id("double")
        found = problem_of(task)
        assert (found.name, found.parameters, found.layout_op) == ("double", ("x", "k"), True)
        assert found.cases[0][0].dtype == "bfloat16" and found.cases[0][0].t
        assert found.cases[1][1] is None and found.cases[2][1] == (0, 1)
        assert found.tolerance("float32") == (0, 1e-3)
        assert found.tolerance("float16")[0] > 0 and found.tolerance("int64") == (0, 0)

    def test_constants_keep_their_types(self):
        found = problem(
            signature="double(x, *rest)",
            reference="def double(x, *rest): return x",
            cases=[[{"shape": [1]}, True, 1, 1.0, "sum", None, float("-inf")]],
        )
        assert [type(each) for each in found.cases[0][1:]] == [bool, int, float, str, type(None), float]

    def test_the_id_is_the_name_unless_given(self, tmp_path):
        rows = written(tmp_path, DOUBLE, {**DOUBLE, "id": "other", "split": "test", "difficulty": 0.5})
        found = TritonKernelsEnv.read_tasks(rows)
        assert found.by_id("double").split == "train"
        assert (found.by_id("other").split, found.by_id("other").difficulty) == ("test", 0.5)

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"name": "no name"}, ["name", "no name"]),
            ({"signature": "double(x"}, ["signature", "double(x"]),
            ({"signature": "triple(x)"}, ["signature", "triple"]),
            ({"signature": "double(x, *, k)"}, ["signature", "position"]),
            ({"reference": "def double(x:\n"}, ["reference", "not Python"]),
            ({"reference": "def triple(x): return x"}, ["reference", "double"]),
            ({"cases": []}, ["cases"]),
            ({"cases": [[{"shape": [3]}], []]}, ["cases[1]", "0 arguments"]),
            ({"cases": [[{"shape": [3], "dtype": "float8"}]]}, ["cases.0.0", "dtype", "float16"]),
            ({"cases": [[{"shape": [-3]}]]}, ["cases.0.0", "shape"]),
            ({"cases": [[{"shape": [3], "t": True}]]}, ["cases.0.0", "transposes"]),
            ({"cases": [[{"shape": [10**5, 10**5]}]]}, ["cases.0.0", "elements"]),
            ({"cases": [[{"shape": [3], "sclae": 2}]]}, ["cases.0.0", "sclae"]),
            ({"cases": [[{"shape": [3], "dtype": "int8", "high": 1000}]]}, ["cases.0.0", "int8"]),
            ({"cases": [[{"dtype": "float32"}]]}, ["cases.0.0", "shape"]),
            ({"cases": [[{"shape": [3], "scale": float("inf")}]]}, ["cases.0.0", "scale"]),
            ({"tol": {"float32": [1e-3]}}, ["tol.float32"]),
            ({"tol": {"float32": [-1, 0]}}, ["tol", "float32"]),
            ({"tol": {"int64": [0, 0]}}, ["tol"]),
            ({"layout_op": "perhaps"}, ["layout_op"]),
            ({"toll": {}}, ["toll"]),
        ],
    )
    def test_an_error_names_the_line_and_the_field(self, tmp_path, change, words):
        path = written(tmp_path, {**DOUBLE, "id": "right"}, {**DOUBLE, **change})
        with pytest.raises(UsageError) as caught:
            TritonKernelsEnv.read_tasks(path)
        message = str(caught.value)
        assert "line 2" in message
        for word in words:
            assert word in message


class TestBundled:
    def test_splits_and_categories(self):
        found = problems().values()
        assert Counter(each.split for each in found) == {"train": 13, "validation": 8, "test": 24}
        every = {"matrix", "activation", "element-wise", "reduction", "normalisation", "loss", "layout"}
        for split in ("train", "test"):
            assert {each.category for each in found if each.split == split} == every
        assert tasks().size("test") == 24 and tasks().by_id("softmax").split == "train"

    @pytest.mark.parametrize("name", BUNDLED)
    def test_cases_cover_what_kernels_get_wrong(self, name):
        specs = [case[-1] if name == "axpy" else case[0] for case in problems()[name].cases]
        shapes = [np.prod(spec.shape, dtype=int) for spec in specs]
        assert 6 <= len(specs) <= 8 and 0 in shapes and 1 in shapes and max(shapes) <= 20_000
        dtypes = {spec.dtype for case in problems()[name].cases for spec in case if hasattr(spec, "dtype")}
        assert {"float32", "float16", "bfloat16"} <= dtypes
        if name != "outer":
            assert any(spec.t for case in problems()[name].cases for spec in case if hasattr(spec, "t"))

    @pytest.mark.parametrize("name", BUNDLED)
    def test_a_literal_translation_passes_and_lazy_answers_do_not(self, name):
        found = problems()[name]
        drawn = [evaluated(found, replica=replica) for replica in (0, 1)]
        counting = 0
        for index in range(len(found.cases)):
            replicas = []
            for inputs, results in drawn:
                wanted = results[index]
                assert not isinstance(wanted, Failed), wanted
                assert all(np.isfinite(each.values).all() for each in wanted)
                result = in_own_dtypes(found.reference, name, inputs[index])
                assert verdict(result, wanted[0], found.tolerance(wanted[0].dtype)) is None
                replicas.append(Replica(inputs[index], wanted))
            if discriminating(found, replicas):
                counting += 1
                assert replicas[0].wanted[0].values.size
                assert not any(passed_by_constants(found, replicas))
        assert counting >= 4

    @pytest.mark.parametrize("name", [name for name in BUNDLED if name not in {"row_argmax", "where_mask"}])
    def test_computing_in_half_precision_fails(self, name):
        found = problems()[name]
        inputs, results = evaluated(found)
        failed = 0
        for arguments, (wanted,) in zip(inputs, results, strict=True):
            if wanted.dtype == "float32" and wanted.values.size > 1:
                result = in_own_dtypes(
                    found.reference, name, arguments, lambda x: x.half() if x.is_floating_point() else x
                )
                failed += verdict(result.float(), wanted, found.tolerance("float32")) is not None
        assert failed >= 3

    @pytest.mark.parametrize(
        ("name", "body"),
        [
            ("silu", "return x * (torch.exp(x) / (1 + torch.exp(x)))"),
            ("softmax", "return torch.exp(x) / torch.sum(torch.exp(x), dim=-1, keepdim=True)"),
            ("softplus", "return torch.log(1 + torch.exp(x))"),
            ("mish", "return x * torch.tanh(torch.log(1 + torch.exp(x)) - 1e-4)"),
            ("row_logsumexp", "return torch.log(torch.sum(torch.exp(x), dim=-1))"),
            ("log_softmax", "return x - torch.log(torch.sum(torch.exp(x), dim=-1, keepdim=True))"),
            (
                "row_variance",
                "return torch.mean(x * x, dim=-1) - torch.mean(x, dim=-1) * torch.mean(x, dim=-1)",
            ),
            ("row_variance", "return torch.var(x, dim=-1)"),
            ("row_sum", "h = x.shape[1] // 2 + 1\n    return torch.sum(x[:, :h], dim=-1) * x.shape[1] / h"),
            ("row_mean", "return torch.mean(x[:, ::2], dim=-1)"),
            ("row_max", "return torch.clamp(torch.amax(x, dim=-1), min=0)"),
            ("gelu_erf", "return 0.5 * x * (1 + torch.tanh(0.7978845608 * (x + 0.044715 * x * x * x)))"),
        ],
    )
    def test_subtly_wrong_answers_fail(self, name, body):
        found = problems()[name]
        inputs, results = evaluated(found)
        source = f"def {found.signature}:\n    {body}\n"
        said = [
            verdict(in_own_dtypes(source, name, arguments), wanted, found.tolerance(wanted.dtype))
            for arguments, (wanted,) in zip(inputs, results, strict=True)
        ]
        assert any(said)


class TestInputs:
    def test_the_same_seed_gives_the_same_bytes(self):
        case = problems()["lerp"].cases[0]
        assert make_inputs(case, b"seed") == make_inputs(case, b"seed")
        first, second, _ = make_inputs(case, b"seed")
        assert first.data != second.data
        assert make_inputs(case, b"other")[0].data != first.data
        assert decoys(case)[0].data != first.data and decoys(case)[0].shape == first.shape

    def test_seeds_depend_on_everything(self):
        seeds = {
            case_seed(key, name, case, replica)
            for key in (b"k", b"l")
            for name in ("f", "g")
            for case in (0, 1)
            for replica in (0, 1)
        }
        assert len(seeds) == 16

    def test_kinds(self):
        made = make_inputs(
            problem(
                signature="double(*x)",
                cases=[
                    [
                        {"shape": [4000], "kind": "mask"},
                        {"shape": [4000], "kind": "sign", "scale": 2},
                        {"shape": [4000], "kind": "uniform", "offset": 1},
                        {"shape": [4000], "scale": 3, "offset": 100},
                        {"shape": [4000], "dtype": "int32", "high": 7},
                        {"shape": [4000], "dtype": "uint8"},
                    ]
                ],
            ).cases[0],
            1,
        )
        mask, sign, uniform, normal, whole, small = (each.values() for each in made)
        assert [each.dtype for each in made] == ["bool", "float32", "float32", "float32", "int32", "uint8"]
        assert set(np.unique(mask)) == {0, 1} and abs(mask.mean() - 0.5) < 0.1
        assert set(np.unique(sign)) == {-2, 2}
        assert 1 <= uniform.min() < 1.1 and 1.9 < uniform.max() <= 2
        assert abs(normal.mean() - 100) < 0.5 and abs(normal.std() - 3) < 0.3
        assert (whole.min(), whole.max()) == (0, 6) and (small.min(), small.max()) == (0, 9)

    def test_t_transposes_what_was_built(self):
        (made,) = make_inputs(problem(cases=[[{"shape": [2, 3, 5], "t": True}]]).cases[0], 1)
        assert (made.shape, made.strides) == ((2, 5, 3), (15, 1, 5))
        (plain,) = make_inputs(problem(cases=[[{"shape": [2, 3, 5]}]]).cases[0], 1)
        assert np.array_equal(made.values(), plain.values().swapaxes(-1, -2))

    @pytest.mark.parametrize(("other", "swapped"), [([5, 3], False), ([3, 5], True)])
    def test_the_reading_of_t_is_the_one_that_the_reference_can_do(self, other, swapped):
        two = problem(
            signature="double(x, y)",
            reference="def double(x, y): return x + y",
            cases=[[{"shape": [4, 4]}, {"shape": [4, 4]}], [{"shape": [3, 5], "t": True}, {"shape": other}]],
        )
        settled = choose_reading(two, reference.evaluate)
        assert settled == replace(two, swapped=swapped)
        _, results = evaluated(settled)
        assert not any(isinstance(each, Failed) for each in results)
        (made, _) = make_inputs(settled.cases[1], 1, swapped=settled.swapped)
        assert made.shape == tuple(other) and made.strides == (1, other[0])


class TestReference:
    def test_dtype_from_the_own_run_values_from_float64(self):
        found = problem(
            reference="def double(x):\n    return x * 0.1, x.argmax(), x > 0, x.float().sum()\n",
            cases=[[{"shape": [500], "dtype": "float16"}]],
        )
        ((arguments,), ((scaled, index, mask, total),)) = evaluated(found)
        values = arguments[0].values()
        assert [each.dtype for each in (scaled, index, mask, total)] == [
            "float16",
            "int64",
            "bool",
            "float32",
        ]
        assert np.array_equal(scaled.exact, values * 0.1)
        assert index.values == values.argmax() and np.array_equal(mask.values, values > 0)
        assert abs(total.exact - values.sum()) < 1e-11  # float() did not cost the float64 run its digits

    def test_limits_of_the_dtype_stay_those_of_the_case(self):
        source = "def double(x):\n    return torch.where(x > 0, x, torch.finfo(x.dtype).min)\n"
        (_, ((wanted,),)) = evaluated(problem(reference=source, cases=[[{"shape": [50]}]]))
        assert np.isfinite(wanted.values).all() and wanted.values.min() == np.finfo(np.float32).min

    def test_inputs_survive_a_reference_that_writes_into_them(self):
        source = "def double(x):\n    x += 1\n    return x\n"
        ((arguments,), ((wanted,),)) = evaluated(problem(reference=source, cases=[[{"shape": [5]}]]))
        assert np.array_equal(wanted.exact, arguments[0].values() + 1)

    def test_a_case_that_fails_says_why_and_the_others_go_on(self):
        source = "def double(x):\n    if len(x) == 2: raise KeyError('two')\n    return x\n"
        _, results = evaluated(problem(reference=source, cases=[[{"shape": [2]}], [{"shape": [3]}]]))
        assert isinstance(results[0], Failed) and "two" in results[0].message
        assert results[1][0].shape == (3,)

    @pytest.mark.parametrize(
        "source",
        [
            "def double(x): return 1",
            "def double(x): return x + 1j",
            "double = 3",
            "raise SystemExit\ndef double(x): 0",
        ],
    )
    def test_what_is_no_tensor_is_a_failure(self, source):
        _, results = evaluated(
            problem(reference=source) if source != "double = 3" else replace(problem(), reference=source)
        )
        assert isinstance(results[0], Failed)

    def test_in_the_sandbox_a_hostile_reference_only_fails(self, tmp_path):
        target = tmp_path / "owned"
        hostile = problem(
            reference=f"def double(x):\n    open({str(target)!r}, 'w').write('x')\n    return x\n"
        )
        endless = problem(reference="def double(x):\n    while True: pass\n")
        right = problem()
        said = {}
        with sandboxed(Limits(wall_seconds=3, cpu_seconds=3)) as evaluate:
            for name, each in {"hostile": hostile, "endless": endless, "right": right}.items():
                entries, blobs = pack(decoys(case) for case in each.cases)
                header, out = evaluate({"source": each.reference, "name": each.name, "cases": entries}, blobs)
                (said[name],) = read_results(header, out, 1)
        assert isinstance(said["hostile"], Failed) and not target.exists()
        assert isinstance(said["endless"], Failed) and "timeout" in said["endless"].message
        tensor = decoys(right.cases[0])[0]
        assert isinstance(tensor, Tensor) and tensor.dtype in FLOATS
        assert np.array_equal(said["right"][0].exact, tensor.values() * 2)


def test_cases_that_would_fill_the_memory_are_refused() -> None:
    row = {"name": "f", "signature": "f(x)", "reference": "def f(x):\n    return x\n"}
    case = [{"shape": [4096, 4096]}]
    assert ProblemRow.model_validate({**row, "cases": [case] * 4})
    with pytest.raises(ValueError, match="elements in all"):
        ProblemRow.model_validate({**row, "cases": [case] * 5})
