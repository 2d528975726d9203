"""Metrics of your own: the brief, the slices, the report and MLflow know each name in METRICS.

A metric is sum(numerator) / sum(denominator) over the units of `data/outcomes/challenger.parquet`,
as two expressions of its columns (`unit`, `cluster`, the segments, `action`, `outcome`, `score`,
`value`, `positive`, and others in some kinds of problem). With `import polars as pl` above, for
example:

    METRICS = {
        "loss_share": Metric(
            "loss share", "of all {unit}s, the share that lost money", "share", pl.col("value") < 0
        ),
    }

Then a line of the brief may say `{metric: loss_share, at_most: 0.10}`; with `comparable=True` it
may also compare models. What else a metric can say is in `delivery/problem/metric.py`.
"""

from .delivery.problem.metric import Metric

METRICS: dict[str, Metric] = {}
