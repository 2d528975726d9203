"""What the whole way from predictions to a verdict promises, by simulation from fresh entropy: the
rule is valued by what it decides, capacity is kept within each week, and the level drifts.

Two models are equal where each is the truth with noise of its own, drawn alike. Such a pair goes
through the same `act`, `build_outcomes` and `decide` as in a rendered repository, the champion as a
rule that decides by itself. For more repetitions: SIMULATION_REPETITIONS=2000.
"""

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from ..conftest import Render
from .test_by_simulation import at_least, at_most, rng

__all__ = ["rng"]

REPETITIONS = int(os.environ.get("SIMULATION_REPETITIONS", "50"))
WEEKS, UNITS = 8, 640
Rng = np.random.Generator
Columns = dict[str, Any]
Draw = Callable[..., tuple[Any, Callable[[], Columns]]]


@pytest.fixture(scope="module")
def problems(render: Render) -> Iterator[Callable[[str], SimpleNamespace]]:
    """The modules of a rendered repository of each kind of problem, and its brief."""
    sources = []

    def load(problem: str) -> SimpleNamespace:
        package = f"simulated_{problem}"
        folder = render(package, problem=problem)
        if (source := str(folder / "src")) not in sources:
            sources.append(source)
            sys.path.insert(0, source)
        names = ("edge.brief", "problem.action", "problem.outcomes", "problem.training",
                 "verdict.comparison", "verdict.decide", "verdict.evidence",
                 "verdict.price_map")  # fmt: skip
        modules = {
            name.replace(".", "_"): importlib.import_module(f"{package}.delivery.{name}")
            for name in names
        }
        text, _ = modules["edge_brief"].read_project_brief(folder / Path("project-brief.md"))
        brief = modules["problem_outcomes"].require_prices(text)
        return SimpleNamespace(**modules, brief=brief, kind=problem)

    yield load
    for source in sources:
        sys.path.remove(source)


def units(target: Any, weeks: int = WEEKS) -> pl.DataFrame:
    """What predictions say of each unit; every second one belongs to the entity before it."""
    n = len(target)
    start = np.datetime64("2026-01-05")
    return pl.DataFrame(
        {
            "row": np.arange(n, dtype=np.uint32),
            "cluster": (np.arange(n) // 2).astype(str),
            "_time": start + 7 * (np.arange(n) * weeks // n),
            "target": target,
        }
    )


def drifting(rng: Rng, size: float = 1.0, weeks: int = WEEKS, n: int = UNITS) -> Any:
    """The level of each unit's week: a season that comes and goes, and what every week adds."""
    season = np.sin(np.linspace(0, 2 * np.pi, weeks)) + 0.3 * rng.normal(size=weeks)
    return size * season[np.arange(n) * weeks // n]


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def classification(
    _: SimpleNamespace, rng: Rng, n: int = UNITS
) -> tuple[Any, Callable[[], Columns]]:
    odds = -1.3 + rng.normal(size=n) + drifting(rng, 0.7, n=n)
    target = np.where(rng.random(n) < sigmoid(odds), "leaves", "stays")

    def predict() -> Columns:
        p = sigmoid(odds + 0.7 * rng.normal(size=n))
        return {"p_leaves": p, "p_stays": 1 - p}

    return target, predict


def regression(of: SimpleNamespace, rng: Rng) -> tuple[Any, Callable[[], Columns]]:
    usual = 6_000 + 1_500 * rng.normal(size=UNITS) + 500 * drifting(rng)
    spread = 300 * np.exp(0.5 * rng.normal(size=UNITS))
    target = usual + spread * rng.normal(size=UNITS)

    def predict() -> Columns:
        middle = usual + 0.5 * spread * rng.normal(size=UNITS)
        around = 1.1 * np.outer(spread, norm.ppf(of.problem_training.LEVELS))
        return dict(zip(of.problem_training.NAMES, (middle[:, None] + around).T, strict=True))

    return target, predict


def ranking(of: SimpleNamespace, rng: Rng) -> tuple[Any, Callable[[], Columns]]:
    training, brands = of.problem_training, 8
    odds = -3 + rng.normal(size=(UNITS, brands)) + 0.5 * drifting(rng)[:, None]
    hits, dear = rng.random(odds.shape) < sigmoid(odds), rng.random(odds.shape) < 0.3
    target = [
        " ".join(f"b{k}:{'order' if dear[i, k] else 'click'}" for k in np.flatnonzero(hits[i]))
        for i in range(UNITS)
    ]

    def predict() -> Columns:
        seen = odds + 0.7 * rng.normal(size=odds.shape)
        order = np.argsort(-seen, axis=1)
        columns: Columns = dict.fromkeys(training.NAMES, "") | dict.fromkeys(training.CHANCES, 0.0)
        for place in range(brands):
            which = order[:, place]
            columns[training.NAMES[place]] = [f"b{k}" for k in which]
            columns[training.CHANCES[place]] = sigmoid(seen[np.arange(UNITS), which])
        return columns | {f"{training.OF}click": 0.7, f"{training.OF}order": 0.3}

    return target, predict


def answering(_: SimpleNamespace, rng: Rng) -> tuple[Any, Callable[[], Columns]]:
    intents = np.array(["password", "invoice", "voucher", "warranty"])
    truth = rng.integers(4, size=UNITS)
    odds = 1.0 + rng.normal(size=UNITS) + 0.7 * drifting(rng)

    def predict() -> Columns:
        own = odds + 0.7 * rng.normal(size=UNITS)
        right = rng.random(UNITS) < sigmoid(odds)
        named = np.where(right, truth, (truth + rng.integers(1, 4, UNITS)) % 4)
        intent = intents[named].astype(object)
        said = {"p_said": intent, "p_cost": 0.0, "p_ms": 0.0}
        return {"p_intent": intent, "p_right": sigmoid(own)} | said

    return intents[truth], predict


DRAWN: dict[str, tuple[Draw, dict[str, int]]] = {
    "classification": (classification, {"at_most": 400, "out_of": 5_000}),
    "regression": (regression, {"at_most": 30, "out_of": 200}),
    "ranking": (ranking, {}),
    "answering": (answering, {"at_most": 1, "out_of": 2}),
}


def deciding(of: SimpleNamespace, predictions: pl.DataFrame, brief: Any) -> pl.DataFrame:
    """The same predictions of a rule whose own decision is what prices made of them."""
    done = of.problem_outcomes.act(predictions, brief)
    acted = done["action"]
    own: dict[str, Callable[[], pl.Series]] = {
        "classification": lambda: acted,
        "regression": lambda: done["answer"].set(acted == "review", float("nan")),
        "ranking": lambda: done["shown"].list.join(" "),
        "answering": lambda: predictions["p_intent"].set(acted != brief.decision.action, "none"),
    }
    return predictions.with_columns(own[of.kind]().alias(of.problem_action.OWN))


def verdict(of: SimpleNamespace, new: pl.DataFrame, old: pl.DataFrame, brief: Any) -> str:
    """The verdict on these two models, as the stage `decide` gives it."""
    comparison = of.verdict_comparison.Comparison(
        *(of.problem_outcomes.build_outcomes(table, brief) for table in (new, old)),
        brief,
        of.verdict_comparison.Evaluate(confidence=0.95, draws=1_000, seed=7),
    )
    evidence = of.verdict_evidence.Evidence(
        comparison, "challenger", "rule", 2, (), True, rows=UNITS
    )
    return str(of.verdict_decide.decide(evidence).verdict)


@pytest.mark.parametrize("problem", DRAWN)
def test_of_equal_models_at_most_5_percent_ship(
    problem: str, problems: Callable[[str], SimpleNamespace], rng: Rng
) -> None:
    of = problems(problem)
    draw, capacity = DRAWN[problem]
    money = [line for line in of.brief.success if line.metric == "value_per_1000"]
    every = {"every": "week", **capacity} if capacity else {}
    brief = of.brief.replace(decision=every, success=money, guardrails=[])
    shipped = 0
    for _ in range(REPETITIONS):
        target, predict = draw(of, rng)
        rows = units(target)
        new, old = (rows.with_columns(**_literals(predict())) for _ in range(2))
        shipped += verdict(of, new, deciding(of, old, brief), brief) == "ship"
    at_most(0.05, shipped, REPETITIONS, f"{problem}: an equal model ships")


def _literals(columns: Columns) -> Columns:
    return {
        name: pl.lit(value) if isinstance(value, str | float) else pl.Series(value)
        for name, value in columns.items()
    }


def test_a_model_ships_against_a_list_drawn_at_random(
    problems: Callable[[str], SimpleNamespace], rng: Rng
) -> None:
    of, n = problems("classification"), 1_600
    money = [line for line in of.brief.success if line.metric == "value_per_1000"]
    brief = of.brief.replace(success=money, guardrails=[])
    shipped = 0
    for _ in range(REPETITIONS):
        target, predict = classification(of, rng, n)
        rows = units(target)
        listed = pl.Series(np.where(rng.random(n) < 0.08, "call", "none"))
        new, old = (rows.with_columns(**_literals(predict())) for _ in range(2))
        old = old.with_columns(listed.alias(of.problem_action.OWN))
        shipped += verdict(of, new, old, brief) == "ship"
    at_least(0.80, shipped, REPETITIONS, "a model ships against a list drawn at random")


@pytest.mark.parametrize("drift", [0.0, 1.0])
def test_capacity_over_all_weeks_at_once_flatters_a_model_where_the_level_drifts(
    drift: float, problems: Callable[[str], SimpleNamespace], rng: Rng
) -> None:
    """22 weeks of 200 customers, 8 % of whom can be called each week. A list over all rows at once
    takes its calls from the weeks that turn out bad, with hindsight that nobody has.
    """
    of, weeks, n = problems("classification"), 22, 4_400
    brief = of.brief
    worth: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(REPETITIONS):
        odds = -2.4 + rng.normal(size=n) + drifting(rng, drift, weeks, n)
        target = np.where(rng.random(n) < sigmoid(odds), "leaves", "stays")
        p = sigmoid(odds + 0.7 * rng.normal(size=n))
        rows = units(target, weeks).with_columns(p_leaves=p, p_stays=1 - p)
        for pooled, values in worth.items():
            table = rows.drop("_time") if pooled else rows
            value = of.problem_outcomes.build_outcomes(table, brief)["value"]
            values.append(1000 * float(value.mean()))
    together, weekly = (np.array(worth[pooled]) for pooled in (True, False))
    flattered = together - weekly
    error = flattered.std(ddof=1) / np.sqrt(REPETITIONS)
    share = flattered.mean() / weekly.mean()
    print(
        f"drift {drift:g}: GBP {weekly.mean():,.0f} per 1,000 within each week, "
        f"{together.mean():,.0f} at once: {flattered.mean():,.1f} too much ({share:.1%}), "
        f"Monte Carlo error {error:.1f} ({REPETITIONS:,} repetitions)"
    )
    assert flattered.mean() > -5 * error
    if drift:
        assert flattered.mean() - 5 * error > 0


def draw_pair(of: SimpleNamespace, rng: Rng, n: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A good and a worse model on units of which two belong together, and share their luck."""
    usual, luck = (np.repeat(rng.normal(size=n // 2), 2) for _ in range(2))
    new, old = (usual + noise * rng.normal(size=n) for noise in (0.5, 1.2))
    if of.kind == "classification":
        target = np.where(norm.cdf(luck) < sigmoid(usual - 1.3), "leaves", "stays")
        chances = [sigmoid(p - 1.3) for p in (new, old)]
        columns = [{"p_leaves": p, "p_stays": 1 - p} for p in chances]
    else:
        target = 6_000 + 1_000 * (usual + luck)
        percentiles = norm.ppf(of.problem_training.LEVELS)
        around = [6_000 + 1_000 * (middle[:, None] + percentiles) for middle in (new, old)]
        columns = [dict(zip(of.problem_training.NAMES, each.T, strict=True)) for each in around]
    better, worse = (units(target).with_columns(**_literals(each)) for each in columns)
    return better, worse


@pytest.mark.parametrize("problem", ["classification", "regression"])
def test_the_price_map_holds_at_all_prices_at_once(
    problem: str, problems: Callable[[str], SimpleNamespace], rng: Rng
) -> None:
    of = problems(problem)
    mapped, comparison = of.verdict_price_map, of.verdict_comparison
    known = {"at_most": None, "out_of": None}
    brief = of.brief.replace(decision=known, value={"review": None, "currency": "unknown"})
    settings = comparison.Evaluate(confidence=0.95, draws=1_000, seed=7)
    many, repetitions = draw_pair(of, rng, 100_000), REPETITIONS * 2 // 5
    pairs = [mapped.compare_at(ratio, *many, brief, settings) for ratio in mapped.RATIOS]
    truth = [1000 * (pair.new["value"] - pair.old["value"]).mean() for pair in pairs]
    all_hold = 0
    for _ in range(repetitions):
        points = mapped.build_price_map(*draw_pair(of, rng, UNITS), brief, settings)
        all_hold += all(
            point["lower"] <= gain <= point["upper"]
            for point, gain in zip(points, truth, strict=True)
        )
    at_least(0.92, all_hold, repetitions, f"{problem}: the whole map holds")


def test_a_candidate_does_not_decide_by_itself(
    problems: Callable[[str], SimpleNamespace],
) -> None:
    """Even one that nothing calibrates: it would act beyond prices and capacity."""
    training, own = (
        getattr(problems("classification"), f"problem_{name}") for name in ("training", "action")
    )
    x, y = pl.DataFrame({"x": [0.0, 1.0]}), pl.Series(["leaves", "stays"])
    everybody = SimpleNamespace(
        classes_=np.array(["leaves", "stays"]),
        predict_proba=lambda x: np.full((x.height, 2), 0.5),
        act=lambda x: ["call"] * x.height,
    )
    everybody.fit = lambda x, y: everybody
    assert not own.has_own(training.predict(everybody, x))
    by_itself = training.predict(training.fit_rule(everybody, x, y), x)
    assert by_itself[own.OWN].to_list() == ["call", "call"]
