"""The libraries that trainers stand on, kept from writing into the terminal and from the caller's generators."""

from __future__ import annotations

import logging
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def undisturbed() -> Iterator[None]:
    """Around everything that TRL does: its warnings are kept quiet, and the caller's generators are given back.

    What TRL and transformers warn of is either known here or said better by the run's metrics and remarks. They also
    seed the process-wide generators.
    """
    logger = logging.getLogger("trl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), preserved_random_state():
            for category in (UserWarning, FutureWarning):
                warnings.filterwarnings(
                    "ignore", category=category, module=r"(trl|peft|transformers|torch)\..*"
                )
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def preserved_random_state() -> Iterator[None]:
    """Put the process-wide generators of Python, NumPy and torch back to where they were."""
    legacy = np.random  # its global generator, which the libraries seed
    python, numpy_state, torch_state = random.getstate(), legacy.get_state(), torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    try:
        yield
    finally:
        random.setstate(python)
        legacy.set_state(numpy_state)
        torch.set_rng_state(torch_state)
        if cuda:
            torch.cuda.set_rng_state_all(cuda)
