"""Stage 3 of the kernel judge: a launch tape is believed in nothing."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftgym_triton_kernels.tape import MOST_PROGRAMS, Tape, View, validate
from rftgym_triton_kernels.verdict import Refused


def view(buffer: int, shape=(4, 4), strides=(4, 1), offset=0, dtype="float32") -> dict[str, Any]:
    return {
        "buffer": buffer,
        "dtype": dtype,
        "shape": list(shape),
        "strides": list(strides),
        "offset": offset,
    }


def launch(*buffers: int, grid=(1, 1, 1), kernel="k", **options: Any) -> dict[str, Any]:
    arguments = [[name, {"view": view(buffer)}] for name, buffer in zip(("x", "out"), buffers, strict=True)]
    return {"op": "launch", "kernel": kernel, "grid": list(grid), "arguments": [*arguments, ["n", {"int": 16}]],
            "options": options}  # fmt: skip


def tape(
    *ops: dict[str, Any], results: list[dict[str, Any]] | None = None, buffers: int = 3
) -> dict[str, Any]:
    memory = [{"bytes": 64, "dtype": "float32", "input": 0}]
    memory += [{"bytes": 64, "dtype": "float32", "input": None} for _ in range(buffers - 1)]
    return {"buffers": memory, "ops": list(ops), "results": [view(1)] if results is None else results}


def checked(raw: object, *, layout_op: bool = False) -> Tape:
    return validate(raw, kernels={"k": ("x", "out", "n")}, input_bytes=[64], inputs=1, layout_op=layout_op)


def refusal(raw: object, **how: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        checked(raw, **how)
    return caught.value


COPY = {"op": "copy", "from": view(0), "to": view(1)}
TURN = {"op": "copy", "from": view(0, strides=(1, 4)), "to": view(2)}
FILL = {"op": "fill", "to": view(1), "value": 0.0}


@pytest.mark.parametrize(
    "ops",
    [
        [launch(0, 1)],
        [FILL, launch(0, 1)],
        [COPY, launch(0, 1)],
        [launch(0, 2), {"op": "copy", "from": view(2), "to": view(1)}],
        [launch(0, 1, num_warps=8, num_stages=3, num_ctas=1)],
        [launch(0, 1, grid=(0, 1, 1)), launch(0, 1)],
    ],
)
def test_honest_tapes_pass(ops):
    assert len(checked(tape(*ops)).ops) == len(ops)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (tape(), "no kernel wrote"),
        (tape(FILL), "no kernel wrote"),
        (tape(COPY), "no kernel wrote"),
        (tape(launch(0, 2)), "no kernel wrote"),
        (tape(launch(0, 1, grid=(0, 1, 1))), "no kernel wrote"),
        (tape(launch(0, 1), COPY), "no kernel wrote"),
        (tape(launch(0, 1), FILL), "no kernel wrote"),
        (tape(launch(0, 1), results=[view(0)]), "an input is returned"),
        (tape(launch(0, 1), results=[view(1, offset=1)]), "past the end"),
        (tape(launch(0, 1), results=[view(1, strides=(400, 1))]), "past the end"),
        (tape(launch(0, 1), results=[view(7)]), "no buffer"),
        (tape(launch(0, 1), results=[view(1, strides=(1,))]), "no buffer"),
        (tape(launch(0, 1), results=[view(1, strides=(-4, 1))]), "no launch tape"),
        (tape(launch(0, 1, kernel="evil")), "no vetted kernel"),
        (tape({**launch(0, 1), "arguments": []}), "not its parameters"),
        (tape({**launch(0, 1), "op": "exec"}), "no launch tape"),
        (tape({"op": "copy", "from": view(0, shape=(2, 2)), "to": view(1)}), "two shapes"),
        ({**tape(launch(0, 1)), "more": 1}, "no launch tape"),
        ([], "no launch tape"),
        (None, "no launch tape"),
    ],
)
def test_what_no_honest_wrapper_records_is_a_cheat(raw, words):
    found = refusal(raw)
    assert (found.stage, found.kind) == ("validate", "cheat") and words in found.message


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"grid": [1, 70_000, 1]}, "launch"),
        ({"grid": [MOST_PROGRAMS + 1, 1, 1]}, "limit"),
        ({"options": {"num_warps": 3}}, "launch"),
        ({"options": {"turbo": True}}, "launch"),
    ],
)
def test_an_impossible_launch_fails_without_being_a_cheat(change, kind):
    assert refusal(tape({**launch(0, 1), **change})).kind == kind


@pytest.mark.parametrize("value", [{}, {"int": 1, "float": 2.0}, {"int": True}, {"int": 2**65}, {"pickle": "x"},
                                   {"view": {}}, {"constexpr": [1]}, {"float": "1"}])  # fmt: skip
def test_an_argument_is_one_plain_value(value):
    raw = tape(launch(0, 1))
    raw["ops"][0]["arguments"][2][1] = value
    assert refusal(raw).kind == "cheat"


def test_a_layout_problem_leaves_no_layout_to_torch():
    assert checked(tape(TURN, launch(2, 1)))
    assert "copy changes the layout" in refusal(tape(TURN, launch(2, 1)), layout_op=True).message
    turned = tape(launch(0, 1), results=[view(1, strides=(1, 4))])
    assert checked(turned)
    assert "view changes the layout" in refusal(turned, layout_op=True).message


def test_an_argument_may_be_made_contiguous_whatever_the_problem():
    raw = tape(TURN, launch(2, 1))
    how = {"kernels": {"k": ("x", "out", "n")}, "input_bytes": [64], "inputs": 1, "layout_op": True}
    assert validate(raw, **how, arguments=[((4, 4), (1, 4))])
    for other in ([((4, 4), (4, 1))], [((2, 4), (1, 4))], []):
        with pytest.raises(Refused):
            validate(raw, **how, arguments=other)


def test_a_buffer_is_the_input_that_it_says():
    raw = tape(launch(0, 1))
    raw["buffers"][0]["bytes"] = 128
    assert "claims" in refusal(raw).message
    raw["buffers"][0].update(bytes=64, input=3)
    assert "claims" in refusal(raw).message


def test_nothing_in_needs_no_kernel():
    raw = {"buffers": [{"bytes": 0, "dtype": "float32", "input": 0}, {"bytes": 16, "dtype": "float32", "input": None}],
           "ops": [{"op": "fill", "to": view(1, (4,), (1,)), "value": 0.0}],
           "results": [view(1, (4,), (1,))]}  # fmt: skip
    assert validate(raw, kernels={}, input_bytes=[0], inputs=1)


paths = st.lists(st.integers(0, 6), max_size=6)
values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.just([]), st.just({})
)


@given(path=paths, value=values)
def test_a_damaged_tape_is_refused_or_still_inside_its_buffers(path, value):
    raw: Any = copy.deepcopy(tape(COPY, FILL, launch(0, 1), launch(0, 2)))
    node = raw
    for step in path:
        keys = (
            list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
        )
        if not keys:
            break
        key = keys[step % len(keys)]
        if not isinstance(node[key], dict | list):
            node[key] = value
            break
        node = node[key]
    try:
        passed = checked(raw)
    except Refused:
        return
    views = [View.model_validate(each) for each in _views(json.loads(passed.model_dump_json(by_alias=True)))]
    assert all(each.end_bytes <= passed.buffers[each.buffer].bytes for each in views)


def _views(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, dict):
        own = [node] if set(node) == set(view(0)) else []
        return own + [each for value in node.values() for each in _views(value)]
    return [each for value in node for each in _views(value)] if isinstance(node, list) else []
