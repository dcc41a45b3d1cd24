"""Launches that the replay's tests compare with Triton's interpreter."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Launch(NamedTuple):
    """One launch. Parameters in capitals are constexpr; `outputs` names the arrays that it may change."""

    kernel: str
    grid: tuple[int, ...]
    arguments: dict[str, Any]
    outputs: tuple[str, ...] = ("o_ptr",)
    tolerance: float = 0.0


def _named(**values: Any) -> dict[str, Any]:
    return values


def launches() -> list[Launch]:
    """Launches on which Triton's interpreter is right."""
    rng = np.random.default_rng(20)

    def normal(*shape: int) -> Any:
        return rng.standard_normal(shape).astype(np.float32)

    def whole(low: int, high: int, *shape: int) -> Any:
        return rng.integers(low, high, shape, dtype=np.int32)

    nothing = np.zeros
    x, y = normal(1000), normal(1000)
    special = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1e-40, 3e38, -2.5, 0.5, 1.5] * 10, np.float32)
    return [
        Launch("add", (8,), _named(x_ptr=x, y_ptr=y, o_ptr=nothing(1000, np.float32), n=1000, BLOCK=128)),
        Launch("add", (1,), _named(x_ptr=x[:1], y_ptr=y[:1], o_ptr=nothing(1, np.float32), n=1, BLOCK=16)),
        Launch(
            "add",
            (2,),
            _named(
                x_ptr=x[:200].astype(np.float16),
                y_ptr=y[:200].astype(np.float16),
                o_ptr=nothing(200, np.float16),
                n=200,
                BLOCK=128,
            ),
        ),
        Launch(
            "add",
            (2,),
            _named(
                x_ptr=whole(-9, 9, 200).astype(np.int64),
                y_ptr=whole(-9, 9, 200),
                o_ptr=nothing(200, np.int64),
                n=200,
                BLOCK=128,
            ),
        ),
        Launch(
            "mathematics",
            (8,),
            _named(x_ptr=x * 2, o_ptr=nothing(1000, np.float32), n=1000, BLOCK=128),
            tolerance=1e-5,
        ),
        Launch(
            "mathematics",
            (1,),
            _named(x_ptr=special[:1], o_ptr=nothing(1, np.float32), n=1, BLOCK=64),
            tolerance=1e-5,
        ),
        Launch(
            "integers",
            (4,),
            _named(
                x_ptr=whole(-(10**5), 10**5, 500),
                y_ptr=whole(1, 1000, 500) * rng.choice([-1, 1], 500).astype(np.int32),
                o_ptr=nothing(500, np.int32),
                n=500,
                BLOCK=128,
            ),
        ),
        Launch(
            "casts",
            (1,),
            _named(
                x_ptr=x[:100] * 1000,
                i_ptr=nothing(100, np.int32),
                j_ptr=nothing(100, np.int64),
                h_ptr=nothing(100, np.float16),
                n=100,
                BLOCK=128,
            ),
            ("i_ptr", "j_ptr", "h_ptr"),
        ),
        Launch(
            "reductions",
            (1,),
            _named(
                x_ptr=normal(8, 32) * 10,
                f_ptr=nothing(32, np.float32),
                i_ptr=nothing(24, np.int32),
                ROWS=8,
                COLUMNS=32,
            ),
            ("f_ptr", "i_ptr"),
            tolerance=1e-4,
        ),
        Launch(
            "folds",
            (5,),
            _named(x_ptr=normal(5, 32), o_ptr=nothing((5, 32), np.float32), n=32, BLOCK=32),
            tolerance=1e-4,
        ),
        Launch(
            "shapes",
            (3,),
            _named(x_ptr=normal(3, 64), o_ptr=nothing((3, 64), np.float32), BLOCK=64),
            tolerance=1e-5,
        ),
        Launch(
            "counts",
            (3,),
            _named(x_ptr=whole(0, 16, 3, 64), o_ptr=nothing((3, 16), np.int32), BLOCK=64, BINS=16),
        ),
        Launch(
            "product",
            (3, 2),
            _named(
                a_ptr=normal(40, 50),
                b_ptr=normal(50, 30),
                c_ptr=nothing((40, 30), np.float32),
                M=40,
                N=30,
                K=50,
                BM=16,
                BN=16,
                BK=16,
            ),
            ("c_ptr",),
            tolerance=1e-4,
        ),
        Launch(
            "product",
            (3, 2),
            _named(
                a_ptr=normal(40, 50).astype(np.float16),
                b_ptr=normal(50, 30).astype(np.float16),
                c_ptr=nothing((40, 30), np.float32),
                M=40,
                N=30,
                K=50,
                BM=16,
                BN=16,
                BK=16,
            ),
            ("c_ptr",),
            tolerance=1e-3,
        ),
        Launch(
            "product",
            (2, 2),
            _named(
                a_ptr=whole(-128, 128, 32, 64).astype(np.int8),
                b_ptr=whole(-128, 128, 64, 32).astype(np.int8),
                c_ptr=nothing((32, 32), np.int32),
                M=32,
                N=32,
                K=64,
                BM=16,
                BN=16,
                BK=32,
            ),
            ("c_ptr",),
        ),
        Launch("branches", (20,), _named(x_ptr=normal(20), o_ptr=nothing(40, np.float32), n=17)),
        Launch(
            "loops",
            (9,),
            _named(
                x_ptr=np.abs(normal(9, 100)),
                lengths_ptr=np.array([0, 1, 15, 16, 17, 33, 99, 100, 64], np.int32),
                o_ptr=nothing(9, np.float32),
                stride=100,
                BLOCK=16,
            ),
            tolerance=1e-5,
        ),
        Launch(
            "updates",
            (5,),
            _named(
                x_ptr=whole(0, 10**6, 70),
                bins_ptr=nothing(8, np.int32),
                count_ptr=nothing(1, np.int32),
                order_ptr=nothing(5, np.int32),
                top_ptr=np.array([0, 10**9, 0, 0, 0, -1, 0, 0], np.int32),
                n=70,
                BINS=8,
                BLOCK=16,
            ),
            ("bins_ptr", "count_ptr", "order_ptr", "top_ptr"),
        ),
        Launch(
            "float_updates",
            (5,),
            _named(x_ptr=normal(70), o_ptr=nothing(3, np.float32), n=70, BLOCK=16),
            tolerance=1e-5,
        ),
        Launch(
            "random_numbers", (3,), _named(o_ptr=nothing(96, np.float32), seed=1234, BLOCK=32), tolerance=1e-4
        ),
        Launch(
            "descriptors",
            (3,),
            _named(x_ptr=normal(20, 24), o_ptr=nothing((20, 24), np.float32), M=20, N=24, BM=8, BN=16),
        ),
        Launch("write_same", (4,), _named(o_ptr=nothing(16, np.float32), BLOCK=16)),
        Launch("update_in_place", (4,), _named(o_ptr=nothing(64, np.float32), BLOCK=16)),
        Launch(
            "cross_buffers",
            (1,),
            _named(x_ptr=normal(32), y_ptr=normal(32), o_ptr=nothing(32, np.float32), BLOCK=32),
        ),
        Launch(
            "with_lock", (5,), _named(lock_ptr=nothing(1, np.int32), o_ptr=nothing(16, np.float32), BLOCK=16)
        ),
        Launch(
            "planes",
            (2,),
            _named(
                x_ptr=normal(2, 8, 16),
                o_ptr=nothing((2, 8, 16), np.float32),
                i_ptr=nothing((2, 8, 16), np.int32),
                ROWS=8,
                COLUMNS=16,
            ),
            ("o_ptr", "i_ptr"),
            tolerance=1e-4,
        ),
        Launch(
            "small_types",
            (3,),
            _named(
                a_ptr=rng.integers(0, 256, 90).astype(np.uint8),
                b_ptr=rng.integers(0, 2, 90).astype(np.bool_),
                h_ptr=(normal(90)).astype(np.float16),
                o_ptr=nothing(90, np.int32),
                p_ptr=nothing(90, np.bool_),
                n=90,
                BLOCK=32,
            ),
            ("o_ptr", "p_ptr"),
        ),
        Launch(
            "walks",
            (13,),
            _named(x_ptr=normal(13, 70), o_ptr=nothing(13, np.float32), n=70, stride=70, BLOCK=16),
            tolerance=1e-5,
        ),
        Launch(
            "half_products",
            (1,),
            _named(
                a_ptr=normal(2, 16, 16).astype(np.float16), c_ptr=nothing((2, 16, 16), np.float32), B=2, N=16
            ),
            ("c_ptr",),
            tolerance=1e-2,
        ),
    ]
