"""Answering: how well one feature alone tells the intents."""

import polars as pl

from .separation import Groups, Power, measure_groups, rank, simplify

FEWEST = 50  # texts that name an intent, without which nothing is measured
RECURS = 10  # rows that a value of text has on average, for it


def label(y: pl.Series) -> pl.Series:
    """The groups of rows that a feature may give away: the intents."""
    return y.cast(pl.String)


def measure(feature: pl.Series, y: pl.Series, groups: Groups) -> Power:
    """How well one feature tells an intent, or several, from all others (the highest AUC), or how
    often it names the right one where it names one, whichever is more.

    A text whose values hardly recur is no code, and is compared with the intent's name only: that
    the same words mean the same is what the questions are there for.
    """
    plain = simplify(feature)
    if plain.dtype != pl.String:
        return measure_groups(feature, groups)
    power = Power(measure_names(plain, y), "the intent, by name")
    if feature.n_unique() * RECURS > len(feature):
        return power
    return max(power, measure_groups(feature, groups), key=rank)


def measure_names(plain: pl.Series, y: pl.Series) -> float | None:
    """Where a text is an intent's name, how often that is the right one."""
    names = pl.DataFrame({"name": plain.str.to_lowercase().str.strip_chars()}).with_columns(
        pl.col("name").str.replace_all(r"\W+", "_"), intent=y.cast(pl.String).str.to_lowercase()
    )
    names = names.filter(pl.col("name").is_in(names["intent"].unique().implode()))
    right = names.select((pl.col("name") == pl.col("intent")).mean()).item()
    return float(right) if names.height >= FEWEST else None
