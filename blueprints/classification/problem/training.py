"""Classification, training: how candidates and the rule are fitted, how far off they are, and what
they predict.

Only fitting needs scikit-learn, and importing it takes longer than a whole stage: the functions
that fit import it themselves.
"""

from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .action import drop_own, read_own
from .target import TRUTH

METHODS = ("none", "temperature", "sigmoid", "isotonic")
"""How probabilities may be calibrated; each can bend them more than the one before it."""

FREE = 100  # rows of the rarest class from which a curve of any shape may be learned
FOLDS = 5
TRIED = 20_000  # validation rows are enough to choose by, spread evenly; all of them calibrate
HARM = 0.01  # of AUC that a calibration may take from any class


class Calibration(NamedTuple):
    """How the probabilities of a method fare on validation rows that it was not learned from:
    `log_loss`, how far they lie `apart` from the observed shares, and the lowest `auc` of a class.
    """

    method: str
    chosen: bool
    log_loss: float
    apart: float
    auc: float


class Remembered:
    """A fitted model whose scores of rows `x` are remembered: it scores row numbers."""

    def __init__(self, fitted: Any, x: pl.DataFrame) -> None:
        self.fitted, self.classes_ = fitted, fitted.classes_
        name = "decision_function" if hasattr(fitted, "decision_function") else "predict_proba"
        scores = np.asarray(getattr(fitted, name)(x))

        def score(rows: NDArray[np.int64]) -> NDArray[np.float64]:
            return np.asarray(scores[rows[:, 0]])

        score.__name__ = name  # scikit-learn asks for it
        setattr(self, name, score)

    def __getattr__(self, name: str) -> Any:
        if name in ("fitted", "n_features_in_") or name.startswith("feature_names"):
            raise AttributeError(name)
        return getattr(self.fitted, name)


def fit(
    candidate: Any,
    x: pl.DataFrame,
    y: pl.Series,
    x_val: pl.DataFrame,
    y_val: pl.Series,
    cluster: pl.Series | None = None,
) -> tuple[Any, list[Calibration]]:
    """A candidate fitted on training rows, its probabilities calibrated on validation rows by the
    method that does best there, and how each of the methods did.
    """
    fitted, truth = candidate.fit(x, y.cast(TRUTH).to_numpy()), y_val.cast(TRUTH).to_numpy()
    who = pl.int_range(len(y_val), eager=True) if cluster is None else cluster
    step = max(len(y_val) // TRIED, 1)
    tried = try_calibrations(fitted, x_val[::step], truth[::step], who[::step])
    chosen = next(each.method for each in tried if each.chosen)
    return calibrate(fitted, x_val, truth, chosen), tried


def try_calibrations(
    fitted: Any, x: pl.DataFrame, y: NDArray[Any], cluster: pl.Series
) -> list[Calibration]:
    """How each method does on rows `x` with the classes `y`, one of them chosen."""
    predicted, classes, fold = try_methods(fitted, x, y, cluster), fitted.classes_, divide(cluster)
    losses = {name: compute_log_loss(p, classes, y) for name, p in predicted.items()}
    orders = {name: measure_auc(p, classes, y, fold) for name, p in predicted.items()}
    chosen = choose_method(losses, orders, cluster)
    return [
        Calibration(
            name,
            name == chosen,
            float(losses[name].mean()),
            measure_distance(p, classes, y),
            float(orders[name].min()),
        )
        for name, p in predicted.items()
    ]


def calibrate(fitted: Any, x: Any, y: NDArray[Any], method: str) -> Any:
    """A fitted model, its probabilities calibrated on rows `x` with the classes `y`."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator

    if method == "none":
        return fitted
    return CalibratedClassifierCV(FrozenEstimator(fitted), method=method).fit(x, y)


def try_methods(
    fitted: Any, x: pl.DataFrame, y: NDArray[Any], cluster: pl.Series
) -> dict[str, NDArray[np.float64]]:
    """The probabilities of rows `x` by each method, learned from the rows of other clusters; those
    methods that could not be learned, because a class is too rare, are left out. Where the model
    errs in no row, nothing bounds a temperature, and every answer would be made certain.
    """
    predicted = {"none": np.asarray(fitted.predict_proba(x))}
    known, rows, fold = Remembered(fitted, x), np.arange(len(y)).reshape(-1, 1), divide(cluster)
    if any(set(y[fold != k]) != set(fitted.classes_) for k in range(FOLDS)):
        return predicted
    fewest = min(int((y == name).sum()) for name in fitted.classes_)
    methods: tuple[str, ...] = METHODS[1:] if fewest >= FREE else METHODS[1:-1]
    if (np.asarray(fitted.classes_)[predicted["none"].argmax(axis=1)] == y).all():
        methods = ("sigmoid",)
    for method in methods:
        p = np.empty_like(predicted["none"])
        for k in range(FOLDS):
            model = calibrate(known, rows[fold != k], y[fold != k], method)
            p[fold == k] = model.predict_proba(rows[fold == k])
        predicted[method] = p
    return predicted


def divide(cluster: pl.Series) -> NDArray[np.int64]:
    """The fold of each row: rows of one cluster are in one."""
    codes = cluster.rank("dense").to_numpy() - 1
    return np.random.default_rng(0).permutation(int(codes.max()) + 1)[codes] % FOLDS


def choose_method(
    losses: dict[str, NDArray[np.float64]],
    orders: dict[str, NDArray[np.float64]],
    cluster: pl.Series,
) -> str:
    """The first of the methods whose loss is not above the lowest by more than one standard error
    of the difference, among those that take from no class more than `HARM` of its AUC.
    """
    sound = [name for name in losses if (orders["none"] - orders[name]).max() <= HARM]
    best = min(sound, key=lambda name: losses[name].mean())
    worse = {name: losses[name] - losses[best] for name in sound}
    return next(
        name for name in sound if worse[name].mean() <= estimate_error(worse[name], cluster)
    )


def estimate_error(difference: NDArray[np.float64], cluster: pl.Series) -> float:
    """The standard error of a mean, rows of one cluster taken together."""
    codes = cluster.rank("dense").to_numpy() - 1
    sums = np.bincount(codes, weights=difference - difference.mean())
    return float(np.sqrt((sums**2).sum()) / len(difference))


def measure_distance(p: NDArray[np.float64], classes: NDArray[Any], y: NDArray[Any]) -> float:
    """How far probabilities lie from the observed shares: the mean over ten groups of equal size,
    of the class for which it is most.
    """
    farthest = 0.0
    for k, name in enumerate(classes):
        groups = np.array_split(np.argsort(p[:, k], kind="stable"), 10)
        gaps = [abs((p[group, k] - (y[group] == name)).sum()) for group in groups]
        farthest = max(farthest, float(sum(gaps)) / len(y))
    return farthest


def measure_auc(
    p: NDArray[np.float64], classes: NDArray[Any], y: NDArray[Any], fold: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The AUC of each class against all others, within each fold (each was calibrated by itself)
    and all pairs taken together; 0.5 where there are none.
    """
    figures = []
    for k, name in enumerate(classes):
        above = pairs = 0.0
        for part in range(FOLDS):
            own = y[fold == part] == name
            place = pl.Series(p[fold == part, k]).rank("average").to_numpy()
            above += place[own].sum() - own.sum() * (own.sum() + 1) / 2
            pairs += float(own.sum() * (~own).sum())
        figures.append(above / pairs if pairs else 0.5)
    return np.array(figures)


def compute_log_loss(
    p: NDArray[np.float64], classes: NDArray[Any], y: NDArray[Any]
) -> NDArray[np.float64]:
    """The log loss of each row, in nats; that of a class that is not among `classes` is highest."""
    order = np.argsort(classes)
    place = order[np.searchsorted(classes, y, sorter=order).clip(max=len(classes) - 1)]
    chance = np.where(classes[place] == y, p[np.arange(len(y)), place], 0.0)
    return -np.log(np.clip(chance, np.finfo(np.float64).eps, 1))


def fit_rule(rule: Any, x: pl.DataFrame, y: pl.Series) -> Any:
    """The rule with the shares it takes from training rows. What it decides by itself (`act`) is
    valued as it is; a candidate's `act` plays no part.
    """
    fitted = rule.fit(x, y.cast(TRUTH).to_numpy())
    if hasattr(rule, "act"):
        fitted.decides_ = True
    return fitted


LOSS = "log_loss"
"""What the choice between candidates goes by."""


def compute_loss(predictions: pl.DataFrame, y: pl.Series) -> NDArray[np.float64]:
    """What the choice between candidates goes by: the log loss of each row, in nats; prices play no
    part in it.
    """
    classes = read_classes(predictions)
    p = read_probabilities(predictions, classes)
    return compute_log_loss(p, np.array(classes, dtype=object), y.cast(TRUTH).to_numpy())


def predict(model: Any, x: pl.DataFrame) -> pl.DataFrame:
    """One Float64 column `p_<class>` per class, in the order of the names; of a rule that decides
    by itself also `OWN` (String), its action.
    """
    probabilities = model.predict_proba(x)
    order = np.argsort(model.classes_)
    predictions = pl.DataFrame({f"p_{model.classes_[k]}": probabilities[:, k] for k in order})
    if not getattr(model, "decides_", False):
        return predictions
    return predictions.with_columns(read_own(model.act(x), x.height, "none"))


def measure_judge(model: Any) -> dict[str, str | float] | None:
    """How far what judges an answer can be trusted; None: here that is the truth itself."""
    return None


def read_classes(predictions: pl.DataFrame) -> list[str]:
    """The classes that predictions name, in their order."""
    names = drop_own(predictions).columns
    return [name.removeprefix("p_") for name in names if name.startswith("p_")]


def read_probabilities(predictions: pl.DataFrame, classes: list[str]) -> np.ndarray:
    """The probabilities as numbers, (rows, classes)."""
    return predictions.select([f"p_{name}" for name in classes]).to_numpy()
