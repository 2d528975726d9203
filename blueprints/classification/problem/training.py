"""Classification, training: how candidates and the rule are fitted, how far off they are, and what
they predict.

Only fitting needs scikit-learn, and importing it takes longer than a whole stage: the functions
that fit import it themselves.
"""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .action import drop_own, read_own
from .target import TRUTH


def fit(
    candidate: Any, x: pl.DataFrame, y: pl.Series, x_val: pl.DataFrame, y_val: pl.Series
) -> Any:
    """A candidate fitted on training rows, its probabilities calibrated on validation rows (Platt's
    sigmoid).
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator

    fitted = candidate.fit(x, y.cast(TRUTH).to_numpy())
    return CalibratedClassifierCV(FrozenEstimator(fitted), method="sigmoid").fit(
        x_val, y_val.cast(TRUTH).to_numpy()
    )


def fit_rule(rule: Any, x: pl.DataFrame, y: pl.Series) -> Any:
    """The rule with the shares it takes from training rows. What it decides by itself (`act`) is
    valued as it is.
    """
    return rule.fit(x, y.cast(TRUTH).to_numpy())


LOSS = "log_loss"
"""What the choice between candidates goes by."""


def compute_loss(predictions: pl.DataFrame, y: pl.Series) -> NDArray[np.float64]:
    """What the choice between candidates goes by: the log loss of each row, in nats; prices play no
    part in it.
    """
    classes = read_classes(predictions)
    truth = np.searchsorted(classes, y.cast(TRUTH).to_numpy())
    p = read_probabilities(predictions, classes)[np.arange(len(truth)), truth]
    return -np.log(np.clip(p, np.finfo(np.float64).eps, 1))


def predict(model: Any, x: pl.DataFrame) -> pl.DataFrame:
    """One Float64 column `p_<class>` per class, in the order of the names; of a rule that decides
    by itself also `OWN` (String), its action.
    """
    probabilities = model.predict_proba(x)
    order = np.argsort(model.classes_)
    shares = pl.DataFrame({f"p_{model.classes_[k]}": probabilities[:, k] for k in order})
    if not hasattr(model, "act"):  # no candidate has it: what calibrates it stands before it
        return shares
    return shares.with_columns(read_own(model.act(x), x.height, "none"))


def measure_judge(model: Any) -> dict[str, str | float] | None:
    """How far what judges an answer can be trusted; None: here that is the truth itself."""
    return None


def measure_power(feature: pl.Series, y: pl.Series, seed: int) -> float:
    """How well one feature alone tells the classes apart: AUC (one class against the rest, mean) on
    the other half.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.tree import DecisionTreeClassifier

    codes = feature.to_physical() if feature.dtype in (pl.Enum, pl.Categorical) else feature
    x = codes.cast(pl.Float64).fill_null(float("nan")).to_numpy().reshape(-1, 1)
    target = y.cast(TRUTH).to_numpy()
    half = np.random.default_rng(seed).permutation(len(target)) % 2 == 0
    if set(target[half]) != set(target[~half]):
        return 0.5
    tree = DecisionTreeClassifier(max_depth=4, min_samples_leaf=5, random_state=seed).fit(
        x[half], target[half]
    )
    scores = tree.predict_proba(x[~half])
    scores = scores[:, 1] if scores.shape[1] == 2 else scores
    return float(roc_auc_score(target[~half], scores, multi_class="ovr", labels=tree.classes_))


def read_classes(predictions: pl.DataFrame) -> list[str]:
    """The classes that predictions name, in their order."""
    names = drop_own(predictions).columns
    return [name.removeprefix("p_") for name in names if name.startswith("p_")]


def read_probabilities(predictions: pl.DataFrame, classes: list[str]) -> np.ndarray:
    """The probabilities as numbers, (rows, classes)."""
    return predictions.select([f"p_{name}" for name in classes]).to_numpy()
