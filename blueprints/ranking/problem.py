"""Ranking: one row is one unit, the answer is a short list, best first, and each thing on it earns
what comes of it.

A model orders everything that it knows. Of this the best `PLACES` are kept, each with the chance
that it is wanted, and the brief decides how many of them are worth their place. What is ranked is
called a thing here; a brief may call it a brand or a film.

Everything that differs between kinds of problem is here; the stages around it are the same for all.
"""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from . import intervals
from .errors import Mendable
from .intervals import Interval
from .words import Capacity, Curve, Metric

if TYPE_CHECKING:
    import dataframely as dy

NOTHING = "none"
TRUTH = pl.String
"""What predictions and outcomes hold the target as: `ono:order tempo:click@4`, or nothing."""

PLACES = 20
"""How many things a model names for each unit."""

NAMES = [f"p_brand_{place:02}" for place in range(1, PLACES + 1)]
CHANCES = [f"p_{place:02}" for place in range(1, PLACES + 1)]
OF = "p_of_"
"""What the columns with the share of each kind of event begin with."""

EVENT = r"^(?<brand>[^\s:@]+):(?<event>[^\s:@]+)(?:@(?<place>[1-9][0-9]*))?$"
CELLS = 4_000_000  # scores that are held at a time: 32 MB
DIGITS = 9  # of a score that count: the last ones depend on the company in which a row is scored
Brief = dict[str, Any]
Numbers = NDArray[np.float64]
COLUMNS = [
    "action", "outcome", "score", "value", "positive", "shown", "places", "wanted", "found",
    "expected", "ndcg", "in_head",
]  # fmt: skip

TERMS: dict[str, tuple[pl.Expr, pl.Expr]] = {
    "value_per_1000": (pl.col("value") * 1000, pl.lit(1.0)),
    "ndcg": (pl.col("ndcg"), pl.col("positive").cast(pl.Float64)),
    "recall_at_k": (pl.col("found"), pl.col("wanted")),
    "head_share": (pl.col("in_head").cast(pl.Float64), pl.col("places").cast(pl.Float64)),
}
"""Metric to (numerator, denominator) per unit of the outcomes table; the metric is the ratio of
their sums.
"""

SLICE_METRICS = ("value_per_1000", "ndcg", "recall_at_k")


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

    def fit(self, model: Any, x: pl.DataFrame, y: pl.Series, seen: pl.Series) -> Self:
        """Learn the chances of a fitted `model` on rows `x` with the truth `y`, and the share of
        each kind of event from all the truth that was `seen`.
        """
        events = wants(seen).group_by("event").len().sort("event")
        self.model = model
        self.kinds = events["event"].to_list()
        self.shares = events["len"].to_numpy() / max(events["len"].sum(), 1)
        which, scores = best(model, x)
        truth = weighted(wants(y), getattr(model, "noticed", 1.0)).select("row", "brand", "weight")
        named = pl.DataFrame(
            {
                "row": np.repeat(np.arange(x.height, dtype=np.uint32), which.shape[1]),
                "brand": _names(model)[which.ravel()],
            }
        )
        once = truth.group_by("row", "brand").agg(pl.col("weight").max())
        found = named.join(once, on=["row", "brand"], how="left", maintain_order="left")
        self.slope, self.offset = sigmoid(scores.ravel(), found["weight"].fill_null(0.0).to_numpy())
        return self

    def ranked(self, x: pl.DataFrame) -> tuple[list[list[str]], Numbers]:
        """For each row the things that come first, as texts, and their chances: (rows, things)."""
        which, scores = best(self.model, x)
        chances = 1 / (1 + np.exp(-(self.slope * scores + self.offset)))
        return _names(self.model)[which].tolist(), chances


def best(model: Any, x: pl.DataFrame) -> tuple[NDArray[np.int64], Numbers]:
    """The things with the highest scores, best first: their positions in the model's names in
    alphabetical order, and their scores, both (rows, things). Equal scores go by the name.
    """
    order = np.argsort(np.asarray(model.brands_).astype(str), kind="stable")
    size = max(CELLS // max(len(order), 1), 1)
    parts = [
        _first(np.round(model.decision_function(x[start : start + size])[:, order], DIGITS))
        for start in range(0, x.height, size)
    ]
    which, scores = zip(*parts, strict=True)
    return np.concatenate(which), np.concatenate(scores)


def _first(scores: Numbers) -> tuple[NDArray[np.int64], Numbers]:
    """The positions of the highest scores and these, of each row; `scores` is used up."""
    rows, places = np.arange(len(scores)), min(PLACES, scores.shape[1])
    which = np.empty((len(scores), places), dtype=np.int64)
    found = np.empty((len(scores), places))
    for place in range(places):
        which[:, place] = scores.argmax(axis=1)  # of equal ones the first
        found[:, place] = scores[rows, which[:, place]]
        scores[rows, which[:, place]] = -np.inf
    return which, found


def _names(model: Any) -> NDArray[Any]:
    return np.sort(np.asarray(model.brands_).astype(str)).astype(object)


def sigmoid(scores: Numbers, weight: Numbers) -> tuple[float, float]:
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


def wants(y: pl.Series) -> pl.DataFrame:
    """What the texts of a target say, an event per row.

    Columns: `row` (UInt32, the text's place in `y`), `brand`, `event` (String), `place` (Float64,
    on the list by which it came; null without one).

    Raises:
        Mendable: a word is not of the form `brand:event` or `brand:event@place`.
    """
    words = (
        pl.DataFrame({"word": y.cast(pl.String)})
        .select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), pl.col("word").str.split(" "))
        .explode("word", empty_as_null=True)
        .filter(pl.col("word") != "")
    )
    found = words.with_columns(pl.col("word").str.extract_groups(EVENT).alias("parts"))
    found = found.select("row", "word", pl.col("parts").struct.unnest())
    if strange := found.filter(pl.col("brand").is_null())["word"].head(1).to_list():
        raise Mendable(
            f"contract.py: TARGET: expected words like brand:event or brand:event@3, found "
            f"{strange[0]!r}. Next: mend the source, or the target's regex in contract.py, then "
            "uv run dvc repro"
        )
    return found.select("row", "brand", "event", pl.col("place").cast(pl.Float64))


def weighted(events: pl.DataFrame, noticed: float) -> pl.DataFrame:
    """`events` with `weight` (Float64): what came by a list at place k counts 1 / noticed^(k - 1),
    because so many would have had to look that far for one to do so (inverse propensity; Joachims,
    Swaminathan and Schnabel 2017). What came without a list counts once.
    """
    places = (pl.col("place") - 1).fill_null(0.0)
    return events.with_columns(weight=pl.lit(noticed).pow(-places))


# --- Training -----------------------------------------------------------------------------------


def fit(
    candidate: Any, x: pl.DataFrame, y: pl.Series, x_val: pl.DataFrame, y_val: pl.Series
) -> Any:
    """A candidate fitted on training rows, its chances taken from validation rows."""
    seen = pl.concat([y.cast(pl.String), y_val.cast(pl.String)])
    return Chances().fit(candidate.fit(x, y.cast(pl.String)), x_val, y_val, seen)


def fit_rule(rule: Any, x: pl.DataFrame, y: pl.Series) -> Any:
    """The rule with what it takes from training rows, and their chances."""
    return Chances().fit(rule.fit(x, y.cast(pl.String)), x, y, y)


LOSS = "missed_gain"
"""What the choice between candidates goes by."""


def loss(predictions: pl.DataFrame, y: pl.Series) -> Numbers:
    """Of the best possible discounted gain (Järvelin and Kekäläinen 2002) the share that the first
    `PLACES` things miss, of each row; 0 where nothing was wanted. Every wanted thing counts the
    same, prices and places play no part in it.
    """
    truth = wants(y).unique(["row", "brand"]).with_columns(weight=pl.lit(1.0))
    listed = _long(predictions.with_columns(row=pl.int_range(pl.len(), dtype=pl.UInt32)), PLACES)
    reached = gain(listed.join(truth, on=["row", "brand"]), "place_shown")
    ideal = truth.with_columns(place=pl.int_range(1, pl.len() + 1).over("row"))
    possible = gain(ideal.filter(pl.col("place") <= PLACES), "place")
    rows = pl.DataFrame({"row": np.arange(predictions.height, dtype=np.uint32)})
    share = (
        rows.join(possible, on="row", how="left")
        .join(reached, on="row", how="left", suffix="_reached")
        .sort("row")
        .select(1 - pl.col("gain_reached").fill_null(0.0) / pl.col("gain"))
        .to_series()
    )
    return share.fill_null(0.0).to_numpy()


def gain(placed: pl.DataFrame, place: str) -> pl.DataFrame:
    """The discounted gain of each row: `row`, `gain` (sum of weight / log2(place + 1))."""
    each = pl.col("weight") / (pl.col(place).cast(pl.Float64) + 1).log(2)
    return placed.sort("row", place).group_by("row", maintain_order=True).agg(gain=each.sum())


def predict(model: Any, x: pl.DataFrame) -> pl.DataFrame:
    """For each row the things that come first, `p_brand_01` to `p_brand_20` (String, "" where there
    are fewer), their chances of being wanted, `p_01` to `p_20` (Float64), and the share of each
    kind of event, `p_of_<kind>` (Float64, the same in all rows).
    """
    things, chances = model.ranked(x)
    missing = PLACES - chances.shape[1]
    names = pl.DataFrame([[*row, *[""] * missing] for row in things], schema=NAMES, orient="row")
    known = pl.DataFrame(np.pad(chances, ((0, 0), (0, missing))), schema=CHANCES)
    kinds = [
        pl.lit(float(share)).alias(f"{OF}{kind}")
        for kind, share in zip(model.kinds, model.shares, strict=True)
    ]
    return names.cast(pl.String).hstack(known).with_columns(kinds)


def yardstick(model: Any) -> dict[str, Any] | None:
    """How far to trust what judges an answer: here it is the truth itself."""
    return None


POWER = "overlap"
"""What `power_alone` measures."""


def power_alone(feature: pl.Series, y: pl.Series, seed: int) -> float:
    """How much of what is wanted one feature alone names: mean overlap (Jaccard 1901: things in
    both sets by things in either) over the rows with an event. What it names are its own words, or
    what was most often wanted at its value in the other half of the rows, whichever overlaps more.
    """
    truth = wants(y).unique(["row", "brand"]).select("row", "brand")
    rows = pl.DataFrame({"value": feature.cast(pl.String).fill_null("")}).with_row_index("row")
    rows = rows.with_columns(half=np.random.default_rng(seed).permutation(len(rows)) % 2 == 0)
    told = rows.join(truth.group_by("row").agg(pl.col("brand").sort()), on="row").rename(
        {"brand": "wanted"}
    )
    if told.is_empty():
        return 0.0
    own = told.with_columns(named=pl.col("value").str.split(" ").list.unique())
    usual = (
        told.filter("half")
        .group_by("value", "wanted")
        .len()
        .sort(["value", "len", "wanted"], descending=[False, True, False])
        .unique("value", keep="first", maintain_order=True)
        .select("value", named="wanted")
    )
    learned = told.filter(~pl.col("half")).join(usual, on="value", how="left")
    return max(_overlap(own), _overlap(learned))


def _overlap(told: pl.DataFrame) -> float:
    """Mean overlap of the sets `named` and `wanted`; what is not named at all overlaps nothing."""
    wanted, named = pl.col("wanted"), pl.col("named")
    both = wanted.list.set_intersection(named).list.len()
    either = wanted.list.set_union(named).list.len()
    share = told.select((both / either).fill_null(0.0).mean()).item()
    return float(share or 0.0)


# --- The target ---------------------------------------------------------------------------------


def unusable(target: "dy.Column") -> str | None:
    """What is wrong with the target's type in the contract, if anything."""
    if target.dtype == pl.String:
        return None
    return f"expected a text (dy.String) like brand:event, found {type(target).__name__}"


MOST = 10  # things that a report counts one by one


def balance(target: pl.Series) -> dict[str, int]:
    """What the target looks like, for `reports/data.json`: events by thing, the most wanted first,
    and those of all the others.
    """
    counts = wants(target.drop_nulls()).group_by("brand").len()
    counts = counts.sort(["len", "brand"], descending=[True, False])
    others = counts[MOST:]
    found = dict(counts.head(MOST).iter_rows())
    if others.height:
        found[f"{others.height:,} others"] = int(others["len"].sum())
    return found


VARIED = "events with two brands or more"
"""What a target has to be for anything to be learned."""


# --- Action and outcome -------------------------------------------------------------------------


def act(predictions: pl.DataFrame, brief: Brief) -> pl.DataFrame:
    """`action` (String), `score` (Float64, the list's expected value in money) and `shown`
    (List[String], best first).

    At place k a thing is worth noticed^(k - 1) x its chance x the price of an event, and what
    showing it costs: `noticed` is the persistence of rank-biased precision (Moffat and Zobel 2008).
    It is shown while that is above 0, and while the list is shorter than `at_most`.
    """
    value, decision = brief["value"], brief["decision"]
    worth = _worth(predictions, brief)
    expected = [
        value["noticed"] ** place * pl.col(CHANCES[place]).fill_null(0.0) * worth + value["shown"]
        for place in range(_most(brief))
    ]
    table = predictions.select(
        *(each.alias(CHANCES[place]) for place, each in enumerate(expected)),
        *(pl.col(name).fill_null("") for name in NAMES[: len(expected)]),
    )
    shows = [
        pl.all_horizontal(pl.col(CHANCES[: place + 1]) > 0) & (pl.col(NAMES[place]) != "")
        for place in range(len(expected))
    ]
    chosen = [pl.when(show).then(name) for show, name in zip(shows, NAMES, strict=False)]
    earned = [pl.when(show).then(name) for show, name in zip(shows, CHANCES, strict=False)]
    return table.select(
        shown=pl.concat_list(chosen).list.drop_nulls(),
        score=pl.sum_horizontal(earned).cast(pl.Float64),
    ).select(
        pl.when(pl.col("shown").list.len() == 0)
        .then(pl.lit(NOTHING))
        .otherwise(pl.lit(decision["action"]))
        .alias("action"),
        "score",
        "shown",
    )


def outcomes(predictions: pl.DataFrame, brief: Brief) -> pl.DataFrame:
    """The outcomes table of one model.

    Columns: `unit` (UInt32), `cluster` and the segments (String), `action`, `outcome` (String, the
    truth), `score`, `value` (money against showing nothing), `positive` (whether anything was
    wanted), `shown` (String, the list with spaces between), `places` (UInt32, its length), `wanted`
    and `found` (how many things were wanted, and how many of these were shown), `expected` (how
    many of those shown the model expected to be wanted), `ndcg` (discounted gain of the list by the
    best possible) and `in_head` (UInt32, how many of those shown belong to the head). What came by
    a list counts by its weight (`weighted`) in value, wanted, found and ndcg.
    """
    value, segments = brief["value"], _segments(predictions)
    units = predictions.select(
        pl.col("row").alias("unit"), "cluster", *segments, outcome=pl.col("target")
    )
    acted = act(predictions, brief).with_columns(pl.col("shown").list.join(" "))
    units = units.hstack(acted)
    truth = _truth(units["outcome"], brief)
    listed = (
        units.select(
            row=pl.int_range(pl.len(), dtype=pl.UInt32), brand=pl.col("shown").str.split(" ")
        )
        .explode("brand", empty_as_null=True)
        .filter(pl.col("brand") != "")
        .with_columns(place_shown=pl.int_range(1, pl.len() + 1).over("row"))
    )
    chance = _long(predictions.with_columns(row=pl.int_range(pl.len(), dtype=pl.UInt32)), PLACES)
    listed = listed.join(
        chance.select("row", "brand", "chance"), on=["row", "brand"], how="left"
    ).join(truth, on=["row", "brand"], how="left")
    looked = pl.lit(value["noticed"]).pow(pl.col("place_shown").cast(pl.Float64) - 1)
    of_lists = (
        listed.sort("row", "place_shown")
        .group_by("row", maintain_order=True)
        .agg(
            value=(looked * pl.col("worth").fill_null(0.0)).sum() + value["shown"] * pl.len(),
            places=pl.len(),
            found=pl.col("weight").sum(),
            expected=pl.col("chance").sum(),
            reached=(pl.col("weight") / (pl.col("place_shown").cast(pl.Float64) + 1).log(2)).sum(),
            in_head=pl.col("brand").is_in(head(truth).implode()).sum(),
        )
    )
    ideal = truth.sort(["row", "weight"], descending=[False, True]).with_columns(
        place=pl.int_range(1, pl.len() + 1).over("row")
    )
    possible = gain(ideal.filter(pl.col("place") <= _most(brief)), "place")
    of_truth = truth.sort("row", "brand").group_by("row").agg(wanted=pl.col("weight").sum())
    return (
        units.with_columns(row=pl.int_range(pl.len(), dtype=pl.UInt32))
        .join(of_lists, on="row", how="left", maintain_order="left")
        .join(of_truth, on="row", how="left", maintain_order="left")
        .join(possible, on="row", how="left", maintain_order="left")
        .with_columns(
            pl.col("value", "found", "wanted", "expected").fill_null(0.0),
            pl.col("places", "in_head").cast(pl.UInt32).fill_null(0),
            positive=pl.col("wanted").is_not_null(),
            ndcg=(pl.col("reached") / pl.col("gain")).fill_null(0.0),
        )
        .select("unit", "cluster", *segments, *COLUMNS)
    )


def _truth(y: pl.Series, brief: Brief) -> pl.DataFrame:
    """What was wanted, each thing of a row once: `row`, `brand`, `weight` and `worth` (its price
    times its weight; of two events with one thing the dearer).
    """
    value = brief["value"]
    events = weighted(wants(y), value["noticed"])
    _check_prices(events["event"].unique().to_list(), brief)
    price = pl.col("event").replace_strict(
        list(value["events"]), list(value["events"].values()), return_dtype=pl.Float64
    )
    return events.group_by("row", "brand").agg(
        pl.col("weight").max(), worth=(price * pl.col("weight")).max()
    )


def head(truth: pl.DataFrame) -> pl.Series:
    """The head: the fewest things that make half of what was wanted (`brand`, `weight`)."""
    counts = (
        truth.sort("brand", "row")
        .group_by("brand", maintain_order=True)
        .agg(pl.col("weight").sum().round(6))
    )
    ordered = counts.sort(["weight", "brand"], descending=[True, False])
    before = pl.col("weight").cum_sum() - pl.col("weight")
    return ordered.filter(before < pl.col("weight").sum() / 2)["brand"]


def bounds(metric: str, brief: Brief, *outcome: pl.DataFrame) -> tuple[float, float]:
    """The lowest and highest numerator of one unit. Of an amount, what they are for all units of a
    cluster of usual size that comes to as little or as much as any cluster did: one visit may earn
    much, but nobody has only such visits.
    """
    if metric != "value_per_1000":
        return 0.0, 1.0
    sums = pl.concat(
        table.group_by("cluster").agg(pl.len().alias("n"), worth=TERMS[metric][0].sum().round(6))
        for table in outcome
    )
    usual = (pl.col("n") ** 2).sum() / pl.col("n").sum()
    low, high = sums.select(
        low=pl.col("worth").min() / usual, high=pl.col("worth").max() / usual
    ).row(0)
    return min(low, 0.0), max(high, 0.0)


def extra_metrics(
    outcome: pl.DataFrame, predictions: pl.DataFrame, confidence: float
) -> dict[str, Interval]:
    """How much of the catalogue is ever shown: the share of the things wanted that were on any
    list; its interval is over things.
    """
    wanted = wants(outcome["outcome"])["brand"].unique().sort()
    shown = outcome["shown"].str.split(" ").explode().unique()
    ever = wanted.is_in(shown.implode()).cast(pl.Float64)
    return {"catalogue": intervals.mean(ever.to_numpy(), wanted.to_numpy(), confidence)}


# --- In words and pictures ----------------------------------------------------------------------

FEW = "visits with an event"
"""What there must be enough of for a figure to be sure."""

METRICS = {
    "value_per_1000": Metric("value per 1,000", "money, against showing nothing", "money"),
    "ndcg": Metric(
        "nDCG",
        "how near the lists come to the best possible order, over {unit}s with an event",
        "share",
    ),
    "recall_at_k": Metric("recall at k", "of what was wanted, the share that was shown", "share"),
    "head_share": Metric(
        "head share",
        "of what was shown, the share that belongs to the few that make half of all events",
        "share",
    ),
    "catalogue": Metric(
        "catalogue", "of all that anybody wanted, the share that was on any list", "share"
    ),
}

CALIBRATION = Curve(
    "Of what is shown with a chance of 10%, 10% should be wanted (the diagonal), per {unit}",
    ("chance of what is shown, mean", "share wanted"),
    ("challenger predicts", "observed"),
)


def calibration(outcome: pl.DataFrame, predictions: pl.DataFrame, bins: int = 10) -> pl.DataFrame:
    """Predicted against observed share of what is shown that is wanted, in `bins` groups of units
    of equal size; units that are shown nothing are left out.

    Columns: `mean_predicted`, `observed` (Float64), `n` (UInt32).
    """
    shown = outcome.filter(pl.col("places") > 0)
    expected = (pl.col("expected") / pl.col("places")).round(DIGITS)
    return (
        shown.with_columns(bin=((expected.rank("average") - 0.5) * bins // pl.len()))
        .group_by("bin")
        .agg(
            mean_predicted=pl.col("expected").sum() / pl.col("places").sum(),
            observed=pl.col("found").sum() / pl.col("places").sum(),
            n=pl.len(),
        )
        .sort("bin")
        .drop("bin")
    )


def value_curve(predictions: pl.DataFrame, brief: Brief, shares: list[float]) -> pl.DataFrame:
    """Value per 1,000 units if only the surest `acted_share` of them were shown a list.

    Columns: `acted_share`, `value_per_1000` (Float64). Units of equal score count with their mean
    value.
    """
    ordered = (
        outcomes(predictions, brief)
        .with_columns(pl.col("score").round(DIGITS))
        .with_columns(pl.col("value").mean().over("score"))
        .sort("score", descending=True)
    )
    earned = ordered["value"].cum_sum()
    ends = [max(int(share * ordered.height), 1) - 1 for share in shares]
    return pl.DataFrame(
        {"acted_share": shares, "value_per_1000": earned.gather(ends) * 1000 / ordered.height}
    )


def capacity(brief: Brief, unit: str) -> Capacity:
    """What the value curve shows, for the report."""
    return Capacity(
        f"What it would be worth in some {unit}s only",
        f"If a list were shown only in those {unit}s in which it is expected to earn most.",
        f"share of {unit}s with a list",
        [0.2, 0.4, 0.6, 0.8],
        None,
    )


def shares(target: dict[str, int]) -> tuple[list[str], list[list[str]]]:
    """What `balance` told, as a table: header and rows."""
    events = sum(target.values())
    return ["wanted", ">events", ">share"], [
        [name, f"{count:,}", f"{count / events:.1%}"] for name, count in target.items()
    ]


def judged_on(n: int, positives: int, unit: str) -> str:
    """The units that the gain was judged on, and which side their record favours."""
    return (
        f"Judged on {n:,} held-out {unit}s, {positives:,} of them with an event. A list that was "
        "shown while they were recorded is favoured: who wanted anything else had to search for it "
        "or left no trace. Only a live experiment tells what other lists earn."
    )


def prices(brief: Brief) -> tuple[list[str], list[list[str]]]:
    """The brief's prices as a table: header and rows."""
    value = brief["value"]
    rows = [
        [f"shown and wanted: {kind}", f"{value['currency']} {price:,g}"]
        for kind, price in value["events"].items()
    ]
    rows += [
        ["each one shown", f"{value['currency']} {value['shown']:,g}"],
        ["who looks at one place and looks at the next", f"{value['noticed']:.0%}"],
    ]
    return ["against showing nothing", ">price"], rows


def in_words(brief: Brief) -> str:
    """The decision and its prices in one clause: `show at most 5 brands for each visit; …`."""
    decision, value = brief["decision"], brief["value"]
    words = f"{decision['action']} at most {decision['at_most']:,} {decision['of']} for each "
    words += f"{decision['unit']}; one that is wanted earns {value['currency']} "
    words += " or ".join(f"{price:,g} ({kind})" for kind, price in value["events"].items())
    return words + (f", each one shown costs {-value['shown']:,g}" if value["shown"] else "")


def _segments(predictions: pl.DataFrame) -> list[str]:
    return [
        name
        for name in predictions.columns
        if name not in ("row", "cluster", "target") and not name.startswith("p_")
    ]


def _most(brief: Brief) -> int:
    """How many things may be shown."""
    most = int(brief["decision"]["at_most"])
    if most > PLACES:
        raise Mendable(
            f"project-brief.md: decision: expected at_most up to {PLACES}, found {most}. "
            "Next: mend the brief, then uv run dvc repro"
        )
    return most


def _worth(predictions: pl.DataFrame, brief: Brief) -> pl.Expr:
    """What an event is worth on average, in money."""
    kinds = [name.removeprefix(OF) for name in predictions.columns if name.startswith(OF)]
    _check_prices(kinds, brief)
    each = [pl.col(f"{OF}{kind}") * brief["value"]["events"][kind] for kind in kinds]
    return pl.sum_horizontal(pl.lit(0.0), *each)


def _check_prices(kinds: list[str], brief: Brief) -> None:
    """Stop where the data knows a kind of event that the brief does not price."""
    priced = brief["value"]["events"]
    if unknown := sorted(set(kinds) - set(priced)):
        raise Mendable(
            "project-brief.md: value: expected a price for each kind of event in the target, found "
            f"none for {', '.join(unknown)} (priced: {', '.join(priced)}). "
            "Next: mend the brief, then uv run dvc repro"
        )


def _long(predictions: pl.DataFrame, places: int) -> pl.DataFrame:
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
