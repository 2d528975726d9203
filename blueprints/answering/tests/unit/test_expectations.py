"""What looking at the data taught: the plot is in notebooks/look.ipynb."""

import polars as pl


def test_most_questions_have_an_answer_in_each_quarter(every_row: pl.DataFrame) -> None:
    quarter = pl.col("asked_on").dt.truncate("1q").alias("quarter")
    figure = (pl.col("intent") != "none").mean()
    quarters = every_row.group_by(quarter).agg(rows=pl.len(), figure=figure)
    figures = quarters.filter(pl.col("rows") >= 100)["figure"]
    assert figures.len() > 0
    assert figures.is_between(0.4, 1).all(), quarters.sort("quarter")
