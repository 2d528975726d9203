"""Classification: how well one feature alone tells the classes."""

import polars as pl

from .separation import Groups, Power, measure_groups


def label(y: pl.Series) -> pl.Series:
    """The groups of rows that a feature may give away: the classes."""
    return y.cast(pl.String)


def measure(feature: pl.Series, y: pl.Series, groups: Groups) -> Power:
    """How well one feature tells a class, or several, from all others: the highest AUC."""
    return measure_groups(feature, groups, by_words=True)
