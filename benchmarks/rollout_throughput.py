"""Generation for groups of prompts: rftgym's decoder against transformers' ``generate``, on the same batch.

    python benchmarks/rollout_throughput.py --model smollm2-135m --rounds 7

Both sides get the same model in its own dtype, the same prompts (``--prompts`` of them, of four lengths between about
100 and 200 tokens, each ``--group`` times), and sample exactly ``--tokens`` new tokens a row at temperature 1 without
filters (end-of-sequence does not end a row on either side). Rounds alternate between the two in one process, and so
does who goes first. ``generate`` gets what trainers give it: every row's prompt, padded on the left. Seconds are
wall-clock time and include the prefill; tokens/s counts new tokens. Prints medians over the rounds, and the ratio with
its range. On a machine that others use too, take the ratio in CPU-seconds, with ``--threads 1``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from random import Random
from typing import Any

import torch

from rftgym.rollout.decoder import Decoder, DecodeRequest
from rftgym.types import Sampling

WORDS = ("river", "bread", "winter", "chess", "island", "train", "music", "glass", "garden")
QUESTION = "Write one plain paragraph for a child in which all of these things appear, each once: {things}."


def prompts(tokenizer: Any, count: int) -> list[list[int]]:
    """Token ids of ``count`` different prompts."""
    rows = []
    for index in range(count):
        rng = Random(f"rollout-throughput:{index}")
        things = ", ".join(rng.choice(WORDS) for _ in range(20 + 15 * (index % 4)))
        text = QUESTION.format(things=things)
        if tokenizer.chat_template:
            message = [{"role": "user", "content": text}]
            rows.append(tokenizer.apply_chat_template(message, add_generation_prompt=True, return_dict=False))
        else:
            rows.append(tokenizer(text)["input_ids"])
    return rows


class Theirs:
    """``model.generate``, sampling, on left-padded rows."""

    def __init__(self, model: Any, tokenizer: Any, rows: list[list[int]]) -> None:
        longest = max(map(len, rows))
        pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
        self.model, self.pad = model, pad
        self.inputs = torch.tensor([[pad] * (longest - len(row)) + row for row in rows], device=model.device)
        mask = [[0] * (longest - len(row)) + [1] * len(row) for row in rows]
        self.mask = torch.tensor(mask, device=model.device)

    def __call__(self, tokens: int, seed: int) -> None:
        """Generate; generate() takes no seed of its own, and its draws do not matter here."""
        grown = self.model.generate(
            self.inputs, attention_mask=self.mask, do_sample=True, temperature=1.0, top_k=0, top_p=1.0,
            max_new_tokens=tokens, min_new_tokens=tokens, pad_token_id=self.pad,
        )  # fmt: skip
        if grown.shape[1] != self.inputs.shape[1] + tokens:
            raise SystemExit(
                f"generate made {grown.shape[1] - self.inputs.shape[1]} tokens a row, not {tokens}"
            )


class Ours:
    """A fresh decoding session each time."""

    def __init__(self, model: Any, tokenizer: Any, rows: list[list[int]], backend: Any) -> None:
        self.decoder = Decoder(model, tokenizer, backend=backend, eos_token_ids=())
        self.rows = rows
        self.stats: list[Any] = []

    def __call__(self, tokens: int, seed: int) -> None:
        session = self.decoder.open(Sampling(max_tokens=tokens))
        session.submit([DecodeRequest(i, tuple(row), seed * 10_000 + i) for i, row in enumerate(self.rows)])
        results = session.run()
        if sum(len(result.token_ids) for result in results) != tokens * len(self.rows):
            raise SystemExit("the decoder made another number of tokens than asked for")
        self.stats.append(session.stats)


def seconds(call: Any, *arguments: int) -> tuple[float, float]:
    """Wall-clock seconds of one call, the accelerator's work included, and CPU-seconds of all threads."""
    started = time.perf_counter(), time.process_time()
    call(*arguments)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started[0], time.process_time() - started[1]


def middle(values: list[tuple[float, float]]) -> tuple[float, float]:
    """Medians of wall-clock and of CPU-seconds."""
    return statistics.median(wall for wall, _ in values), statistics.median(cpu for _, cpu in values)


def load(model: str) -> tuple[Any, Any]:
    """A model and its tokenizer: from a directory as transformers saved it, or what rftgym knows by this id."""
    if Path(model).is_dir():
        from transformers import AutoModelForCausalLM, AutoTokenizer

        return AutoModelForCausalLM.from_pretrained(model), AutoTokenizer.from_pretrained(model)
    from rftgym.config import ModelSettings
    from rftgym.registry import make_policy

    policy: Any = make_policy(ModelSettings(id=model))
    return policy.model, policy.tokenizer


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """All rounds; the numbers as they are printed with ``--json``."""
    model, tokenizer = load(arguments.model)
    model.eval()
    rows = [row for row in prompts(tokenizer, arguments.prompts) for _ in range(arguments.group)]
    ours = Ours(model, tokenizer, rows, arguments.backend)
    sides: dict[str, Any] = {"theirs": Theirs(model, tokenizer, rows), "ours": ours}
    for side in sides.values():
        side(4, 0)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for round_number in range(arguments.rounds):
        order = list(sides) if round_number % 2 == 0 else list(reversed(sides))
        for name in order:
            taken[name].append(seconds(sides[name], arguments.tokens, round_number))
    # One new token is all prefill; what is beyond it is decoding.
    prefill = {name: middle([seconds(side, 1, 0) for _ in range(3)]) for name, side in sides.items()}
    refresh = middle([seconds(ours.decoder.refresh) for _ in range(3)])
    return {
        "model": arguments.model,
        "backend": ours.decoder.backend,
        "rows": len(rows),
        "prompt_tokens": sorted({len(row) for row in rows}),
        "new_tokens": arguments.tokens,
        "threads": torch.get_num_threads(),
        "rounds": arguments.rounds,
        "wall": summary(taken, prefill, 0, len(rows), arguments.tokens),
        "cpu": summary(taken, prefill, 1, len(rows), arguments.tokens),
        "refresh_seconds": refresh[0],
        "kv_bytes": ours.stats[0].peak_kv_bytes,
    }


def summary(taken: Any, prefill: Any, clock: int, rows: int, tokens: int) -> dict[str, Any]:
    """One clock's numbers: medians, the ratio of the medians, and each round's ratio."""
    seconds_by_side = {name: [both[clock] for both in values] for name, values in taken.items()}
    medians = {name: statistics.median(values) for name, values in seconds_by_side.items()}
    before = {name: both[clock] for name, both in prefill.items()}
    decoding = {name: (tokens - 1) * rows / (medians[name] - before[name]) for name in medians}
    pairs = zip(seconds_by_side["theirs"], seconds_by_side["ours"], strict=True)
    return {
        "tokens_per_second": {name: tokens * rows / median for name, median in medians.items()},
        "ratio": medians["theirs"] / medians["ours"],
        "ratio_by_round": [theirs / ours for theirs, ours in pairs],
        "prefill_seconds": before,
        "decoding_tokens_per_second": decoding,
        "seconds": seconds_by_side,
    }


def report(found: dict[str, Any]) -> None:
    """For a person."""
    print(f"{found['model']}: {found['rows']} rows, prompts of {found['prompt_tokens']} tokens, ", end="")
    print(f"{found['new_tokens']} new tokens a row; ", end="")
    print(f"{found['threads']} threads, median of {found['rounds']} rounds, backend {found['backend']}")
    for clock, unit in (("wall", "second"), ("cpu", "CPU-second")):
        numbers = found[clock]
        print(f"{'':34}{'generate':>10}{'rftgym':>10}{'ratio':>8}")
        line(f"tokens per {unit}", numbers["tokens_per_second"])
        line(f"tokens per {unit}, decoding", numbers["decoding_tokens_per_second"])
        line(f"{unit}s of prefill", numbers["prefill_seconds"], more_is_better=False)
        low, high = min(numbers["ratio_by_round"]), max(numbers["ratio_by_round"])
        print(f"ratio by round: {low:.2f} to {high:.2f}")
    print(f"keys and values: {found['kv_bytes'] / 2**20:.0f} MiB; ", end="")
    print(f"weights are read anew in {found['refresh_seconds']:.2f} s")


def line(name: str, sides: dict[str, float], *, more_is_better: bool = True) -> None:
    """One row of the table."""
    theirs, ours = sides["theirs"], sides["ours"]
    ratio = ours / theirs if more_is_better else theirs / ours
    print(f"{name:34}{theirs:10.2f}{ours:10.2f}{ratio:8.2f}")


def main() -> None:
    """Parse options, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="smollm2-135m", help="a directory, or an id that rftgym knows")
    parser.add_argument("--prompts", type=int, default=4)
    parser.add_argument("--group", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="0 leaves it to torch")
    parser.add_argument("--backend", choices=["auto", "fused", "transformers"], default="auto")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    found = measure(arguments)
    if arguments.json:
        print(json.dumps(found))
    else:
        report(found)


if __name__ == "__main__":
    main()
