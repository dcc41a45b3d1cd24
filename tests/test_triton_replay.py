"""The replay of launch tapes: equal to Triton's own interpreter where that is right, and stricter where it isn't."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("triton")

from rftgym_triton_kernels.replay import preload, replay
from rftgym_triton_kernels.replay.lower import Frontend, Signature

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # tests are no package
from triton_kernel_sources import SOURCE  # noqa: E402
from triton_kernel_sources_launches import launches  # noqa: E402

sys.path.remove(str(HERE))
LAUNCHES = launches()
BFLOAT16 = np.dtype([("bfloat16", np.uint16)])  # marks an array as bfloat16 bits

STOCK = """
import sys, json
import numpy as np
import torch
sys.path[:0] = sys.argv[1:3]
import kernels
from triton_kernel_sources_launches import launches

kept = {}
for number, launch in enumerate(launches()):
    kernel = getattr(kernels, launch.kernel)
    given = {k: torch.from_numpy(v.copy()) if isinstance(v, np.ndarray) else v for k, v in launch.arguments.items()}
    try:
        kernel[launch.grid](**given)
    except Exception as error:
        kept[f"{number}-error"] = np.array(repr(error.__cause__ or error))
        continue
    kept.update({f"{number}-{name}": given[name].numpy() for name in launch.outputs})
np.savez(sys.argv[3], **kept)
"""


def dtype_name(array: np.ndarray[Any, Any]) -> str:
    return "bfloat16" if array.dtype == BFLOAT16 else str(array.dtype)


def view_of(buffer: int, array: np.ndarray[Any, Any]) -> dict[str, Any]:
    strides = [stride // array.itemsize for stride in array.strides]
    return {
        "buffer": buffer,
        "dtype": dtype_name(array),
        "shape": list(array.shape),
        "strides": strides,
        "offset": 0,
    }


def classify(name: str, value: Any) -> dict[str, Any]:
    if name.isupper():
        return {"constexpr": value}
    if value is None:
        return {"none": True}
    return {type(value).__name__: value}


def make_case(kernel: str, grid: tuple[int, ...], arguments: dict[str, Any], outputs: tuple[str, ...]) -> Any:
    """A case whose output arrays are copies of their initial content; and the blobs that belong to it."""
    buffers, operations, passed, results, blobs = [], [], [], [], []
    for name, value in arguments.items():
        if not isinstance(value, np.ndarray):
            passed.append([name, classify(name, value)])
            continue
        buffers.append({"bytes": value.nbytes, "dtype": dtype_name(value), "input": len(blobs)})
        blobs.append(value.tobytes())
        view = view_of(len(buffers) - 1, value)
        if name in outputs:
            buffers.append({"bytes": value.nbytes, "dtype": dtype_name(value), "input": None})
            target = view_of(len(buffers) - 1, value)
            operations.append({"op": "copy", "from": view, "to": target})
            view = target
            results.append(view)
        passed.append([name, {"view": view}])
    whole = [*grid, 1, 1][:3]
    operations.append({"op": "launch", "kernel": kernel, "grid": whole, "arguments": passed, "options": {}})
    return {"buffers": buffers, "ops": operations, "results": results}, blobs


def run_tapes(tapes: list[Any], *, source: str = SOURCE, seconds: float = 60.0) -> list[Any]:
    """For each case its arrays, or its error."""
    blobs: list[bytes] = []
    cases = []
    for tape, own in tapes:
        cases.append({"tape": tape, "inputs": list(range(len(blobs), len(blobs) + len(own)))})
        blobs += own
    header, out = replay(
        json.loads(json.dumps({"source": source, "cases": cases, "budget_seconds": seconds})), blobs
    )
    answers = []
    for case in json.loads(json.dumps(header))["cases"]:
        if case["ok"]:
            answers.append([read(out[result["blob"]], result) for result in case["results"]])
        else:
            answers.append(case["error"])
    return answers


def read(blob: bytes, result: dict[str, Any]) -> Any:
    dtype = BFLOAT16 if result["dtype"] == "bfloat16" else np.dtype(result["dtype"])
    return np.frombuffer(blob, dtype).reshape(result["shape"])


def run(kernel: str, grid: tuple[int, ...], outputs: tuple[str, ...] = ("o_ptr",), **arguments: Any) -> Any:
    (answer,) = run_tapes([make_case(kernel, grid, arguments, outputs)])
    return answer


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Triton's interpreter makes of the launches, run once in a process of its own."""
    folder = tmp_path_factory.mktemp("stock")
    (folder / "kernels.py").write_text(SOURCE)
    target = folder / "kept.npz"
    environment = os.environ | {"TRITON_INTERPRET": "1", "TRITON_CACHE_DIR": str(folder / "cache")}
    command = [sys.executable, "-c", STOCK, str(folder), str(HERE), str(target)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(target) as kept:
        return dict(kept)


@pytest.fixture(scope="module")
def ours() -> list[Any]:
    preload()
    return run_tapes([make_case(item.kernel, item.grid, item.arguments, item.outputs) for item in LAUNCHES])


@pytest.mark.parametrize(
    "number", range(len(LAUNCHES)), ids=[f"{n}-{item.kernel}" for n, item in enumerate(LAUNCHES)]
)
def test_same_as_interpreter(number: int, ours: list[Any], stock: dict[str, Any]) -> None:
    launch = LAUNCHES[number]
    failure = str(stock.get(f"{number}-error", ""))
    if "only 0-dimensional arrays" in failure and version("triton").startswith("3.6"):
        return  # that interpreter cannot loop to a bound which is a tensor: there is nothing to compare with
    assert not failure
    assert isinstance(ours[number], list), ours[number]
    for name, array in zip(launch.outputs, ours[number], strict=True):
        expected = stock[f"{number}-{name}"]
        np.testing.assert_allclose(
            array, expected, rtol=launch.tolerance, atol=launch.tolerance, err_msg=name
        )
        assert array.dtype == expected.dtype


def bits(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """float32 as bfloat16, rounded by torch."""
    import torch

    return torch.from_numpy(array).to(torch.bfloat16).view(torch.uint16).numpy().view(BFLOAT16)


def floats(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return (array.view(np.uint16).astype(np.uint32) << 16).view(np.float32)


def test_bfloat16_is_rounded_at_every_step() -> None:
    import torch

    rng = np.random.default_rng(3)
    x, y = (bits(rng.standard_normal(300).astype(np.float32)) for _ in range(2))
    (out,) = run("narrow", (3,), x_ptr=x, y_ptr=y, o_ptr=np.zeros(300, BFLOAT16), n=300, alpha=0.3, BLOCK=128)
    a, b = (torch.from_numpy(floats(v)).to(torch.bfloat16) for v in (x, y))
    z = a * b + a
    # a float argument is a float32 scalar: the product is taken in float32 and rounded by the store
    expected = (torch.where(z > b, z - b, torch.maximum(z, a)).float() * np.float32(0.3)).to(torch.bfloat16)
    np.testing.assert_array_equal(floats(out), expected.float().numpy())


def test_bfloat16_product_multiplies_numbers() -> None:
    rng = np.random.default_rng(4)
    a, b = (bits(rng.standard_normal((32, 32)).astype(np.float32)) for _ in range(2))
    given = {"a_ptr": a, "b_ptr": b, "c_ptr": np.zeros((32, 32), np.float32), "M": 32, "N": 32, "K": 32}
    (out,) = run("product", (2, 2), ("c_ptr",), **given, BM=16, BN=16, BK=16)
    np.testing.assert_allclose(out, floats(a).astype(np.float64) @ floats(b), rtol=1e-5, atol=1e-5)


def test_device_library() -> None:
    x = np.random.default_rng(5).standard_normal(64).astype(np.float32) * 3
    (out,) = run("library", (1,), x_ptr=x, o_ptr=np.zeros((12, 64), np.float32), BLOCK=64)
    import torch

    t = torch.from_numpy(x).double()
    a = t.abs() + 0.125
    half_away = torch.sign(t) * torch.floor(t.abs() + 0.5)
    expected = [
        torch.tanh(t), torch.log1p(a), torch.expm1(t), a**2.5, torch.erf(t), torch.atan2(t, a), torch.fmod(t, a),
        half_away,
        torch.rsqrt(a) + torch.round(t) + torch.trunc(t), torch.hypot(t, a) + torch.cosh(t) + torch.asin(t / (a + 1)),
        torch.erfinv(t / (a + 1)), torch.exp(t),
    ]  # fmt: skip
    np.testing.assert_allclose(out, torch.stack(expected).numpy(), rtol=3e-6, atol=2e-6)


@pytest.mark.parametrize("missing", [True, False])
def test_calls_and_constants(missing: bool) -> None:
    rng = np.random.default_rng(6)
    x = rng.standard_normal(24).astype(np.float32)
    extra = None if missing else rng.standard_normal(24).astype(np.float32)
    given = {
        "x_ptr": x,
        "o_ptr": np.zeros(24, np.float32),
        "missing_ptr": extra,
        "FLAG": True,
        "KIND": "double",
    }
    (out,) = run("calls", (2, 3, 4), **given, DTYPE={"dtype": "float16"})
    pid = np.arange(24)
    scaled = (x * np.where(pid > 3, pid * 2, pid - 1).astype(np.float32) + np.float32(2.5)).astype(np.float16)
    expected = (scaled.astype(np.float32) + (0 if extra is None else extra) + np.float32(1)) * 2
    np.testing.assert_allclose(out, expected, rtol=1e-6)


ERRORS = [
    ("write_everywhere", (4,), {"n": 64, "OFFSET": 1, "BLOCK": 16}, "out-of-bounds", "past the end of a buffer of 64"),
    ("write_everywhere", (4,), {"n": 64, "OFFSET": -1, "BLOCK": 16}, "out-of-bounds", "before the start of a buffer"),
    ("write_everywhere", (4,), {"n": 64, "OFFSET": 2**30, "BLOCK": 16}, "out-of-bounds", "store"),
    ("read_everywhere", (4,), {"x_ptr": np.ones(64, np.float32), "OFFSET": 1, "BLOCK": 16}, "out-of-bounds", "load"),
    ("write_own_number", (4,), {}, "race", "different values"),
    ("write_own_number", (2,), {}, "race", "store"),
    ("write_lanes_together", (1,), {"BLOCK": 16}, "race", "lanes"),
    ("read_neighbour", (8,), {}, "race", "another program"),
    ("shift_in_place", (4,), {"n": 64, "BLOCK": 16}, "race", "another program"),
    ("mixed_update", (3,), {}, "race", "atomic"),
    ("assembly", (1,), {}, "unsupported", "assembly"),
    ("ill_typed", (1,), {}, "exception", "power of 2"),
    ("unaligned", (1,), {}, "misaligned", "4 bytes"),
    ("no_such_kernel", (1,), {}, "exception", "no_such_kernel"),
]  # fmt: skip


@pytest.mark.parametrize(("kernel", "grid", "arguments", "kind", "words"), ERRORS)
def test_mistakes_are_found(
    kernel: str, grid: tuple[int, ...], arguments: dict[str, Any], kind: str, words: str
) -> None:
    error = run(
        kernel, grid, o_ptr=np.zeros(64, np.int32 if kernel == "mixed_update" else np.float32), **arguments
    )
    assert isinstance(error, dict), "nothing was found"
    assert error["kind"] == kind, error
    assert words in error["message"], error
    assert error["kernel"] == kernel
    if kind in {"out-of-bounds", "race", "misaligned", "unsupported"}:
        body = SOURCE.splitlines()[error["line"] - 1]
        assert any(name in body for name in ("tl.load", "tl.store", "tl.atomic", "tl.inline_asm")), body


def test_inputs_must_not_change() -> None:
    tape, blobs = make_case("update_in_place", (4,), {"o_ptr": np.zeros(64, np.float32), "BLOCK": 16}, ())
    (error,) = run_tapes([(tape, blobs)])
    assert error["kind"] == "input-changed"
    (answer,) = run_tapes(
        [make_case("write_same", (4,), {"o_ptr": np.full(16, 7, np.float32), "BLOCK": 16}, ())]
    )
    assert answer == []  # what was there already may be written again


def test_unwritten_memory_is_poison() -> None:
    buffers = [{"bytes": 256, "dtype": "float32", "input": None}]
    view = {"buffer": 0, "dtype": "float32", "shape": [64], "strides": [1], "offset": 0}
    launch = {"op": "launch", "kernel": "write_everywhere", "grid": [2, 1, 1], "options": {}}
    launch["arguments"] = [
        ["o_ptr", {"view": view}],
        *[[n, {"constexpr": v}] for n, v in (("OFFSET", 0), ("BLOCK", 16))],
    ]
    launch["arguments"].insert(1, ["n", {"int": 64}])  # type: ignore[attr-defined]
    ((out,),) = run_tapes([({"buffers": buffers, "ops": [launch], "results": [view]}, [])])
    np.testing.assert_array_equal(out, np.r_[np.ones(32), np.full(32, np.nan)].astype(np.float32))


def test_views_fills_and_casts() -> None:
    values = np.arange(24, dtype=np.float32)
    source = {"buffer": 0, "dtype": "float32", "shape": [4, 6], "strides": [1, 4], "offset": 0}
    target = {"buffer": 1, "dtype": "bfloat16", "shape": [4, 6], "strides": [6, 1], "offset": 8}
    corner = {"buffer": 1, "dtype": "bfloat16", "shape": [2, 2], "strides": [6, 1], "offset": 8}
    tape = {
        "buffers": [
            {"bytes": 96, "dtype": "float32", "input": 0},
            {"bytes": 64, "dtype": "bfloat16", "input": None},
        ],
        "ops": [{"op": "copy", "from": source, "to": target}, {"op": "fill", "to": corner, "value": -1.5}],
        "results": [target],
    }
    ((out,),) = run_tapes([(tape, [values.tobytes()])])
    expected = values.reshape(6, 4).T.copy()
    expected[:2, :2] = -1.5
    np.testing.assert_array_equal(floats(out), expected)
    tape["ops"].append({"op": "fill", "to": source, "value": 0})  # type: ignore[attr-defined]
    (error,) = run_tapes([(tape, [values.tobytes()])])
    assert error["kind"] == "input-changed"


@pytest.mark.parametrize("by_number", [False, True])
def test_the_last_program_may_finish_for_all(by_number: bool) -> None:
    x = np.arange(16 * 9, dtype=np.float32)
    given = {"x_ptr": x, "parts_ptr": np.zeros(9, np.float32), "count_ptr": np.zeros(1, np.int32)}
    outputs = ("parts_ptr", "count_ptr", "o_ptr")
    answer = run(
        "last_one_sums", (9,), outputs, **given, o_ptr=np.zeros(1, np.float32), BY_NUMBER=by_number, BLOCK=16
    )
    if by_number:  # the highest number needn't come last
        assert answer["kind"] == "race"
    else:
        assert answer[2] == x.sum()


def test_time_is_bounded() -> None:
    (error,) = run_tapes(
        [make_case("forever", (2,), {"o_ptr": np.zeros(1, np.float32)}, ("o_ptr",))], seconds=1.0
    )
    assert error["kind"] == "timeout"


def test_one_bad_case_leaves_the_others() -> None:
    bad = make_case(
        "write_everywhere",
        (5,),
        {"o_ptr": np.zeros(64, np.float32), "n": 1, "OFFSET": 0, "BLOCK": 16},
        ("o_ptr",),
    )
    good = make_case(
        "write_everywhere",
        (4,),
        {"o_ptr": np.zeros(64, np.float32), "n": 1, "OFFSET": 0, "BLOCK": 16},
        ("o_ptr",),
    )
    answers = run_tapes([good, bad, good])
    assert [isinstance(answer, dict) for answer in answers] == [False, True, False]
    assert answers[2][0].tolist() == [1.0] * 64


def test_messages_never_quote_data() -> None:
    secret = np.full(64, 123456.78, np.float32)
    error = run("read_everywhere", (5,), x_ptr=secret, o_ptr=np.zeros(80, np.float32), OFFSET=0, BLOCK=16)
    assert "123456" not in json.dumps(error)


@settings(max_examples=25)
@given(
    n=st.integers(1, 700),
    block=st.sampled_from([16, 32, 128]),
    dtype=st.sampled_from(["float32", "float16", "int64", "int32", "uint8", "float64"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_elementwise_of_any_size(n: int, block: int, dtype: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = (rng.integers(-50, 50, n).astype(dtype) for _ in range(2))
    (out,) = run("add", (-(-n // block),), x_ptr=x, y_ptr=y, o_ptr=np.zeros(n, dtype), n=n, BLOCK=block)
    np.testing.assert_array_equal(out, x + y)


@settings(max_examples=20)
@given(rows=st.sampled_from([1, 2, 16]), columns=st.sampled_from([2, 8, 64]), seed=st.integers(0, 2**32 - 1))
def test_reductions_of_any_shape(rows: int, columns: int, seed: int) -> None:
    x = np.random.default_rng(seed).integers(-8, 8, (rows, columns)).astype(np.float32)
    given = {"x_ptr": x, "f_ptr": np.zeros((4, rows), np.float32), "i_ptr": np.zeros((3, rows), np.int32)}
    numbers, places = run("reductions", (1,), ("f_ptr", "i_ptr"), **given, ROWS=rows, COLUMNS=columns)
    np.testing.assert_array_equal(numbers[0], x.sum(1))
    np.testing.assert_array_equal(numbers[1], x.max(1))
    np.testing.assert_array_equal(numbers[2], x.min(1) + x.max())
    np.testing.assert_array_equal(places[0], 2 * x.argmax(1))  # ties go to the left
    np.testing.assert_array_equal(places[1], x.argmin(1))
    whole = x.astype(np.int32)
    np.testing.assert_array_equal(places[2], np.bitwise_xor.reduce(whole, axis=1) + (x > 0).sum(1))


@settings(max_examples=15)
@given(lengths=st.lists(st.integers(0, 100), min_size=1, max_size=20), seed=st.integers(0, 2**32 - 1))
def test_programs_may_part_ways(lengths: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 9, (len(lengths), 100)).astype(np.float32)
    given = {
        "x_ptr": x,
        "lengths_ptr": np.array(lengths, np.int32),
        "o_ptr": np.zeros(len(lengths), np.float32),
    }
    (out,) = run("loops", (len(lengths),), **given, stride=100, BLOCK=16)
    for row, length in enumerate(lengths):
        value, steps = float(x[row, :length].sum()), 0
        while value < 100:
            value, steps = value * 2 + 50, steps + 1
        last = max(0, (length - 1) // 16 * 16)
        assert out[row] == value + 3 * length + sum(range(length, 0, -2)) + last + steps


def test_takes_what_is_compiled_already() -> None:
    x = np.arange(64, dtype=np.float32)
    arguments = {"x_ptr": x, "o_ptr": np.zeros(64, np.float32), "OFFSET": 0, "BLOCK": 16}
    tape, blobs = make_case("read_everywhere", (4,), arguments, ("o_ptr",))
    types = (("x_ptr", "*fp32"), ("o_ptr", "*fp32"), ("OFFSET", "constexpr"), ("BLOCK", "constexpr"))
    wanted = Signature("read_everywhere", types, (("OFFSET", 0), ("BLOCK", 16)))
    text = Frontend(SOURCE, "kernels").lower(wanted)
    for operation in tape["ops"]:
        operation["lowered"] = len(blobs)
    cases = [{"tape": tape, "inputs": list(range(len(blobs)))}]
    header = {"source": "this is no module", "cases": cases, "budget_seconds": 60.0}
    said, out = replay(header, [*blobs, text.encode()])
    assert said["cases"][0]["ok"], said
    np.testing.assert_array_equal(np.frombuffer(out[0], np.float32), x)
    # what can't be run is compiled from the source instead
    text = text.replace("tt.store", "tt.unheard_of")
    said, out = replay({**header, "source": SOURCE}, [*blobs, text.encode()])
    assert said["cases"][0]["ok"], said


def test_forked_child_of_a_warm_process() -> None:
    preload()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        answer = run("write_same", (4,), o_ptr=np.zeros(16, np.float32), BLOCK=16)
        os.write(writing, b"1" if isinstance(answer, list) and answer[0].tolist() == [7.0] * 16 else b"0")
        os._exit(0)
    os.close(writing)
    assert os.read(reading, 1) == b"1"
    os.waitpid(child, 0)
    os.close(reading)


def test_needs_no_torch_and_runs_no_wrapper() -> None:
    code = (
        "import sys\nfrom rftgym_triton_kernels.replay import preload, replay\npreload()\n"
        "assert 'torch' not in sys.modules, 'torch was imported'"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
