"""What the business does today, and the models that challenge it, a network among them.

All are ordinary scikit-learn estimators: `fit`, `predict_proba` and `classes_`, on the polars frame
that `features` returns. The training stage fits all of them, calibrates the candidates on
validation rows and takes the one that is best there.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import Tensor, nn

from .features import CATEGORIES, NUMBERS

DIRECTION = {"support_calls": +1, "price_rise": +1}
"""What the business knows for certain: +1 where the risk of leaving never falls as it rises."""

TENSORS = "network.safetensors"
"""The file of a network's weights, in the model's folder."""

CHECKPOINTS = "data/checkpoints"
"""Where a training that is under way leaves its state: git and DVC leave this folder alone."""

FILES = {
    "fit": "a training that has ended leaves no checkpoint",
    "key": "a checkpoint of other code is never taken up",
    "keep": "a killed training goes on from its checkpoint",
    "resume": "a killed training goes on from its checkpoint",
}
"""Functions that read or write files, and why: `check` refuses any other but `save` and `load`."""


class RetentionRule(ClassifierMixin, BaseEstimator):
    """Call those on a flexible plan who rang support twice: what the retention squad does today.

    The squad has no order within its list: everyone on it counts as equally likely to leave.
    `act` is what the squad does, whatever a call is worth.
    """

    classes_: NDArray[np.object_]
    """The classes, sorted."""

    shares_: NDArray[np.float64]
    """Share of each class among the customers off the list (first row) and on it (second)."""

    def __init__(self, calls: int = 2) -> None:
        self.calls = calls

    def fit(self, x: pl.DataFrame, y: Any) -> Self:
        """Learn the shares of the classes; an empty group takes those of everybody."""
        outcome, listed = np.asarray(y), self.listed(x)
        self.classes_ = np.unique(outcome)
        ended = outcome[:, None] == self.classes_
        groups = [ended[~listed], ended[listed]]
        self.shares_ = np.array([(g if len(g) else ended).mean(axis=0) for g in groups])
        return self

    def listed(self, x: pl.DataFrame) -> NDArray[np.bool_]:
        """Return for each row of `x` whether the customer is on the squad's list."""
        often = pl.col("support_calls") >= self.calls
        return x.select((pl.col("plan") == "flexible") & often).to_series().to_numpy()

    def predict_proba(self, x: pl.DataFrame) -> NDArray[np.float64]:
        """Return a row per row of `x` and a column per class, in the order of `classes_`."""
        return self.shares_.take(self.listed(x).astype(int), axis=0)

    def act(self, x: pl.DataFrame) -> NDArray[np.str_]:
        """Return what is done today for each row of `x`: an action of the brief, or "none"."""
        return np.where(self.listed(x), "call", "none")

    def predict(self, x: pl.DataFrame) -> NDArray[np.object_]:
        """Return the likelier class of each row of `x`."""
        likelier: NDArray[np.object_] = self.classes_[self.predict_proba(x).argmax(axis=1)]
        return likelier


class Network(ClassifierMixin, BaseEstimator):
    """A small network on a table of numbers: layers of tanh units, trained by Adam.

    It stops when `patience` epochs have not bettered the loss on the share `held_out` of its
    training rows, and keeps the weights of the best epoch. `rising` names columns by position, with
    +1 where the probability of the class `of` never falls as the column rises, -1 where it never
    rises.

    It learns in float32 and scores in float64: then a row scores alone as in company, and on
    another machine as on this one, but for the last of 15 digits.
    """

    classes_: NDArray[np.object_]
    """The classes, sorted."""

    layers_: nn.Sequential
    """The fitted layers, in float64."""

    def __init__(
        self,
        hidden: tuple[int, ...] = (32,),
        learning_rate: float = 0.003,
        batch: int = 128,
        epochs: int = 200,
        patience: int = 10,
        held_out: float = 0.15,
        rising: dict[int, int] | None = None,
        of: str | None = None,
        checkpoints: str | None = None,
        seed: int = 0,
    ) -> None:
        self.hidden = hidden
        self.learning_rate = learning_rate
        self.batch = batch
        self.epochs = epochs
        self.patience = patience
        self.held_out = held_out
        self.rising = rising
        self.of = of
        self.checkpoints = checkpoints
        self.seed = seed

    def fit(self, x: NDArray[np.float64], y: Any) -> Self:
        """Learn from rows of numbers without gaps; a training that was killed is continued."""
        if not np.isfinite(x).all():
            raise ValueError("a network needs numbers without gaps, and some are missing")
        self.classes_, labels = np.unique(np.asarray(y), return_inverse=True)
        rows, truth = torch.tensor(x, dtype=torch.float32), torch.tensor(labels)
        path = None
        if self.checkpoints is not None:
            path = Path(self.checkpoints) / f"{self.key(rows, truth)}.safetensors"
        with reproducible(self.seed):
            training = Training(self.layers(rows.shape[1]), self.learning_rate)
            if path is not None and training.resume(path):
                print(f"network: going on after epoch {training.epoch:.0f} of {path}", flush=True)
            self.learn(training, rows, truth, path)
        print(f"network: {training.epoch:.0f} epochs, held-out loss {training.loss:.4f}")
        self.layers_ = training.layers
        self.layers_.load_state_dict(training.best)
        self.layers_.double()
        if path is not None:
            path.unlink(missing_ok=True)
        return self

    def learn(self, training: "Training", rows: Tensor, truth: Tensor, path: Path | None) -> None:
        """Train to the end, leaving the state at `path` after each epoch."""
        order = shuffled(len(rows), self.seed)
        cut = int(self.held_out * len(rows))
        watched, learned = order[:cut] if cut else order, order[cut:]
        while training.epoch < self.epochs and training.waited < self.patience:
            training.epoch += 1
            # By the number of the epoch, so that no state of a random generator has to be kept.
            turn = learned[shuffled(len(learned), 1000 * self.seed + int(training.epoch))]
            for start in range(0, len(turn), self.batch):
                some = turn[start : start + self.batch]
                training.step(rows[some], truth[some])
                self.bind(training.layers)
            training.judge(rows[watched], truth[watched])
            if path is not None:
                training.keep(path)

    def layers(self, columns: int) -> nn.Sequential:
        """The layers from columns to classes, untrained."""
        widths = [columns, *self.hidden]
        inner = [
            part
            for wide, narrow in zip(widths, self.hidden, strict=False)
            for part in (nn.Linear(wide, narrow), nn.Tanh())
        ]
        return nn.Sequential(*inner, nn.Linear(widths[-1], len(self.classes_)))

    @torch.no_grad()
    def bind(self, layers: nn.Sequential) -> None:
        """Put back weights that a step has taken across a line that the business has drawn.

        What is known holds if no weight turns it round on its way from column to class: tanh
        rises with its input.
        """
        if not self.rising:
            return
        first, *inner, last = (part for part in layers if isinstance(part, nn.Linear))
        for column, sign in self.rising.items():
            first.weight[:, column] = sign * (sign * first.weight[:, column]).clamp(min=0)
        for part in inner:
            part.weight.clamp_(min=0)
        towards = torch.tensor([1.0 if name == self.of else -1.0 for name in self.classes_])
        last.weight.copy_(towards[:, None] * (towards[:, None] * last.weight).clamp(min=0))

    def key(self, rows: Tensor, truth: Tensor) -> str:
        """A name for all that a training depends on: rows, settings, this file, the library."""
        told = [Path(__file__).read_bytes(), repr(self.get_params()).encode()]
        told += [torch.__version__.encode(), rows.numpy().tobytes(), truth.numpy().tobytes()]
        return hashlib.sha256(b"|".join(told)).hexdigest()[:16]

    @torch.no_grad()
    def predict_proba(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a row per row of `x` and a column per class, in the order of `classes_`."""
        scores = self.layers_(torch.tensor(x, dtype=torch.float64))
        shares: NDArray[np.float64] = scores.softmax(dim=1).numpy()
        return shares

    def predict(self, x: NDArray[np.float64]) -> NDArray[np.object_]:
        """Return the likelier class of each row of `x`."""
        likelier: NDArray[np.object_] = self.classes_[self.predict_proba(x).argmax(axis=1)]
        return likelier


class Training:
    """Layers on their way: how far they have come, and how good they have been at best."""

    def __init__(self, layers: nn.Sequential, learning_rate: float) -> None:
        self.layers = layers
        self.optimizer = torch.optim.Adam(layers.parameters(), lr=learning_rate)
        self.best: dict[str, Tensor] = {}
        self.epoch, self.waited, self.loss = 0.0, 0.0, float("inf")

    def step(self, rows: Tensor, truth: Tensor) -> None:
        """Learn from one batch."""
        self.optimizer.zero_grad()
        torch.autograd.backward(nn.functional.cross_entropy(self.layers(rows), truth))
        self.optimizer.step()

    @torch.no_grad()
    def judge(self, rows: Tensor, truth: Tensor) -> None:
        """Note whether this epoch is the best so far."""
        loss = nn.functional.cross_entropy(self.layers(rows), truth).item()
        self.waited += 1
        if loss < self.loss:
            self.loss, self.waited = loss, 0.0
            self.best = {name: value.clone() for name, value in self.layers.state_dict().items()}

    def keep(self, path: Path) -> None:
        """Write the whole state; a kill leaves the one before it or this one, never half a file."""
        progress = torch.tensor([self.epoch, self.waited, self.loss], dtype=torch.float64)
        parts = {"layers": self.layers.state_dict(), "best": self.best}
        for number, moments in self.optimizer.state_dict()["state"].items():
            parts[f"optimizer.{number}"] = moments
        tensors = {
            f"{part}/{name}": each for part, of in parts.items() for name, each in of.items()
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors | {"progress": progress}, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def resume(self, path: Path) -> bool:
        """Take up the state that was written there, if there is one that can be read."""
        try:
            tensors = load_file(path)
        except (FileNotFoundError, SafetensorError):
            return False

        def part(of: str) -> dict[str, Tensor]:
            return {
                name.removeprefix(f"{of}/"): tensor
                for name, tensor in tensors.items()
                if name.startswith(f"{of}/")
            }

        state = self.optimizer.state_dict()
        for number, _ in enumerate(self.layers.parameters()):
            state["state"][number] = part(f"optimizer.{number}")
        self.layers.load_state_dict(part("layers"))
        self.optimizer.load_state_dict(state)
        self.best = part("best")
        self.epoch, self.waited, self.loss = tensors["progress"].tolist()
        return True


def shuffled(count: int, seed: int) -> Tensor:
    """The numbers below `count` in an order that depends on the seed alone."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """One thread, exact algorithms only and luck by `seed`; afterwards all is as it was."""
    threads, exact = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(exact)


def network_in(fitted: Any) -> Network | None:
    """The network in a fitted pipeline, be it calibrated (a wrapper of a wrapper of it) or bare."""
    frozen = getattr(fitted, "estimator", fitted)
    pipeline = getattr(frozen, "estimator", frozen)
    last = pipeline[-1] if isinstance(pipeline, Pipeline) else None
    return last if isinstance(last, Network) else None


def save(fitted: Any, folder: Path) -> Any:
    """Write a network's weights to `folder`; return what is left, which the template writes."""
    rest = deepcopy(fitted)
    if network := network_in(rest):
        save_file(network.layers_.state_dict(), folder / TENSORS)
        del network.layers_
    return rest


def load(folder: Path, rest: Any) -> Any:
    """Give back to what the template read the weights that `save` wrote: tensors, no pickle."""
    if network := network_in(rest):
        tensors = load_file(folder / TENSORS)
        with torch.device(
            "meta"
        ):  # shapes only: a file cannot ask for memory that it does not bring
            network.layers_ = network.layers(tensors["0.weight"].shape[1])
        network.layers_.load_state_dict(tensors, assign=True)
    return rest


def rule() -> RetentionRule:
    """Return what is in charge today, unfitted. Every model has to be worth more than this."""
    return RetentionRule()


def candidates(seed: int) -> dict[str, BaseEstimator]:
    """Return the challengers by name, unfitted; the same seed gives the same models."""
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    columns = make_column_transformer(
        (numbers, NUMBERS), (OneHotEncoder(handle_unknown="ignore"), CATEGORIES)
    )
    known = {NUMBERS.index(name): sign for name, sign in DIRECTION.items()}
    table = make_column_transformer(  # numbers first, each in its place in NUMBERS
        (numbers, NUMBERS),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORIES),
    )
    return {
        "network": make_pipeline(
            table, Network(rising=known, of="leaves", checkpoints=CHECKPOINTS, seed=seed)
        ),
        "logistic regression": make_pipeline(
            columns, LogisticRegression(max_iter=1000, random_state=seed)
        ),
        "gradient boosting": HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=150,
            max_leaf_nodes=8,
            min_samples_leaf=40,
            categorical_features="from_dtype",
            # The constraint is on the class that sorts last, and that is `stays`.
            monotonic_cst={name: -sign for name, sign in DIRECTION.items()},
            early_stopping=False,
            random_state=seed,
        ),
    }
