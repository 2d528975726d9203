"""Ranking: how well one feature alone tells what is wanted."""

import polars as pl

from .separation import Groups, Power, find_views, measure_groups, rank, simplify
from .target import parse_events

FEWEST = 50  # rows without which no share is measured
WORD = r"[^\s,;|:@]+"


def label(y: pl.Series) -> pl.Series:
    """The groups of rows that a feature may give away: those with an event and those without."""
    events = y.cast(pl.String).str.strip_chars().fill_null("") != ""
    return events.replace_strict([True, False], ["an event", "no event"], return_dtype=pl.String)


def measure(feature: pl.Series, y: pl.Series, groups: Groups) -> Power:
    """How well one feature tells what is wanted: the highest of how well it tells rows with an
    event from others (AUC), and of what `measure_words` and `measure_sets` find.
    """
    plain = simplify(feature)
    wanted = parse_events(y).with_columns(pl.col("brand").str.to_lowercase())
    wanted = wanted.group_by("row").agg(wanted=pl.col("brand").unique().sort())
    return max(
        measure_words(plain, wanted),
        measure_sets(plain, wanted, groups),
        measure_groups(feature, groups),
        key=rank,
    )


def measure_words(plain: pl.Series, wanted: pl.DataFrame) -> Power:
    """How far the things that a feature's words name are those wanted: of rows with an event the
    mean overlap (Jaccard 1901: things in both sets by things in either); of the things named, the
    share wanted; and the chance that a wanted thing is named less that another one is (as AUC).
    """
    words = plain.cast(pl.String).str.to_lowercase().str.extract_all(WORD)
    rows = pl.DataFrame({"named": words.list.unique()}).with_row_index("row")
    things = wanted["wanted"].explode().unique().implode()
    rows = rows.join(wanted, on="row", how="left").with_columns(
        pl.col("named").list.set_intersection(pl.lit(things)).fill_null([]),
        pl.col("wanted").fill_null([]),
    )
    both = pl.col("named").list.set_intersection("wanted").list.len().cast(pl.Float64)
    named, needed = pl.col("named").list.len(), pl.col("wanted").list.len()
    counts = rows.select(named=named, needed=needed, both=both)
    known = counts.filter(pl.col("needed") > 0)
    if known.height < FEWEST:
        return Power(None, "")
    either = pl.col("needed") + pl.col("named") - pl.col("both")
    overlap = known.select((pl.col("both") / either).mean()).item()
    powers = [Power(overlap, "what is wanted")]
    if counts.filter(pl.col("named") > 0).height >= FEWEST:
        hits, names = counts["both"].sum(), counts["named"].sum()
        powers.append(Power(float(hits) / float(names), "what is wanted, where it names something"))
    total = len(things[0])
    if total > 1:
        others = pl.col("named").cast(pl.Float64) - pl.col("both")
        missed = (others / (total - pl.col("needed")).clip(1)).mean()
        reach = known.select((pl.col("both") / pl.col("needed")).mean() - missed).item()
        powers.append(Power((1 + reach) / 2, "which things may be wanted"))
    return max(powers, key=rank)


def measure_sets(plain: pl.Series, wanted: pl.DataFrame, groups: Groups) -> Power:
    """How far what was most often wanted at a feature's value, on one half of the rows, is what is
    wanted on the other: the mean overlap.
    """
    best = Power(None, "")
    for codes in find_views(plain):
        rows = pl.DataFrame({"value": codes, "half": groups.half}).with_row_index("row")
        known = rows.with_columns(pl.col("row").cast(pl.UInt32)).join(wanted, on="row")
        counts = known.filter("half").group_by("value", "wanted").len()
        order = ["len", "value", "wanted"]
        usual = counts.sort(order, descending=[True, False, False])
        usual = usual.unique("value", keep="first", maintain_order=True)
        others = known.filter(~pl.col("half"))
        if others.height < FEWEST:
            continue
        joined = others.join(usual.select("value", named="wanted"), on="value", how="left")
        both = pl.col("wanted").list.set_intersection("named").list.len()
        either = pl.col("wanted").list.set_union("named").list.len()
        share = joined.select((both / either).fill_null(0.0).mean()).item()
        best = max(best, Power(float(share or 0.0), "what is wanted"), key=rank)
    return best
