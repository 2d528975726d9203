"""What a person says on the command line, as `Answers`."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from ..edge.errors import Fixable
from .proposal import Answers

UNITS = {"h": "hours", "d": "days", "w": "weeks"}
HORIZON = re.compile(r"(\d{1,5}) ?([hdw])(?:ours?|ays?|eeks?)?")
AGAIN = "Next: correct it, then the same command again"


def build_answers(target: str, **options: Any) -> Answers:
    """Return the answers that options give; where there is nothing, nothing is said.

    Raises:
        Fixable: an option cannot be read.
    """
    for name in ("segments", "features", "ignored"):
        options[name] = tuple(options[name] or ())
    options["horizon"] = parse_horizon(options["horizon"])
    options["missing"] = parse_pairs("--missing", options["missing"])
    forms = parse_pairs("--date-form", options["dates"])
    options["dates"] = {name: each[-1] for name, each in forms.items()}
    answers = Answers(target=target, **options)
    require_consistency(answers)
    return answers


def parse_horizon(text: str | None) -> timedelta | None:
    """The duration that `8w`, `30d` or `12h` says."""
    if text is None:
        return None
    if not (match := HORIZON.fullmatch(text.strip().lower())):
        raise Fixable(f"--horizon {text}: expected a duration like 8w, 30d or 12h. {AGAIN}")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def parse_pairs(option: str, texts: Iterable[str] | None) -> Mapping[str, tuple[str, ...]]:
    """The values that `COLUMN=VALUE` gives for each column."""
    pairs: dict[str, tuple[str, ...]] = {}
    for text in texts or ():
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise Fixable(f"{option} {text}: expected COLUMN=VALUE, found no such pair. {AGAIN}")
        pairs[name] = (*pairs.get(name, ()), value)
    return pairs


def require_consistency(answers: Answers) -> None:
    """Raise Fixable where answers lack each other, or one is none of those that there are."""
    for option, value, known in (
        ("--decimal", answers.decimal, (".", ",")),
        ("--problem", answers.problem, ("classification", "regression")),
    ):
        if value not in (None, *known):
            raise Fixable(f"{option} {value}: expected {' or '.join(known)}. {AGAIN}")
    if answers.currency and not re.fullmatch("[A-Z]{3}", answers.currency):
        raise Fixable(f"--currency {answers.currency}: expected three capitals like GBP. {AGAIN}")
    if answers.currency is None and (answers.right is not None or answers.wrong is not None):
        raise Fixable(f"--right and --wrong: expected --currency with them, found none. {AGAIN}")
    if (answers.at_most is None) != (answers.out_of is None):
        raise Fixable(f"--at-most and --out-of: expected both, found one of them. {AGAIN}")
    if answers.at_most and answers.out_of and answers.at_most > answers.out_of:
        raise Fixable(f"--at-most {answers.at_most}: expected at most {answers.out_of}. {AGAIN}")
    if answers.horizon and answers.time is None:
        raise Fixable(f"--horizon: expected --time with it, found none. {AGAIN}")
