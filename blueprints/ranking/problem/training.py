"""Ranking, training: how candidates and the rule are fitted, how far off they are, and what
they predict.

Only fitting needs scikit-learn, and importing it takes longer than a whole stage: the functions
that fit import it themselves.
"""

from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .action import read_own
from .target import parse_events

PLACES = 20
"""How many things a model names for each unit."""

NAMES = [f"p_brand_{place:02}" for place in range(1, PLACES + 1)]

CHANCES = [f"p_{place:02}" for place in range(1, PLACES + 1)]

OF = "p_of_"
"""What the columns with the share of each kind of event begin with."""

CELLS = 4_000_000  # scores that are held at a time: 32 MB

DIGITS = 9  # of a score that count: the last ones depend on the company in which a row is scored

Numbers = NDArray[np.float64]


class Chances:
    """A fitted model, and the chance that each of the things it puts first is wanted.

    The chance is a sigmoid of the score (Platt 1999), learned on the first `PLACES` things of rows
    that the model did not learn from. An event that came by a list counts as often as the model's
    `noticed` says, so a share of wanted things may be above what was recorded.
    """

    model: Any
    slope: float
    offset: float
    kinds: list[str]
    """Kinds of events, sorted."""

    shares: Numbers
    """Share of each kind among all events."""

    decides: bool = False
    """Whether the model is a rule whose own order (`act`) is valued as it is."""

    def fit(self, model: Any, x: pl.DataFrame, y: pl.Series, seen: pl.Series) -> Self:
        """Learn the chances of a fitted `model` on rows `x` with the truth `y`, and the share of
        each kind of event from all the truth that was `seen`.
        """
        events = parse_events(seen).group_by("event").len().sort("event")
        self.model = model
        self.kinds = events["event"].to_list()
        self.shares = events["len"].to_numpy() / max(events["len"].sum(), 1)
        which, scores = find_best(model, x)
        truth = add_weights(parse_events(y), getattr(model, "noticed", 1.0)).select(
            "row", "brand", "weight"
        )
        named = pl.DataFrame(
            {
                "row": np.repeat(np.arange(x.height, dtype=np.uint32), which.shape[1]),
                "brand": _list_names(model)[which.ravel()],
            }
        )
        once = truth.group_by("row", "brand").agg(pl.col("weight").max())
        joined = named.join(once, on=["row", "brand"], how="left", maintain_order="left")
        weight = joined["weight"].fill_null(0.0).to_numpy()
        self.slope, self.offset = fit_sigmoid(scores.ravel(), weight)
        return self

    def rank(self, x: pl.DataFrame) -> tuple[list[list[str]], Numbers]:
        """For each row the things that come first, as texts, and their chances: (rows, things)."""
        which, scores = find_best(self.model, x)
        chances = 1 / (1 + np.exp(-(self.slope * scores + self.offset)))
        return _list_names(self.model)[which].tolist(), chances


def find_best(model: Any, x: pl.DataFrame) -> tuple[NDArray[np.int64], Numbers]:
    """The things with the highest scores, best first: their positions in the model's names in
    alphabetical order, and their scores, both (rows, things). Equal scores go by the name.
    """
    order = np.argsort(np.asarray(model.brands_).astype(str), kind="stable")
    size = max(CELLS // max(len(order), 1), 1)
    parts = [
        _find_first(np.round(model.decision_function(x[start : start + size])[:, order], DIGITS))
        for start in range(0, x.height, size)
    ]
    which, scores = zip(*parts, strict=True)
    return np.concatenate(which), np.concatenate(scores)


def _find_first(scores: Numbers) -> tuple[NDArray[np.int64], Numbers]:
    """The positions of the highest scores and these, of each row; `scores` is used up."""
    rows, places = np.arange(len(scores)), min(PLACES, scores.shape[1])
    which = np.empty((len(scores), places), dtype=np.int64)
    highest = np.empty((len(scores), places))
    for place in range(places):
        which[:, place] = scores.argmax(axis=1)  # of equal ones the first
        highest[:, place] = scores[rows, which[:, place]]
        scores[rows, which[:, place]] = -np.inf
    return which, highest


def _list_names(model: Any) -> NDArray[Any]:
    return np.sort(np.asarray(model.brands_).astype(str)).astype(object)


def fit_sigmoid(scores: Numbers, weight: Numbers) -> tuple[float, float]:
    """Slope (not below 0) and offset at which 1 / (1 + exp(-(slope * score + offset))) is the
    likeliest chance, by Newton's method. `weight` is 0 where nothing came of a score, and may be
    above 1 where what came counts for more. One more thing of middling score is imagined, with a
    chance of 1/2, so that an answer exists whatever came.
    """
    middle, spread = float(scores.mean()), float(scores.std()) or 1.0
    x = np.append((scores - middle) / spread, 0.0)
    t = np.append(weight, 0.5)
    slope, offset = 0.0, 0.0
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(slope * x + offset, -30, 30)))
        d = p * (1 - p)
        curve = np.array([[d @ x**2, d @ x], [d @ x, d.sum()]]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(curve, np.array([(t - p) @ x, (t - p).sum()]))
        step *= min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
        slope, offset = slope + float(step[0]), offset + float(step[1])
        if np.abs(step).max() < 1e-10:
            break
    if slope <= 0:
        share = min(float(t.mean()), 1 - 1e-6)
        return 0.0, float(np.log(share / (1 - share)))
    return slope / spread, offset - slope * middle / spread


def add_weights(events: pl.DataFrame, noticed: float) -> pl.DataFrame:
    """`events` with `weight` (Float64): what came by a list at place k counts 1 / noticed^(k - 1),
    because so many would have had to look that far for one to do so (inverse propensity; Joachims,
    Swaminathan and Schnabel 2017). What came without a list counts once.
    """
    places = (pl.col("place") - 1).fill_null(0.0)
    return events.with_columns(weight=pl.lit(noticed).pow(-places))


def fit(
    candidate: Any,
    x: pl.DataFrame,
    y: pl.Series,
    x_val: pl.DataFrame,
    y_val: pl.Series,
    cluster: pl.Series | None = None,
) -> tuple[Any, list[Any]]:
    """A candidate fitted on training rows, its chances taken from validation rows."""
    seen = pl.concat([y.cast(pl.String), y_val.cast(pl.String)])
    return Chances().fit(candidate.fit(x, y.cast(pl.String)), x_val, y_val, seen), []


def fit_rule(rule: Any, x: pl.DataFrame, y: pl.Series) -> Any:
    """The rule with what it takes from training rows, and their chances."""
    chances = Chances().fit(rule.fit(x, y.cast(pl.String)), x, y, y)
    chances.decides = hasattr(rule, "act")
    return chances


LOSS = "missed_gain"
"""What the choice between candidates goes by."""


def compute_loss(predictions: pl.DataFrame, y: pl.Series) -> Numbers:
    """Of the best possible discounted gain (Järvelin and Kekäläinen 2002) the share that the first
    `PLACES` things miss, of each row; 0 where nothing was wanted. Every wanted thing counts the
    same, prices and places play no part in it.
    """
    truth = parse_events(y).unique(["row", "brand"]).with_columns(weight=pl.lit(1.0))
    listed = list_places(
        predictions.with_columns(row=pl.int_range(pl.len(), dtype=pl.UInt32)), PLACES
    )
    reached = sum_gain(listed.join(truth, on=["row", "brand"]), "place_shown")
    ideal = truth.with_columns(place=pl.int_range(1, pl.len() + 1).over("row"))
    possible = sum_gain(ideal.filter(pl.col("place") <= PLACES), "place")
    rows = pl.DataFrame({"row": np.arange(predictions.height, dtype=np.uint32)})
    share = (
        rows.join(possible, on="row", how="left")
        .join(reached, on="row", how="left", suffix="_reached")
        .sort("row")
        .select(1 - pl.col("gain_reached").fill_null(0.0) / pl.col("gain"))
        .to_series()
    )
    return share.fill_null(0.0).to_numpy()


def sum_gain(placed: pl.DataFrame, place: str) -> pl.DataFrame:
    """The discounted gain of each row: `row`, `gain` (sum of weight / log2(place + 1))."""
    each = pl.col("weight") / (pl.col(place).cast(pl.Float64) + 1).log(2)
    return placed.sort("row", place).group_by("row", maintain_order=True).agg(gain=each.sum())


def predict(model: Any, x: pl.DataFrame) -> pl.DataFrame:
    """For each row the things that come first, `p_brand_01` to `p_brand_20` (String, "" where there
    are fewer), their chances of being wanted, `p_01` to `p_20` (Float64), and the share of each
    kind of event, `p_of_<kind>` (Float64, the same in all rows); of a rule that decides by itself
    also `OWN` (String), what it shows, with spaces between.
    """
    things, chances = model.rank(x)
    missing = PLACES - chances.shape[1]
    names = pl.DataFrame([[*row, *[""] * missing] for row in things], schema=NAMES, orient="row")
    known = pl.DataFrame(np.pad(chances, ((0, 0), (0, missing))), schema=CHANCES)
    kinds = [
        pl.lit(float(share)).alias(f"{OF}{kind}")
        for kind, share in zip(model.kinds, model.shares, strict=True)
    ]
    predictions = names.cast(pl.String).hstack(known).with_columns(kinds)
    if not model.decides:
        return predictions
    lists = [" ".join(things) for things in model.model.act(x)]
    return predictions.with_columns(read_own(lists, x.height, ""))


def measure_judge(model: Any) -> dict[str, str | float] | None:
    """How far what judges an answer can be trusted; None: here that is the truth itself."""
    return None


def list_places(predictions: pl.DataFrame, places: int) -> pl.DataFrame:
    """The first things of each row one below the other: `row`, `brand`, `chance`, `place_shown`."""
    parts = [
        predictions.select(
            "row",
            brand=pl.col(NAMES[place]),
            chance=pl.col(CHANCES[place]).cast(pl.Float64),
            place_shown=pl.lit(place + 1),
        )
        for place in range(places)
    ]
    return pl.concat(parts).filter(pl.col("brand").fill_null("") != "")
