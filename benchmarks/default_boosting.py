"""How the models of an adopted table do beside a default gradient boosting on the same rows.

`benchmarks/adopt.py` runs it in the repository: `python default_boosting.py beside.json`. For
classes the metric is the AUC of each against the others, on average; for numbers, the mean absolute
error. Intervals are those of 1,000 draws of the test rows.
"""

import importlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import roc_auc_score

DRAWS = 1_000
[package] = [path.parent.name for path in Path("src").glob("*/contract.py")]
sys.path.insert(0, "src")
contract, features = (importlib.import_module(f"{package}.{n}") for n in ("contract", "features"))


def read(name: str) -> pl.DataFrame:
    """The features and the target of a part of the split, as `target`."""
    rows = pl.read_parquet(f"data/{name}.parquet")
    texts = getattr(features, "TEXTS", [])
    return features.features(rows).drop(texts).with_columns(target=rows[contract.TARGET])


def score(predictions: pl.DataFrame, classes: list[str]) -> Any:
    """Probabilities, a column per class, or the median of a number."""
    names = [f"p_{name}" for name in classes] or ["p_50"]
    return predictions.select(names).to_numpy()


def measure(truth: Any, scores: Any, classes: list[str]) -> float:
    """The metric on some rows; not a number where a class is missing among them."""
    if not classes:
        return float(np.abs(truth - scores[:, 0]).mean())
    if any((truth == name).all() or not (truth == name).any() for name in classes):
        return float("nan")
    each = [roc_auc_score(truth == name, scores[:, k]) for k, name in enumerate(classes)]
    return float(np.mean(each))


train, test = read("train"), read("test")
truth = test["target"].cast(pl.String if test["target"].dtype == pl.Enum else pl.Float64).to_numpy()
classes = sorted(set(truth)) if test["target"].dtype == pl.Enum else []
estimator = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
default = estimator(categorical_features="from_dtype", random_state=0)
wanted = train["target"].cast(pl.String if classes else pl.Float64).to_numpy()
default.fit(train.drop("target"), wanted)
known = test.drop("target")
scores = {
    "default boosting": default.predict_proba(known) if classes else default.predict(known)[:, None]
}
for model in ("rule", "challenger"):
    scores[model] = score(pl.read_parquet(f"data/predictions/{model}.parquet"), classes)

chance = np.random.default_rng(0)
draws = [chance.integers(0, len(truth), len(truth)) for _ in range(DRAWS)]
figures = {
    name: [measure(truth[rows], each[rows], classes) for rows in (slice(None), *draws)]
    for name, each in scores.items()
}


def describe(values: list[float]) -> str:
    """The figure on all test rows, and the middle 95 of 100 of those of the draws."""
    low, high = np.nanquantile(values[1:], [0.025, 0.975])
    return f"{values[0]:,.4g} ({low:,.4g} to {high:,.4g})"


gaps = list(np.subtract(figures["challenger"], figures["default boosting"]))
worse = (np.nanquantile(gaps[1:], 0.975) < 0) if classes else (np.nanquantile(gaps[1:], 0.025) > 0)
roles = Counter(
    "entity" if name == contract.ENTITY else
    "time" if name == contract.TIME else
    "target" if name == contract.TARGET else
    "segment" if name in contract.SEGMENTS else "feature"
    for name in contract.Row.column_names()
)  # fmt: skip
Path(sys.argv[1]).write_text(
    json.dumps(
        {name: describe(values) for name, values in figures.items()}
        | {
            "metric": "AUC" if classes else "mean absolute error",
            "difference": describe(gaps),
            "words": "surely worse" if worse else "not surely worse",
            "columns": ", ".join(f"{n} {role}" for role, n in roles.items()),
        }
    )
)
