"""What the business does today, and the models that challenge it.

All are estimators with `fit(x, y)` and `decision_function(x)`, on the polars frame that `features`
returns and texts like `ono:order@4 tempo:click`. Their scores are a row per row of `x` and a column
per brand in `brands_`; higher is better. The training stage fits all of them, learns on validation
rows how likely a brand with such a score is wanted, and takes the one that is best there.
"""

from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator
from sklearn.decomposition import TruncatedSVD

from .features import CONTEXT, HISTORY

NOTICED = 0.85
"""Share of those who look at one place of a list that look at the next, as in the brief. An event
that came by the list at place k counts 1 / NOTICED^(k - 1) in training: what stood at the top was
clicked more because it stood there.
"""

Numbers = NDArray[np.float64]


class BestSellers(BaseEstimator):
    """The best sellers, the same list for everybody: what the shop does today.

    `act` is that list, as long as the brief allows, whatever a place is worth.
    """

    brands_: NDArray[np.str_]
    """Brands that were wanted in the training rows, sorted."""

    shares_: Numbers
    """Logarithm of the share that each brand has of the orders."""

    def __init__(self, noticed: float = NOTICED) -> None:
        self.noticed = noticed

    def fit(self, x: pl.DataFrame, y: pl.Series) -> Self:
        """Count the orders of each brand, and half an order more, so that each has a place."""
        events = read(y, self.noticed)
        self.brands_ = names(events)
        orders = totals(events.filter(pl.col("event") == "order"), self.brands_) + 0.5
        self.shares_ = np.log(orders / orders.sum())
        return self

    def decision_function(self, x: pl.DataFrame) -> Numbers:
        """Return the same scores for each row of `x`: (rows, brands)."""
        return np.tile(self.shares_, (x.height, 1))

    def act(self, x: pl.DataFrame) -> list[list[str]]:
        """Return what is shown today for each row of `x`, best first; the brief says how many."""
        best = np.argsort(-self.shares_, kind="stable")[:20]
        return [self.brands_[best].tolist()] * x.height


class CoVisits(BaseEstimator):
    """What those who went for the same brands wanted next, on top of what sells in this context.

    The score is the logarithm of the brand's share of all events, plus, for each column of context,
    how much larger that share is at this value, plus the same for each brand of the history:

        log share + sum over the context of lift + sum over the history of weight * lift

    Each lift is shrunk towards none as if `prior` more events had been as everybody's are, because
    few events prove little. The newest brand of the history weighs most, each older one `decay`
    times as much as the one before it; the weights are divided by the root of their sum, because
    the brands of one history say much the same. So an empty history, or one of unknown brands,
    leaves what sells in this context.

    With `factors` the lifts of brand on brand are replaced by their best approximation of that rank
    (truncated singular value decomposition): a brand is then described by a few numbers, and rare
    ones borrow from those like them.
    """

    brands_: NDArray[np.str_]
    """Brands that were wanted in the training rows, sorted."""

    context_: dict[str, Numbers]
    """Per column of context the lifts: a row per category, a column per brand."""

    shares_: Numbers
    """Logarithm of the share that each brand has of the events."""

    lifts_: list[NDArray[Any]]
    """Lift of wanting a brand (column) after another (row), without `rarer_`: the values, columns
    and starts of rows of a sparse matrix; with `factors` two matrices to multiply.
    """

    rarer_: Numbers
    """What is added to all lifts of a brand in the history: brands that it never led to."""

    def __init__(
        self,
        factors: int | None = None,
        prior: float = 100.0,
        decay: float = 0.9,
        noticed: float = NOTICED,
        seed: int = 0,
    ) -> None:
        self.factors = factors
        self.prior = prior
        self.decay = decay
        self.noticed = noticed
        self.seed = seed

    def fit(self, x: pl.DataFrame, y: pl.Series) -> Self:
        """Learn shares and lifts from histories, contexts and what was wanted."""
        events = read(y, self.noticed)
        self.brands_ = names(events)
        places = positions(events["brand"], self.brands_)
        wanted = csr_matrix(
            (events["weight"].to_numpy(), (events["row"].to_numpy(), places)),
            shape=(x.height, len(self.brands_)),
        )
        share = np.asarray(wanted.sum(axis=0)).ravel() / wanted.sum()
        self.shares_ = np.log(share)
        self.context_ = {name: self._lifts_of(x[name], wanted, share) for name in CONTEXT}

        before = self._histories(x)
        before.data[:] = 1.0
        together = (before.T @ wanted).tocsr()
        reached = np.asarray(before.T @ wanted.sum(axis=1)).ravel()
        together.data = np.log1p(together.data / (self.prior * share[together.indices]))
        self.rarer_ = np.log(self.prior / (reached + self.prior))
        self.lifts_ = self._approximated(together) if self.factors else parts(together)
        return self

    def _lifts_of(self, column: pl.Series, wanted: csr_matrix, share: Numbers) -> Numbers:
        """Lift of each brand in each category of a column of context."""
        codes, kinds = categories(column), len(enum(column).categories) + 1
        rows = csr_matrix(
            (np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(kinds, len(codes))
        )
        counts = (rows @ wanted).toarray()
        shrunk = (counts + self.prior * share) / (counts.sum(axis=1, keepdims=True) + self.prior)
        return np.log(shrunk / share)

    def _histories(self, x: pl.DataFrame) -> csr_matrix:
        """Weight of each brand in each history: (rows, brands); unknown brands play no part."""
        brands = (
            x.select(pl.int_range(pl.len()).alias("row"), brand=pl.col(HISTORY).str.split(" "))
            .explode("brand", empty_as_null=True)
            .filter(pl.col("brand").is_in(self.brands_.tolist()))
            .with_columns(age=pl.int_range(pl.len()).over("row"))
        )
        weights = self.decay ** brands["age"].to_numpy().astype(np.float64)
        where = (brands["row"].to_numpy(), positions(brands["brand"], self.brands_))
        return csr_matrix((weights, where), shape=(x.height, len(self.brands_)))

    def _approximated(self, lifts: csr_matrix) -> list[NDArray[Any]]:
        """The best approximation of the lifts by `factors` numbers for each brand: two matrices."""
        rank = min(self.factors or 1, lifts.shape[0] - 1)
        cut = TruncatedSVD(rank, random_state=self.seed)
        return [cut.fit_transform(lifts), cut.components_]

    def decision_function(self, x: pl.DataFrame) -> Numbers:
        """Return the logarithm of each brand's share in such visits: (rows, brands)."""
        before = self._histories(x)
        weight = np.asarray(before.sum(axis=1)).ravel()
        if self.factors:
            led = before @ self.lifts_[0] @ self.lifts_[1]
        else:
            led = (before @ square(self.lifts_)).toarray()
        led += (before @ self.rarer_)[:, None]
        scores = led / np.sqrt(np.maximum(weight, 1e-9))[:, None] + self.shares_
        for name, of_value in self.context_.items():
            scores += of_value[categories(x[name])]
        most = scores.max(axis=1, keepdims=True)
        return scores - most - np.log(np.exp(scores - most).sum(axis=1, keepdims=True))


def read(y: pl.Series, noticed: float) -> pl.DataFrame:
    """Return the events in texts like `ono:order@4 tempo:click`.

    Columns: row (the text's place in `y`), brand, event (String) and weight (Float64): 1 for an
    event without a place, 1 / noticed^(k - 1) for one at place k of the list.
    """
    words = (
        pl.DataFrame({"word": y.cast(pl.String)})
        .select(pl.int_range(pl.len()).alias("row"), pl.col("word").str.split(" "))
        .explode("word", empty_as_null=True)
        .filter(pl.col("word") != "")
    )
    place = pl.col("word").str.extract("@([0-9]+)$").cast(pl.Float64)
    return words.select(
        "row",
        brand=pl.col("word").str.extract("^([^:]+)"),
        event=pl.col("word").str.extract(":([^@]+)"),
        weight=pl.lit(noticed).pow(-(place - 1).fill_null(0.0)),
    )


def names(events: pl.DataFrame) -> NDArray[np.str_]:
    """Return the brands of `events`, sorted."""
    return np.array(events["brand"].unique().sort().to_list(), dtype=np.str_)


def positions(brands: pl.Series, known: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return where each of `brands` stands in `known`, which is sorted and holds all of them."""
    return np.searchsorted(known, np.array(brands.to_list(), dtype=np.str_))


def categories(column: pl.Series) -> NDArray[np.int64]:
    """Return the number of each value's category; a missing value is one category more."""
    codes = column.to_physical().cast(pl.Int64)
    return codes.fill_null(len(enum(column).categories)).to_numpy()


def enum(column: pl.Series) -> pl.Enum:
    """Return the type of a column of context, which has to be a fixed list of categories."""
    if not isinstance(column.dtype, pl.Enum):
        raise ValueError(f"`{column.name}` as pl.Enum, found {column.dtype}")
    return column.dtype


def totals(events: pl.DataFrame, brands: NDArray[np.str_]) -> Numbers:
    """Return the sum of the weights of each of `brands`."""
    where = positions(events["brand"], brands)
    counts = np.bincount(where, weights=events["weight"].to_numpy(), minlength=len(brands))
    return counts.astype(np.float64)


def parts(matrix: csr_matrix) -> list[NDArray[Any]]:
    """Return values, columns and starts of rows of a sparse matrix: what a model file may hold."""
    return [matrix.data, matrix.indices, matrix.indptr]


def square(matrix_parts: list[NDArray[Any]]) -> csr_matrix:
    """Return the square sparse matrix with these parts.

    A model file can be damaged, and compiled code does not look where the columns point.

    Raises:
        ValueError: a column or a start lies outside the matrix.
    """
    size = len(matrix_parts[2]) - 1
    matrix = csr_matrix(tuple(matrix_parts), shape=(size, size))
    matrix.check_format(full_check=True)
    return matrix


def rule() -> BestSellers:
    """Return what is in charge today, unfitted. Every model has to be worth more than this."""
    return BestSellers()


def candidates(seed: int) -> dict[str, BaseEstimator]:
    """Return the challengers by name, unfitted; the same seed gives the same models."""
    return {
        "item to item": CoVisits(),
        "matrix factorisation": CoVisits(factors=12, seed=seed),
    }
