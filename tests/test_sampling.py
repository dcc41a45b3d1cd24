"""Drawing tokens: the distribution, transformers' filters, and the edges of the cumulative sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import MinPLogitsWarper, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from rftgym.errors import RunFailed, UsageError
from rftgym.rollout.sampling import (
    SHORTLIST,
    check_sampling,
    draw,
    filter_probabilities,
    invert_cdf,
    row_generator,
)
from rftgym.types import Sampling

ALMOST_ONE = float(np.nextafter(1.0, 0.0))


def normal(seed: int, *shape: int, scale: float = 2.0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * scale


def uniforms(seed: int, count: int) -> torch.Tensor:
    return torch.from_numpy(row_generator(seed).random(count))


def chi_square_p(counts: torch.Tensor, probabilities: torch.Tensor) -> float:
    """Upper tail of Pearson's statistic; cells expected under 5 times are pooled."""
    expected = probabilities * counts.sum()
    rare = expected < 5
    observed = torch.cat([counts[~rare].double(), counts[rare].sum()[None].double()])
    expected = torch.cat([expected[~rare], expected[rare].sum()[None]])
    observed, expected = observed[expected > 0], expected[expected > 0]
    statistic = ((observed - expected) ** 2 / expected).sum()
    degrees = torch.tensor((len(expected) - 1) / 2, dtype=torch.float64)
    return float(torch.special.gammaincc(degrees, statistic / 2))


@pytest.mark.parametrize("vocabulary", [5, 256, 700])
@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(),
        Sampling(temperature=0.7),
        Sampling(temperature=1.5, top_k=20),
        Sampling(top_p=0.8),
        Sampling(min_p=0.05),
    ],
    ids=str,
)
def test_counts_follow_the_distribution(vocabulary: int, sampling: Sampling) -> None:
    logits_V = normal(vocabulary, vocabulary)
    exact_V = filter_probabilities(torch.softmax(logits_V / sampling.temperature, -1)[None], sampling)[0]
    draws = 8_000
    logits_BV = logits_V.float().expand(draws, -1).clone()
    tokens_B, _ = draw(logits_BV, sampling, uniforms(vocabulary + 1, draws))
    counts_V = torch.bincount(tokens_B, minlength=vocabulary)
    assert counts_V[exact_V == 0].sum() == 0
    assert chi_square_p(counts_V, exact_V / exact_V.sum()) > 1e-4


@given(
    seed=st.integers(0, 10_000),
    vocabulary=st.sampled_from([3, 40, 300, 1100]),
    scale=st.sampled_from([0.01, 1.0, 6.0]),
    temperature=st.sampled_from([0.5, 1.0, 2.0]),
    top_k=st.sampled_from([0, 1, 7, 290]),
    top_p=st.sampled_from([1.0, 0.999, 0.9, 0.3, 1e-6]),
    min_p=st.sampled_from([0.0, 0.01, 0.5, 1.0]),
)
@settings(max_examples=60, deadline=None)
def test_filters_keep_what_transformers_warpers_keep(
    seed: int, vocabulary: int, scale: float, temperature: float, top_k: int, top_p: float, min_p: float
) -> None:
    logits_BV = normal(seed, 3, vocabulary, scale=scale)
    scores = TemperatureLogitsWarper(temperature)(None, logits_BV)
    if top_k:
        scores = TopKLogitsWarper(top_k)(None, scores)
    if top_p < 1:
        scores = TopPLogitsWarper(top_p)(None, scores)
    if min_p:
        scores = MinPLogitsWarper(min_p)(None, scores)
    sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    kept_BV = filter_probabilities(torch.softmax(logits_BV / temperature, -1), sampling)
    assert torch.equal(kept_BV > 0, scores > -math.inf)
    torch.testing.assert_close(kept_BV / kept_BV.sum(-1, keepdim=True), torch.softmax(scores, -1))


def test_a_nucleus_wider_than_the_shortlist_is_whole() -> None:
    probs_BV = torch.full((2, 4 * SHORTLIST), 1.0, dtype=torch.float64)
    probs_BV[1, 3] = 1e6  # this row's nucleus is one token; the other's is half of the vocabulary
    kept_BV = filter_probabilities(probs_BV, Sampling(top_p=0.5))
    assert (kept_BV > 0).sum(-1).tolist() == [2 * SHORTLIST, 1]


weights = st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e3)), min_size=1, max_size=600).filter(any)


@given(weights=weights, uniform=st.one_of(st.just(0.0), st.just(ALMOST_ONE), st.floats(0, ALMOST_ONE)))
@settings(max_examples=150, deadline=None)
def test_inversion_finds_the_token_of_the_cumulative_sum(weights: list[float], uniform: float) -> None:
    weights_BV = torch.tensor([weights], dtype=torch.float64)
    token = int(invert_cdf(weights_BV, torch.tensor([uniform], dtype=torch.float64)))
    through = np.cumsum(weights) / np.sum(weights)
    before = through[token] - weights[token] / np.sum(weights)
    assert weights[token] > 0
    assert before - 1e-9 <= uniform <= through[token] + 1e-9


@pytest.mark.parametrize("uniform", [0.0, ALMOST_ONE])
@pytest.mark.parametrize("vocabulary", [257, 512, 1000])
def test_tokens_of_probability_zero_are_never_drawn_at_the_ends(uniform: float, vocabulary: int) -> None:
    logits_BV = torch.full((1, vocabulary), -math.inf)
    logits_BV[0, 100], logits_BV[0, 200] = 0.0, -3.0
    tokens_B, logprobs_B = draw(logits_BV, Sampling(), torch.tensor([uniform], dtype=torch.float64))
    assert int(tokens_B) == (100 if uniform == 0 else 200)
    assert math.isfinite(float(logprobs_B))


@pytest.mark.parametrize(
    "sampling", [Sampling(temperature=0.6, top_k=5, top_p=0.9, min_p=0.1), Sampling(temperature=1.3)]
)
def test_logprobs_are_of_the_scaled_distribution_before_filters(sampling: Sampling) -> None:
    logits_BV = normal(1, 64, 900).float()
    wanted_BV = torch.log_softmax(logits_BV.double() / sampling.temperature, -1)
    tokens_B, logprobs_B = draw(logits_BV.clone(), sampling, uniforms(1, 64))
    torch.testing.assert_close(
        logprobs_B.double(), wanted_BV.gather(1, tokens_B[:, None])[:, 0], atol=1e-5, rtol=0
    )


def test_greedy_takes_the_likeliest_and_its_logprob_at_temperature_one() -> None:
    logits_BV = normal(2, 8, 900).float()
    tokens_B, logprobs_B = draw(logits_BV.clone(), Sampling(temperature=0), uniforms(2, 8))
    assert torch.equal(tokens_B, logits_BV.argmax(-1))
    torch.testing.assert_close(logprobs_B, torch.log_softmax(logits_BV, -1).amax(-1))


def test_a_tiny_temperature_does_not_overflow() -> None:
    logits_BV = normal(3, 8, 50, scale=50).float()
    tokens_B, _ = draw(logits_BV.clone(), Sampling(temperature=1e-38), uniforms(3, 8))
    assert torch.equal(tokens_B, logits_BV.argmax(-1))


@pytest.mark.parametrize("broken", [math.nan, math.inf])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_logits_that_are_not_finite_are_an_error(broken: float, temperature: float) -> None:
    logits_BV = normal(4, 3, 50).float()
    logits_BV[1, 7] = broken
    with pytest.raises(RunFailed, match=r"row 1 of 3.*learning rate"):
        draw(logits_BV, Sampling(temperature=temperature), uniforms(4, 3))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", -0.1),
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("top_p", 0.0),
        ("top_p", 1.1),
        ("top_k", -1),
        ("min_p", -0.1),
        ("min_p", 1.5),
        ("max_tokens", 0),
        ("stop", ("",)),
    ],
)
def test_settings_out_of_range_are_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"sampling.{field} "):
        check_sampling(Sampling(**{field: value}))


def test_a_seed_alone_decides_a_rows_numbers() -> None:
    before = torch.get_rng_state()
    first = row_generator(7)
    together = [(first.random(), row_generator(8).random()) for _ in range(5)]
    alone = row_generator(7)
    assert [mine for mine, _ in together] == [alone.random() for _ in range(5)]
    assert torch.equal(torch.get_rng_state(), before)
