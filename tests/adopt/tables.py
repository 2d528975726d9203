"""Tables to adopt: those that scikit-learn brings, as a business would have written them, and one
that is made awkward.
"""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from sklearn import datasets

ROWS = 400
QUOTED = 'a "quoted", rather long name | of a place'
SENTENCES = ["it broke twice this week", "all is well here, thank you", "please call me back soon"]


class Example(NamedTuple):
    """A table in a file, and how it is adopted."""

    name: str
    problem: str
    target: str
    write: Callable[[Path], Path]
    """Writes the file into a folder; returns its path."""

    options: list[str]


def load(name: str) -> pl.DataFrame:
    """A table of scikit-learn's, its target by the names of its classes where it has classes."""
    bunch: Any = getattr(datasets, f"load_{name}")()
    columns = {str(n): bunch.data[:, k] for k, n in enumerate(bunch.feature_names)}
    names = getattr(bunch, "target_names", None)
    target = bunch.target if names is None else np.asarray(names)[bunch.target]
    return pl.DataFrame(columns | {"target": target})


def write_breast_cancer(folder: Path) -> Path:
    """Names with spaces, two classes."""
    path = folder / "breast cancer.csv"
    load("breast_cancer").write_csv(path)
    return path


def write_diabetes(folder: Path) -> Path:
    """Numbers, and a number to predict."""
    path = folder / "diabetes.parquet"
    load("diabetes").write_parquet(path)
    return path


def write_iris(folder: Path) -> Path:
    """Three classes by their names."""
    path = folder / "iris.csv"
    load("iris").write_csv(path)
    return path


def write_wine(folder: Path) -> Path:
    """Three classes by their numbers, semicolons and decimal commas, in a folder of two files."""
    rows = load("wine").with_columns(pl.col("target").str.slice(6).cast(pl.Int64))
    (folder / "wine").mkdir()
    for part, name in ((rows[::2], "a"), (rows[1::2], "b")):
        part.write_csv(folder / f"wine/{name}.csv", separator=";", decimal_comma=True)
    return folder / "wine"


def build_visits() -> pl.DataFrame:
    """Visits with names that are no Python names, gaps, dates, new places and a sentence each."""
    chance = np.random.default_rng(3)
    age, known = chance.integers(20, 80, ROWS), chance.random(ROWS)
    day = [date(2025, 1, 1) + timedelta(int(n)) for n in np.sort(chance.integers(0, 300, ROWS))]
    ages = chance.integers(5, 900, ROWS)
    words = [
        SENTENCES[int(n)] + f" {n * k % 97}" for k, n in enumerate(chance.integers(0, 3, ROWS))
    ]
    late = (age / 80 + chance.random(ROWS) + [0.4 * w.startswith("it broke") for w in words]) > 1.1
    return pl.DataFrame(
        {
            "visit": [f"V{n:05d}" for n in range(ROWS)],
            "day": day,
            "class": age,
            "Größe (cm)": [None if k < 0.1 else 150 + 40 * k for k in known],
            "filter": chance.choice(["red", "green", QUOTED], ROWS),
            "Filter": [None if k < 0.2 else bool(k > 0.6) for k in known],
            "city": [f"town {int(n)}" for n in chance.zipf(1.6, ROWS).clip(1, 400)],
            "since": [d - timedelta(int(n)) for d, n in zip(day, ages, strict=True)],
            "note": words,
            "always": "the same",
            "returns": np.where(late, "yes", "no"),
        }
    )  # fmt: skip


def write_visits(folder: Path) -> Path:
    """The awkward table."""
    path = folder / "visits.csv"
    build_visits().write_csv(path)
    return path


WHAT = ["--entity", "visit", "--time", "day", "--horizon", "2w", "--feature", "note"]
PRICES = ["--currency", "EUR", "--right", "20", "--wrong", "6", "--action", "remind"]
CAPACITY = ["--unit", "visit", "--at-most", "100", "--out-of", "400", "--every", "month"]
TODAY = ["--rule", '"class" > 60', "--segment", "filter", "--feature", "since"]
EXAMPLES = {
    "breast_cancer": Example("breast_cancer", "classification", "target", write_breast_cancer, []),
    "diabetes": Example("diabetes", "regression", "target", write_diabetes, []),
    "iris": Example("iris", "classification", "target", write_iris, []),
    "wine": Example("wine", "classification", "target", write_wine, []),
    "visits": Example(
        "visits", "classification", "returns", write_visits, [*WHAT, *PRICES, *CAPACITY, *TODAY]
    ),
}
