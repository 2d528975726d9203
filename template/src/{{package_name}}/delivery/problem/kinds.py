"""What every kind of problem has: the functions and names of `target`, `training`, `outcomes` and
`presentation` that the other rooms use. mypy holds the modules beside this one to it.
"""

from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from ..edge import brief as briefs
from ..statistics.interval import Interval
from .metric import Metric
from .separation import Groups, Power
from .words import Capacity, Curve

Brief = Any  # with its decision and prices, of which each kind has other ones
Model = Any  # whatever `fit` returned
Table = tuple[list[str], list[list[str]]]  # a header (`>`: to the right) and rows


class Target(Protocol):
    """What the contract's target may be, and what it looks like."""

    TRUTH: Any
    COLUMNS: list[str]
    VARIETY: str
    LEVEL: str

    def find_fault(self, target: Any) -> str | None:
        """What is wrong with the type of the target in the contract, if anything."""

    def mark(self, target: pl.Series) -> pl.Series:
        """What each unit may tell (a text), or null: of each, a test part has to hold enough."""

    def summarize(self, target: pl.Series) -> Any:
        """What the target looks like, for `reports/data.json`."""

    def measure_level(self, target: pl.Series) -> dict[str, float]:
        """What may differ between earlier and later rows, for `reports/split.json`."""

    def list_priced(self, target: pl.Series) -> list[str]:
        """The classes, or kinds of event, that the brief has to price."""


class Training(Protocol):
    """How models are fitted, how far off they are, and what they predict."""

    LOSS: str

    def fit(
        self,
        candidate: Model,
        x: pl.DataFrame,
        y: pl.Series,
        x_val: pl.DataFrame,
        y_val: pl.Series,
        cluster: pl.Series | None = None,
    ) -> tuple[Model, list[Any]]:
        """Fit a candidate on training rows and adjust it on validation rows, those of one cluster
        taken together; and how each way to adjust it did there, where there are several.
        """

    def fit_rule(self, rule: Model, x: pl.DataFrame, y: pl.Series) -> Model:
        """Fit what the business does today, with what it takes from training rows."""

    def compute_loss(self, predictions: pl.DataFrame, y: pl.Series) -> Any:
        """How far off each prediction is: what the choice between candidates goes by."""

    def predict(self, model: Model, x: pl.DataFrame) -> pl.DataFrame:
        """The `p_…` columns of each row."""

    def measure_judge(self, model: Model) -> dict[str, str | float] | None:
        """How far what judges an answer can be trusted; None where that is the truth."""


class Powers(Protocol):
    """How well one feature alone tells the target."""

    def label(self, y: pl.Series) -> pl.Series:
        """The groups of rows that a feature may give away: a text for each row."""

    def measure(self, feature: pl.Series, y: pl.Series, groups: Groups) -> Power:
        """How well one feature tells the target, at its best."""


class Outcomes(Protocol):
    """What is done for each unit, what comes of it, and the curves of both."""

    DONE: pl.Expr
    RESULT: pl.Expr

    def require_prices(self, brief: briefs.Brief) -> Any:
        """The brief with its decision and its prices; Fixable where it has none."""

    def act(self, predictions: pl.DataFrame, brief: Brief) -> pl.DataFrame:
        """`action`, `score` (money) and whatever else the brief has done for each prediction."""

    def build_outcomes(self, predictions: pl.DataFrame, brief: Brief) -> pl.DataFrame:
        """The outcomes table of one model: `unit`, `cluster`, segments, `COLUMNS`."""

    def extra_metrics(
        self, outcome: pl.DataFrame, predictions: pl.DataFrame, confidence: float
    ) -> dict[str, Interval]:
        """The metrics that are no ratio of sums, with their intervals."""

    def calibration(self, outcome: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
        """What was predicted against what was observed: a curve of points."""

    def value_curve(
        self, predictions: pl.DataFrame, brief: Brief, shares: list[float]
    ) -> pl.DataFrame:
        """The value per 1,000 units at each share of units that are acted on."""


class Presentation(Protocol):
    """Words and tables for decision and report."""

    FEW: str
    POWER: str
    EVEN: str
    MAP: tuple[str, str]
    CALIBRATION: Curve

    def capacity(self, brief: Brief, units: str) -> Capacity:
        """What the value curve shows."""

    def shares(self, target: Any) -> Table:
        """What `summarize` found, as a table."""

    def judged_on(self, n: int, positives: int, units: str) -> str:
        """The units that the gain was judged on."""

    def prices(self, brief: Brief) -> Table:
        """The brief's prices as a table."""

    def in_words(self, brief: Brief) -> str:
        """The decision and its prices in one clause."""

    def explain_action(self, action: str, brief: Brief, n: int) -> str:
        """Why a model does the same for every one of `n` units."""


class Metrics(Protocol):
    """The metrics of a kind of problem, those that are shown for each slice, and its prices."""

    PRICES: Any
    PRICED: str
    METRICS: dict[str, Metric]
    SLICES: tuple[str, ...]


if TYPE_CHECKING:
    from . import metrics, outcomes, power, presentation, target, training

    _target: Target = target
    _training: Training = training
    _outcomes: Outcomes = outcomes
    _power: Powers = power
    _presentation: Presentation = presentation
    _metrics: Metrics = metrics
