"""What looking at the data taught: the plot is in notebooks/look.ipynb."""

import polars as pl


def test_about_one_customer_in_eight_leaves_in_each_quarter(every_row: pl.DataFrame) -> None:
    quarter = pl.col("week").dt.truncate("1q").alias("quarter")
    figure = (pl.col("outcome") != "stays").mean()
    quarters = every_row.group_by(quarter).agg(rows=pl.len(), figure=figure)
    figures = quarters.filter(pl.col("rows") >= 100)["figure"]
    assert figures.len() > 0
    assert figures.is_between(0.06, 0.24).all(), quarters.sort("quarter")
