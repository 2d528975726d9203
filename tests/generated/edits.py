"""What a person would edit to bring about the same fault in each kind of problem."""

from typing import NamedTuple

from ..made import Completed, Repository, passes


class Edits(NamedTuple):
    """Edits of one kind of problem's files: (file of the package, old, new)."""

    constant: str
    """Appended to model.py: a challenger that says the same of every unit."""

    shuffled: tuple[str, str, str]
    """The target no longer belongs to its row."""

    giveaway: list[tuple[str, str, str]]
    """A column that knows the target becomes a feature, `told`."""

    category: str
    """A column of groups."""

    figures: tuple[str, ...]
    """What the decision's reasons name when the challenger is worthless."""

    again: str
    """What `rule` returns in model.py, and what `candidates` returns then as well."""

    slices: tuple[str, str, str]
    """A metric, how the report calls it, and a slice that is large enough to be judged."""

    few: str
    """What there are too few of in a slice that nobody has seen."""

    target: tuple[str, str]
    """The target, and what it has to be for anything to be learned."""

    time: str
    """The column that says when a row was known."""


EDITS = {
    "classification": Edits(
        constant="""

def candidates(seed: int) -> dict[str, BaseEstimator]:
    from sklearn.dummy import DummyClassifier

    return {"constant": DummyClassifier(strategy="prior")}
""",
        shuffled=(
            "example",
            "return seen.with_columns(outcome=outcome)",
            "return seen.with_columns(outcome=outcome.shuffle(seed=7))",
        ),
        giveaway=[
            (
                "example",
                "return seen.with_columns(outcome=outcome)",
                'closed = pl.when(pl.col("outcome") == "leaves").then(1).otherwise(0)\n'
                "    seen = seen.with_columns(outcome=outcome)\n"
                "    return seen.with_columns(told=closed.cast(pl.Int64))",
            ),
            ("example", '    "outcome",\n]', '    "told",\n    "outcome",\n]'),
            (
                "contract",
                "    outcome = dy.Enum(",
                "    told = dy.Int64(min=0, description='Final bills.')\n    outcome = dy.Enum(",
            ),
            ("contract", '    "outcome": "leaves",', '    "told": 1,\n    "outcome": "leaves",'),
            ("features", "NUMBERS = [\n", 'NUMBERS = [\n    "told",\n'),
        ],
        category="plan",
        figures=("recall at least 20%: ",),
        again="RetentionRule()",
        slices=("recall", "recall", "region = north"),
        few="positive units",
        target=("outcome", "two classes or more"),
        time="week",
    ),
    "regression": Edits(
        constant="""

def candidates(seed: int) -> dict[str, BaseEstimator]:
    from sklearn.dummy import DummyRegressor

    return {"constant": DummyRegressor(strategy="median")}
""",
        shuffled=(
            "example",
            "price=((_log_price().exp() / 5).round() * 5).clip(SCRAP),",
            "price=((_log_price().exp() / 5).round() * 5).clip(SCRAP).shuffle(seed=7),",
        ),
        giveaway=[
            (
                "example",
                "    ).select(COLUMNS)",
                '    ).with_columns(told=pl.col("price") / 1.2).select(COLUMNS)',
            ),
            ("example", '    "price",\n]', '    "told",\n    "price",\n]'),
            (
                "contract",
                "    price = dy.Float64(",
                "    told = dy.Float64(min=0, description='Net price.')\n    price = dy.Float64(",
            ),
            ("contract", '    "price": 9_800.0,', '    "told": 8_166.0,\n    "price": 9_800.0,'),
            ("features", 'NUMBERS = ["age', 'NUMBERS = ["told", "age'),
        ],
        category="fuel",
        figures=("within at least 40%: ",),
        again="MedianRule()",
        slices=("within", "within", "region = north"),
        few="units",
        target=("price", "numbers that differ"),
        time="week",
    ),
    "ranking": Edits(
        constant="""

class Alphabetical(BestSellers):
    def decision_function(self, x: pl.DataFrame) -> Numbers:
        return np.zeros((x.height, len(self.brands_)))


def candidates(seed: int) -> dict[str, BaseEstimator]:
    return {"constant": Alphabetical()}
""",
        shuffled=(
            "example",
            '.sort("day", "user").select(COLUMNS)',
            '.sort("day", "user").select(COLUMNS).with_columns(pl.col("wanted").shuffle(seed=7))',
        ),
        giveaway=[
            (
                "example",
                '.sort("day", "user").select(COLUMNS)',
                '.sort("day", "user").select(COLUMNS)\n'
                '    brands = pl.col("wanted").str.replace_all(r":[a-z]+(@[0-9]+)?", "")\n'
                "    export = export.with_columns(told=brands)",
            ),
            (
                "example",
                '        history="history",\n',
                '        history="history",\n        told="told",\n',
            ),
            (
                "contract",
                "    wanted = dy.String(",
                "    told = dy.String(description='Basket.')\n    wanted = dy.String(",
            ),
            ("contract", '    "wanted": "ono', '    "told": "ono alpenta",\n    "wanted": "ono'),
            ("features", '"came_from", season=', '"told", "came_from", season='),
        ],
        category="device",
        figures=("ndcg at least ",),
        again="BestSellers()",
        slices=("recall_at_k", "recall at k", "device = phone"),
        few="units with an event",
        target=("wanted", "events with two brands or more"),
        time="day",
    ),
    "answering": Edits(
        constant="""

class Constant(BaseEstimator):
    def fit(self, x: pl.DataFrame, y: Any) -> Self:
        return self

    def answers(self, x: pl.DataFrame) -> Answers:
        return prepared(["track_order"] * x.height, np.zeros(x.height))


def candidates(seed: int) -> dict[str, BaseEstimator]:
    return {"constant": Constant()}
""",
        shuffled=(
            "example",
            "return _with_errors(mistakes, everything.",
            'mixed = pl.col("kind", "intent").shuffle(seed=7)\n'
            "    everything = everything.with_columns(mixed)\n"
            "    return _with_errors(mistakes, everything.",
        ),
        giveaway=[
            (
                "example",
                "return _with_errors(mistakes, everything.",
                'everything = everything.with_columns(told=pl.col("intent"))\n'
                "    return _with_errors(mistakes, everything.",
            ),
            ("example", '    "intent",\n]', '    "told",\n    "intent",\n]'),
            (
                "contract",
                "    intent = dy.Enum(",
                "    told = dy.String(description='Book of the desk.')\n    intent = dy.Enum(",
            ),
            (
                "contract",
                '    "intent": "refund_when",',
                '    "told": "x",\n    "intent": "refund_when",',
            ),
            ("features", 'FEATURES = ["text", ', 'FEATURES = ["told", "text", '),
        ],
        category="channel",
        figures=("recall at least 70%: ",),
        again="KeywordRule()",
        slices=("precision", "precision", "channel = e-mail"),
        few="units",
        target=("intent", "two intents or more"),
        time="asked_on",
    ),
}


def edit(repository: Repository, edits: list[tuple[str, str, str]]) -> None:
    """Make edits in files of the package."""
    for name, old, new in edits:
        repository.edit(repository.code(name), old, new)


def stage(repository: Repository, name: str) -> Completed:
    """Run one stage as `dvc.yaml` has it, and nothing before it; what it printed."""
    text = (repository.folder / "dvc.yaml").read_text(encoding="utf-8")
    words = text.partition(f"\n  {name}:\n")[2].partition("cmd:")[2].partition("\n    deps:")[0]
    completed = repository.run(*words.replace(">-", "").split())
    passes(completed)
    return completed
