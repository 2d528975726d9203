"""What looking at the data taught: the plot is in notebooks/look.ipynb."""

import polars as pl


def test_cars_are_sold_for_about_6500_in_each_quarter(every_row: pl.DataFrame) -> None:
    quarter = pl.col("week").dt.truncate("1q").alias("quarter")
    figure = pl.col("price").mean()
    quarters = every_row.group_by(quarter).agg(rows=pl.len(), figure=figure)
    figures = quarters.filter(pl.col("rows") >= 100)["figure"]
    assert figures.len() > 0
    assert figures.is_between(3250, 13000).all(), quarters.sort("quarter")
