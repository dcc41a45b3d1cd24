"""What the replay's process answers is believed in nothing, and what is made once is made again after a failure."""

from __future__ import annotations

import numpy as np
import pytest

from rftgym_triton_kernels.outcomes import content_of, results_of
from rftgym_triton_kernels.remembered import Remembered
from rftgym_triton_kernels.tape import Tape

VIEW = {"buffer": 0, "dtype": "float32", "shape": [2], "strides": [1], "offset": 0}
TAPE = Tape.model_validate(
    {"buffers": [{"bytes": 8, "dtype": "float32", "input": None}], "ops": [], "results": [VIEW]}
)
TWO = np.array([1.0, 2.0], np.float32).tobytes()


@pytest.mark.parametrize("number", [None, "0", True, -1, 7, 0.0])
def test_a_blob_that_was_not_sent_has_no_content(number: object) -> None:
    assert content_of({"blob": number}, [TWO]) == b""


@pytest.mark.parametrize("results", [None, {}, [], [{"blob": 0}, {"blob": 0}]])
def test_results_of_the_wrong_number_are_none(results: object) -> None:
    assert results_of([TAPE], [[({"ok": True, "results": results}, [TWO])]]) == [[]]


@pytest.mark.parametrize(
    ("blobs", "right"), [([TWO], True), ([TWO + b"x"], False), ([b""], False), ([], False)]
)
def test_a_result_of_the_wrong_size_is_rubbish(blobs: list[bytes], right: bool) -> None:
    (((array,),),) = results_of([TAPE], [[({"ok": True, "results": [{"blob": 0}]}, blobs)]])
    assert array.tolist() == [1.0, 2.0] if right else np.isnan(array).all()


def test_a_value_is_made_once_and_again_after_a_failure_or_when_forgotten() -> None:
    made: list[int] = []

    def make() -> int:
        made.append(1)
        if len(made) == 1:
            raise ValueError("not yet")
        return len(made)

    remembered: Remembered[int] = Remembered(2)
    with pytest.raises(ValueError, match="not yet"):
        remembered.get("a", make)
    assert [remembered.get("a", make) for _ in range(3)] == [2, 2, 2]
    remembered.forget("a")
    assert remembered.get("a", make) == 3
