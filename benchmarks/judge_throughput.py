"""How fast the kernel judge is, against what people use instead: a fresh process that executes the answer.

    python benchmarks/judge_throughput.py --rounds 3 --answers 40 --others 3

For each problem: answers which differ in every text (so that no verdict is remembered) and whose kernels were compiled
before (warm), judged by one worker and by two, and a fresh process per answer which imports torch and triton, executes
the answer and runs 5 cases in Triton's interpreter. Rounds are interleaved; medians and ratios of one run. The other
side neither compiles, nor checks bounds, races or inputs, nor isolates anything.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rftgym_triton_kernels.judge import Judge, JudgeSettings
from rftgym_triton_kernels.problems import problems

ELEMENTWISE = """
@triton.jit
def k(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    x = tl.load(x_ptr + i, mask=m)
    tl.store(out_ptr + i, tl.maximum(x, 0.0), mask=m)

def relu(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        k[(triton.cdiv(n, 1024),)](x, out, n, BLOCK=1024)
    return out
"""
SOFTMAX = """
@triton.jit
def k(x_ptr, out_ptr, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    i = tl.arange(0, BLOCK)
    m = i < cols
    x = tl.load(x_ptr + row * cols + i, mask=m, other=-float("inf")).to(tl.float32)
    e = tl.exp(x - tl.max(x, axis=0))
    tl.store(out_ptr + row * cols + i, e / tl.sum(e, axis=0), mask=m)

def softmax(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    rows, cols = x.shape
    if x.numel() > 0:
        k[(rows,)](x, out, cols, BLOCK=triton.next_power_of_2(cols))
    return out
"""
MATMUL = """
@triton.jit
def k(a_ptr, b_ptr, c_ptr, M, N, K, sa0, sa1, sb0, sb1, B: tl.constexpr):
    m = tl.program_id(0) * B + tl.arange(0, B)
    n = tl.program_id(1) * B + tl.arange(0, B)
    acc = tl.zeros((B, B), dtype=tl.float32)
    for start in range(0, K, B):
        i = start + tl.arange(0, B)
        a = tl.load(a_ptr + m[:, None] * sa0 + i[None, :] * sa1, mask=(m[:, None] < M) & (i[None, :] < K), other=0.0)
        b = tl.load(b_ptr + i[:, None] * sb0 + n[None, :] * sb1, mask=(i[:, None] < K) & (n[None, :] < N), other=0.0)
        acc = tl.dot(a, b, acc, input_precision="ieee")
    tl.store(c_ptr + m[:, None] * N + n[None, :], acc, mask=(m[:, None] < M) & (n[None, :] < N))

def matmul(a, b):
    M, K = a.shape
    N = b.shape[1]
    c = torch.empty((M, N), dtype=a.dtype, device=a.device)
    grid = (triton.cdiv(M, 32), triton.cdiv(N, 32))
    if c.numel() > 0:
        k[grid](a, b, c, M, N, K, a.stride(0), a.stride(1), b.stride(0), b.stride(1), B=32)
    return c
"""
HEAD = "import torch\nimport triton\nimport triton.language as tl\n"
ANSWERS = {"relu": ELEMENTWISE, "softmax": SOFTMAX, "matmul": MATMUL}
OTHER = """
import sys, torch
source, reference, name = open(sys.argv[1]).read(), open(sys.argv[2]).read(), sys.argv[3]
import linecache
linecache.cache["<a>"] = (len(source), None, source.splitlines(True), "<a>")
answer, truth = {"__name__": "a"}, {"torch": torch}
exec(compile(source, "<a>", "exec"), answer)
exec(reference, truth)
for case in eval(sys.argv[4]):
    inputs = [torch.randn(shape) for shape in case]
    assert torch.allclose(answer[name](*inputs), truth[name](*inputs), rtol=1e-3, atol=1e-3)
"""
CASES = {
    "relu": [[(1003,)], [(53, 37)], [(4099,)], [(3, 5, 67)], [(1,)]],
    "softmax": [[(16, 64)], [(33, 127)], [(5, 300)], [(1, 1)], [(70, 33)]],
    "matmul": [
        [(64, 48), (48, 32)],
        [(33, 17), (17, 29)],
        [(70, 90), (90, 50)],
        [(1, 1), (1, 1)],
        [(16, 16), (16, 16)],
    ],
}


def texts(name: str, count: int, start: int) -> list[str]:
    """Answers of different texts and equal kernels."""
    return [f"<kernel>\n{HEAD}# answer {start + i}\n{ANSWERS[name]}</kernel>" for i in range(count)]


def judged(judge: Judge, name: str, answers: list[str], workers: int) -> tuple[float, dict[str, float]]:
    """Seconds for all answers, and seconds by stage of one of them (mean)."""
    problem = problems()[name]
    start = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        verdicts = list(pool.map(lambda answer: judge.judge(problem, answer), answers))
    seconds = time.perf_counter() - start
    if not all(verdict.success for verdict in verdicts):
        raise SystemExit(f"{name}: a right answer is refused: {verdicts[0].message}")
    stages = {
        stage: statistics.fmean(verdict.seconds.get(stage, 0.0) for verdict in verdicts)
        for stage in verdicts[0].seconds
    }
    return seconds, stages


def others(name: str, count: int) -> float:
    """Median seconds of a fresh process per answer."""
    found = []
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    with tempfile.TemporaryDirectory() as folder:
        answer, reference, script = Path(folder, "a.py"), Path(folder, "r.py"), Path(folder, "s.py")
        answer.write_text(HEAD + ANSWERS[name])
        reference.write_text(problems()[name].reference)
        script.write_text(OTHER)
        for _ in range(count):
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, str(script), str(answer), str(reference), name, repr(CASES[name])],
                env=environment,
                check=True,
            )
            found.append(time.perf_counter() - start)
    return statistics.median(found)


def main() -> None:
    """Measure, and print a line of JSON per problem."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--answers", type=int, default=40, help="judged answers a round, problem and number of workers"
    )
    parser.add_argument("--others", type=int, default=3, help="fresh processes a round and problem")
    chosen = parser.parse_args()
    judges = {count: Judge(JudgeSettings(workers=count)) for count in (1, 2)}
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in ANSWERS}
    stages: dict[str, dict[str, float]] = {}
    for name in ANSWERS:  # problems prepared, kernels compiled
        for count, judge in judges.items():
            judged(judge, name, texts(name, 2, 1_000_000), count)
    for number in range(chosen.rounds):
        for name in ANSWERS:
            one, stages[name] = judged(
                judges[1], name, texts(name, chosen.answers, number * chosen.answers), 1
            )
            two, _ = judged(judges[2], name, texts(name, chosen.answers, number * chosen.answers), 2)
            rounds[name].append(
                {
                    "one": one / chosen.answers,
                    "two": two / chosen.answers,
                    "other": others(name, chosen.others),
                }
            )
    for name, found in rounds.items():
        median = {key: statistics.median(each[key] for each in found) for key in found[0]}
        print(
            json.dumps(
                {
                    "problem": name,
                    "cases": len(problems()[name].cases),
                    "replicas": 2,
                    "judge_ms": round(1000 * median["one"], 1),
                    "judge_two_workers_ms": round(1000 * median["two"], 1),
                    "fresh_process_ms": round(1000 * median["other"], 1),
                    "ratio": round(statistics.median(each["other"] / each["one"] for each in found), 1),
                    "two_over_one": round(statistics.median(each["one"] / each["two"] for each in found), 2),
                    "stages_ms": {stage: round(1000 * seconds, 1) for stage, seconds in stages[name].items()},
                }
            )
        )
    for judge in judges.values():
        judge.close()


if __name__ == "__main__":
    main()
