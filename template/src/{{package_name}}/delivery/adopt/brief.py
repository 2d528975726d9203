"""The draft of `project-brief.md`: the team's own words, and marks where only a person can say."""

import json
import re
from collections.abc import Mapping
from datetime import date

import polars as pl

from ..edge.brief import UNSAID
from ..edge.errors import Fixable
from ..edge.explain import shorten
from .literals import in_comment
from .model import name_action
from .proposal import Proposal

LONGEST = 76  # characters of a class, so that `say CLASS` is a name in the brief
MOST_ACTIONS = 10  # classes, each with an answer of its own
CONSENT = ("1", "yes", "true", "y", "t")
WORD = re.compile(r"(?!(?i:true|false|null)$)[A-Za-z][A-Za-z0-9_]*(?:[ -][A-Za-z0-9_]+)*")
COUNT = re.compile(r"0|[1-9][0-9]{0,8}")
BRIEF = """\
---
title: {title}
phase: discover                    # discover, define, develop, deliver
owner: {mark}                  # who answers for it
sponsor: {mark}                # who wants it
decision: {decision}
value: {value}{comment}
risk: medium                       # high: a person decides every case
# define needs `outcome:` and `success:`, develop `guardrails:`. Until then nothing ships.
---

# {heading}

## Problem

<!-- What goes wrong today, for whom, how often, and what it costs. No solution yet. -->

{problem}

## Users

<!-- Who acts on the answer, when, and what they need to see. Then: who is acted upon? -->

{Mark}: who acts on the answer, and who is acted upon.

## Evidence

<!-- What is known and how, each with its date: figures, trials, complaints. Newest first. -->

- {day}: {evidence}

## How wrong answers are handled

<!-- What happens to the person behind a wrong answer, who notices, and how it is corrected. -->

{Mark}: what a wrong answer does, and who corrects it.

## Alternatives considered

<!-- What else would move the outcome, including doing nothing, and why it is not enough. -->

{alternatives}

## Data

<!-- Where rows come from, what one row is, what is missing, biased or personal in it. -->

{data} {Mark}: where the rows come from, and what is missing or biased in them.
"""


def draft_brief(proposal: Proposal, source: str, today: date) -> str:
    """Return the text of `project-brief.md` for a proposal; `source` is the path of the table."""
    answers, mark = proposal.answers, UNSAID.capitalize()
    meaning = in_comment(answers.meaning or "").rstrip(".")
    heading = f"Predict {in_comment(proposal.target.name)}"[:200]
    is_priced = answers.currency is not None
    rule = f"- *Keep what is done today*: `{in_comment(answers.rule)}`." if answers.rule else ""
    stand_in = f"{mark}: what is done today. The rule is a stand-in until then."
    return BRIEF.format(
        title=write(heading),
        heading=heading,
        mark=UNSAID,
        Mark=mark,
        decision=write_decision(proposal),
        value=write_prices(proposal),
        comment="" if is_priced else "   # until somebody says it, nothing ships",
        problem=f"{f'Predicted is: {meaning}. ' if meaning else ''}{mark}: what goes wrong today.",
        day=today.isoformat(),
        evidence=describe_target(proposal),
        alternatives=rule or stand_in,
        data=f"{proposal.rows.height:,} rows of {len(proposal.columns)} columns in `{source}`.",
    )


def write(text: str) -> str:
    """A text as YAML, inside braces too."""
    is_plain = WORD.fullmatch(text) or COUNT.fullmatch(text)
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def write_decision(proposal: Proposal) -> str:
    """What is done for each unit, and how often it can be done."""
    answers, actions = proposal.answers, [write(action) for action in list_actions(proposal)]
    keys = {
        "unit": write(answers.unit or "row"),
        "action": actions[0] if len(actions) == 1 else f"[{', '.join(actions)}]",
    }
    if answers.at_most and answers.out_of:
        keys |= {"at_most": str(answers.at_most), "out_of": str(answers.out_of)}
        keys |= {"every": write(answers.every)} if answers.every else {}
    return write_keys(keys)


def write_keys(keys: Mapping[str, str]) -> str:
    """Keys with values, already YAML, in braces."""
    return "{" + ", ".join(f"{key}: {value}" for key, value in keys.items()) + "}"


def list_actions(proposal: Proposal) -> list[str]:
    """The actions that have prices: one, or for a few classes to say each of them.

    Raises:
        Fixable: the name of a class is too long for a brief.
    """
    if proposal.problem == "regression":
        return [proposal.answers.action or "answer"]
    classes = proposal.target.categories
    if long := [name for name in classes if len(name) > LONGEST]:
        raise Fixable(
            f"target `{proposal.target.name}`: expected classes with names of at most {LONGEST} "
            f"characters, which tables and charts can show, found {shorten(long[0])}. Next: give "
            "them shorter names in the source, then adopt again"
        )
    if proposal.answers.action or not 2 < len(classes) <= MOST_ACTIONS:
        return [name_action(proposal)]
    return [f"say {name}" for name in classes]


def write_prices(proposal: Proposal) -> str:
    """What each action is worth for each class, or what an error costs; unknown if nobody said."""
    answers, actions = proposal.answers, list_actions(proposal)
    currency = {"currency": answers.currency or "unknown"}
    right = "right" if answers.right is None else f"{answers.right:g}"
    wrong = "wrong" if answers.wrong is None else f"{-abs(answers.wrong):g}"
    if proposal.problem == "regression":
        high, low = answers.wrong, answers.right or answers.wrong
        costs = {"per_unit_too_high": high, "per_unit_too_low": low}
        words = {
            key: "unknown" if cost is None else f"{-abs(cost):g}" for key, cost in costs.items()
        }
        return write_keys(currency | words)
    classes = proposal.target.categories
    goals = classes if len(actions) > 1 else [find_positive(proposal)]
    prices = {
        write(action): write_keys({write(c): right if c == goal else wrong for c in classes})
        for action, goal in zip(actions, goals, strict=True)
    }
    return write_keys(currency | prices)


def find_positive(proposal: Proposal) -> str:
    """The class for which acting is right: that which a word of consent names, else the rarest."""
    classes = proposal.target.categories
    counts = proposal.rows[proposal.target.name].cast(pl.String).value_counts(name="n")
    rows = dict(counts.iter_rows())
    consent = [name for name in classes if name.lower() in CONSENT]
    return consent[0] if consent else min(classes, key=lambda name: (rows.get(name, 0), name))


def describe_target(proposal: Proposal) -> str:
    """What the table says of the target, in a sentence."""
    known = proposal.rows[proposal.target.name].drop_nulls()
    start = f"Of {len(known):,} rows"
    if proposal.problem == "regression":
        numbers = known.cast(pl.Float64)
        low, middle, high = (numbers.quantile(share) or 0 for share in (0.1, 0.5, 0.9))
        return (
            f"{start}, half lie below {middle:,.6g}, and 80 of 100 between {low:,.6g} and "
            f"{high:,.6g}."
        )
    counts = known.cast(pl.String).value_counts(name="n", sort=True).head(MOST_ACTIONS)
    shares = [f"{in_comment(name)} {n / len(known):.1%}" for name, n in counts.iter_rows()]
    return f"{start}: {', '.join(shares)}."
