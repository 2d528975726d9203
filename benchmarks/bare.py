"""The same work in one process and without ceremony: read, check, split, fit both candidates,
calibrate, score.

Run by `benchmarks/million.py` inside a rendered repository: `python bare.py source.parquet`.
"""

import sys

import polars as pl
from churn import contract, features, model
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss

rows = contract.Row.filter(pl.read_parquet(sys.argv[1]), cast=True).result
weeks = rows[contract.TIME].sort()
test_from = weeks[int(len(weeks) * 0.8)]
validation_from = weeks[int(len(weeks) * 0.56)]
known = pl.col(contract.TIME) + contract.HORIZON
train = rows.filter(known <= validation_from)
validation = rows.filter(pl.col(contract.TIME) >= validation_from, known <= test_from)
test = rows.filter(pl.col(contract.TIME) >= test_from)
x, x_val, x_test = (features.features(part) for part in (train, validation, test))
y, y_val, y_test = (
    part[contract.TARGET].cast(pl.String).to_numpy() for part in (train, validation, test)
)
best = None
for name, candidate in {"rule": model.rule(), **model.candidates(7)}.items():
    fitted = candidate.fit(x, y)
    if name != "rule":
        fitted = CalibratedClassifierCV(FrozenEstimator(fitted), method="sigmoid").fit(x_val, y_val)
    loss = log_loss(y_val, fitted.predict_proba(x_val), labels=fitted.classes_)
    if best is None or loss < best[0]:
        best = (loss, name, fitted)
p = best[2].predict_proba(x_test)
print(best[1], log_loss(y_test, p, labels=best[2].classes_))
