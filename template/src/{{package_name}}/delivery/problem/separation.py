"""How well what one feature says separates groups of rows: learned on one half of them, measured on
the other, as AUC.

A feature is looked at in several ways, because each kind of model uses another one: by its order,
coarse and fine, by its values, and a text by its words. A missing value is a value of its own.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Numbers = NDArray[np.float64]

FEWEST_IN_HALF = 5  # rows of a group, and of the others, without which nothing can be measured
FINEST = 256  # ranges of a feature's order; the coarser ways have a quarter of it and so on
USUAL = 0.2  # share of a value above which the rows without it are looked at by themselves
WORDS = 50  # of a text that are looked at one by one


class Power(NamedTuple):
    """How well a feature alone tells something (1: perfectly; None: it could not be checked), and
    what that is.
    """

    value: float | None
    tells: str


class Groups(NamedTuple):
    """Rows, each with one of the labels `names`: `label` is its place there, `half` says whether it
    is learned from; a row of label k stands for `weights[k]` rows.
    """

    names: list[str]
    label: Codes
    half: NDArray[np.bool_]
    weights: Numbers

    def keep(self, rows: NDArray[np.bool_]) -> "Groups":
        """The same of some of the rows."""
        return self._replace(label=self.label[rows], half=self.half[rows])


def choose_rows(labels: pl.Series, most: int) -> Codes:
    """The rows to measure on, ascending: all of a rare label, and of each other one as many, spread
    evenly over the rows; some `most` together.
    """
    each = max(most // max(labels.n_unique(), 1), 2 * FEWEST_IN_HALF)
    rows = [
        part[np.linspace(0, len(part) - 1, min(len(part), each)).astype(np.int64)]
        for part in (
            places.to_numpy()
            for places in labels.to_frame("label")
            .with_row_index("row")
            .group_by("label")
            .agg("row")["row"]
        )
    ]
    return np.sort(np.concatenate(rows)).astype(np.int64)


def build_groups(labels: pl.Series, rows: Codes, clusters: pl.Series, seed: int) -> Groups:
    """The groups of the chosen `rows`; those of one cluster are in one half."""
    counts = labels.value_counts(name="n").sort(labels.name)
    names, chosen = counts[labels.name].to_list(), labels.gather(rows)
    label = chosen.replace_strict(names, range(len(names)), return_dtype=pl.Int64).to_numpy()
    who = clusters.rank("dense").to_numpy() - 1
    half = np.random.default_rng(seed).permutation(int(who.max()) + 1) % 2 == 0
    weights = counts["n"].to_numpy() / np.bincount(label, minlength=len(names))
    return Groups(names, label, half[who], weights)


def count_rare(groups: Groups) -> dict[str, int]:
    """The labels with too few rows to check what tells them, each with its rows."""
    fewest = np.minimum(*(_count(groups, half) for half in (True, False)))
    if len(groups.names) < 2:
        return {}
    rare = np.flatnonzero(fewest < FEWEST_IN_HALF)
    return {groups.names[k]: int((groups.label == k).sum()) for k in rare}


def _count(groups: Groups, half: bool) -> Codes:
    return np.bincount(groups.label[groups.half == half], minlength=len(groups.names))


def measure_groups(feature: pl.Series, groups: Groups, *, by_words: bool = False) -> Power:
    """How well one feature tells a label, or several labels together, from all others: the highest
    AUC of any way to look at it, on all rows and on those without the feature's usual value (what
    is filled in for few rows only may give away these).
    """
    plain = simplify(feature)
    parts = [
        _measure(plain.filter(pl.Series(rows)), groups.keep(rows), by_words)
        for rows in find_parts(plain)
    ]
    return max(parts, key=rank)


def find_parts(plain: pl.Series) -> Iterator[NDArray[np.bool_]]:
    """Which rows to look at: all, and those without the feature's usual value."""
    yield np.ones(len(plain), dtype=bool)
    usual = plain.value_counts(name="n", sort=True)
    if usual["n"][0] >= USUAL * len(plain) and usual.height > 2:
        value = pl.lit(usual[plain.name][0], dtype=plain.dtype)
        yield plain.to_frame().select(pl.col(plain.name).ne_missing(value)).to_series().to_numpy()


def rank(power: Power) -> float:
    """What powers are compared by: one that could not be checked comes last."""
    return -1.0 if power.value is None else power.value


def simplify(feature: pl.Series) -> pl.Series:
    """The feature as numbers or as text, missing where it says nothing."""
    plain = feature.rename("feature")
    if plain.dtype in (pl.Enum, pl.Categorical):
        return plain.cast(pl.String)
    if plain.dtype == pl.List(pl.String):
        return plain.list.join(" ")
    if plain.dtype.is_nested() or plain.dtype in (pl.Object, pl.Binary):
        return plain.hash()
    if plain.dtype == pl.String:
        return plain
    return plain.to_physical().cast(pl.Float64).fill_nan(None)


def find_views(plain: pl.Series) -> Iterator[Codes]:
    """The ways to look at a feature: a code per row, 0 where it is missing."""
    known = len(plain) - plain.null_count()
    place = (plain.rank("average") - 0.5) * (FINEST / max(known, 1))
    finest = (place.floor().cast(pl.Int64) + 1).fill_null(0).to_numpy()
    for width in (1, 4, 16, 64):
        yield np.where(finest > 0, (finest - 1) // width + 1, 0)
    if plain.n_unique() <= len(plain) / 2:
        yield plain.rank("dense").cast(pl.Int64).fill_null(0).to_numpy()


def find_words(plain: pl.Series, groups: Groups) -> Iterator[Codes]:
    """Whether a text has a word, for each of the words that differ most between labels."""
    words = pl.DataFrame({"row": np.arange(len(plain)), "label": groups.label, "word": plain})
    words = words.with_columns(pl.col("word").str.to_lowercase().str.extract_all(r"\w+"))
    words = words.explode("word").unique(["row", "word"]).drop_nulls("word")
    sizes = np.maximum(np.bincount(groups.label, minlength=len(groups.names)), 1)
    share = (1 / pl.lit(pl.Series(sizes)).gather(pl.col("label"))).sum()
    by_label = words.group_by("word", "label").agg(share=share)
    spread = by_label.group_by("word").agg(most=pl.col("share").max(), total=pl.col("share").sum())
    apart = pl.col("most") - (pl.col("total") - pl.col("most")) / max(len(sizes) - 1, 1)
    chosen = spread.sort(apart.abs(), "word", descending=[True, False]).head(WORDS)["word"]
    for _, rows in words.filter(pl.col("word").is_in(chosen.implode())).group_by("word"):
        codes = np.zeros(len(plain), dtype=np.int64)
        codes[rows["row"].to_numpy()] = 1
        yield codes


def _measure(plain: pl.Series, groups: Groups, by_words: bool) -> Power:
    best = Power(None, "")
    for codes in find_views(plain):
        best = max(best, measure_codes(codes, groups), key=rank)
    if by_words and plain.dtype == pl.String:
        for codes in find_words(plain, groups):
            best = max(best, measure_codes(codes, groups), key=rank)
    return best


def measure_codes(codes: Codes, groups: Groups) -> Power:
    """How well codes tell a label, or several labels together, from all others: the highest AUC,
    the mean of learning on either half.
    """
    size, kinds = int(codes.max(initial=0)) + 1, len(groups.names)
    cells, counts = codes * kinds + groups.label, []
    for half in (True, False):
        cell = np.bincount(cells[groups.half == half], minlength=size * kinds)
        counts.append(cell.reshape(size, kinds))
    best = Power(None, "")
    for group in find_groups(counts[0] + counts[1]):
        sides = ((counts[0], counts[1]), (counts[1], counts[0]))
        values = [learn(one, other, group, groups.weights) for one, other in sides]
        if known := [value for value in values if value is not None]:
            names = [f"`{groups.names[k]}`" for k in group]
            more = [f"{len(names) - 3} more"] if names[3:] else []
            tells = " or ".join(names[:3] + more)
            best = max(best, Power(sum(known) / len(known), tells), key=rank)
    return best


def find_groups(counts: Codes) -> Iterator[list[int]]:
    """Each label, and the labels that a feature hardly tells apart, taken together one after the
    other, the most alike first (single linkage). If a feature tells any set of labels from all
    others, then one of these too. `counts` has a row per code and a column per label.
    """
    kinds = counts.shape[1]
    yield from ([k] for k in range(kinds if kinds > 2 else kinds - 1))
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    alike = np.array([np.minimum(shares, shares[:, [k]]).sum(axis=0) for k in range(kinds)])
    np.fill_diagonal(alike, -1.0)
    members = [[k] for k in range(kinds)]
    for _ in range(kinds - 3):
        one, other = sorted(map(int, np.unravel_index(alike.argmax(), alike.shape)))
        members[one] = sorted(members[one] + members[other])
        alike[one] = alike[:, one] = np.maximum(alike[one], alike[other])
        alike[other] = alike[:, other] = alike[one, one] = -1.0
        yield members[one]


def learn(learned: Codes, measured: Codes, group: list[int], weights: Numbers) -> float | None:
    """The AUC on `measured` rows of the share of a group that each code had on `learned` ones, both
    counted by code and label; None where fewer than half of either, or too few, have a code that
    was learned.
    """
    met = learned.sum(axis=1) > 0
    for side in (*_split(learned, group), *_split(measured, group)):
        if side[met].sum() < max(FEWEST_IN_HALF, side.sum() / 2):
            return None
    learned, measured = learned[met], measured[met]
    own, others = _split(learned * weights, group)
    score = (own + own.sum() / (own + others).sum()) / (own + others + 1)
    positive, negative = _split(measured * weights, group)
    level = np.unique(score.round(12), return_inverse=True)[1]
    hits, misses = (np.bincount(level, weights=who) for who in (positive, negative))
    return float(hits @ (misses.cumsum() - misses / 2) / (hits.sum() * misses.sum()))


def _split(counts: NDArray[Any], group: list[int]) -> tuple[Numbers, Numbers]:
    """By code, the rows of a group and those of all others."""
    own = counts[:, group].sum(axis=1)
    return own, counts.sum(axis=1) - own
