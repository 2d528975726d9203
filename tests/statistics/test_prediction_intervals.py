"""Prediction intervals of a regression problem hold as many as they say, by simulation."""

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

import numpy as np
import polars as pl
import pytest

from ..conftest import Render
from .test_by_simulation import at_least, at_most, rng

__all__ = ["rng"]

REPETITIONS = 8_000


@pytest.fixture(scope="module")
def problem(render: Render) -> Iterator[ModuleType]:
    """`problem/training.py` of a rendered regression repository."""
    source = str(render("priced", problem="regression") / "src")
    sys.path.insert(0, source)
    yield importlib.import_module("priced.delivery.problem.training")
    sys.path.remove(source)


def drawn(rng: np.random.Generator, n: int) -> tuple[pl.DataFrame, np.ndarray]:
    """Cheap and dear things; the dearer, the more they vary, and more upwards than downwards."""
    x = rng.lognormal(0, 0.7, n)
    return pl.DataFrame({"x": x}), x * np.exp(0.3 * rng.standard_normal(n))


@pytest.mark.parametrize("calibrated_on", [60, 400, 2_000])
def test_an_interval_of_90_percent_holds_90_percent_of_what_comes(
    problem: ModuleType, rng: np.random.Generator, calibrated_on: int
) -> None:
    model = SimpleNamespace(predict=lambda x: x["x"].to_numpy())
    held = []
    for _ in range(REPETITIONS):
        spread = problem.Spread().fit(model, *drawn(rng, calibrated_on))
        x, y = drawn(rng, 1)
        percentiles = spread.percentiles(x)
        held.append(percentiles[0, 0] <= y[0] <= percentiles[0, -1])
    at_least(0.87, sum(held), REPETITIONS, f"held, calibrated on {calibrated_on} rows")
    at_most(0.93, sum(held), REPETITIONS, f"held, calibrated on {calibrated_on} rows")


def test_dear_things_are_held_as_often_as_cheap_ones(
    problem: ModuleType, rng: np.random.Generator
) -> None:
    model = SimpleNamespace(predict=lambda x: x["x"].to_numpy())
    held: dict[bool, list[bool]] = {True: [], False: []}
    while min(map(len, held.values())) < REPETITIONS:
        spread = problem.Spread().fit(model, *drawn(rng, 2_000))
        x, y = drawn(rng, 200)
        percentiles = spread.percentiles(x)
        inside = (percentiles[:, 0] <= y) & (y <= percentiles[:, -1])
        for dear, one in zip(x["x"].to_numpy() > 2, inside, strict=True):
            held[bool(dear)].append(bool(one))
    for dear, hits in held.items():
        what = f"held, {'dear' if dear else 'cheap'} things"
        at_least(0.85, sum(hits), len(hits), what)
        at_most(0.95, sum(hits), len(hits), what)
