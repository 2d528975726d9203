"""The columns that a model sees, derived from one row at a time.

Each derived feature is a function without arguments that returns an expression, so it can be read,
tested and explained alone. No feature looks at another row: the service has only one.
"""

import polars as pl

FEATURES = ["text", "recorded"]
"""What a model sees: the question, and what language models answered to it where that was recorded.
"""


def features(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the features of `rows`: same rows, same order, FEATURES.

    `rows` has the columns of `contract.Row`, with or without the target. Both features are text
    and may hold names: no answer is judged without reading the question. The number of the question
    identifies, its kind is known only afterwards, and the day and the channel say nothing about
    what is asked; they are left out on purpose.
    """
    return rows.with_columns(text=plain_text("wording")).select(FEATURES)


def plain_text(column: str) -> pl.Expr:
    """A text without what makes no difference: upper case, curly quotes, spaces, repeated marks."""
    text = pl.col(column).str.to_lowercase().str.replace_all(r"[\u2018\u2019]", "'")
    return (
        text.str.replace_all(r"\s+", " ")
        .str.replace_all(r"([!?.,])[!?.,]+", "$1")
        .str.strip_chars()
    )
