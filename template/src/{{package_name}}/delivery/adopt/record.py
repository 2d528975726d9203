"""The draft of `docs/decisions/DATE-adopted.md`: what was decided, as a table to argue with."""

from datetime import date

from .literals import in_comment
from .proposal import Proposal

RECORD = """\
# {source} is what the model learns from

## Context

On {day}, `adopt` drafted the contract, the features, the models, the brief and their tests
from {rows:,} rows of `{source}`, to predict `{target}` ({problem}).

## Decisions

Each of them can be argued with: change the file that says it, and the line here.

| of | decided | because | by |
| --- | --- | --- | --- |
{decided}

## What only a person can say

{open}

## Revisit by

The next snapshot of the table, or the first price in the brief.
"""


def draft_record(proposal: Proposal, source: str, today: date, unsaid: list[str]) -> str:
    """Return the text of the record; `unsaid` is what is left to say."""
    return RECORD.format(
        source=source,
        day=today.isoformat(),
        rows=proposal.rows.height,
        target=in_cell(proposal.target.name),
        problem=proposal.problem,
        decided="\n".join(
            write_row(each.subject, each.decision, each.reason, each.source)
            for each in proposal.decided
        ),
        open="\n".join(f"- {in_comment(question)}" for question in unsaid) or "Nothing.",
    )


def write_row(*cells: str) -> str:
    """A row of a table in Markdown."""
    return f"| {' | '.join(map(in_cell, cells))} |"


def in_cell(text: str) -> str:
    """A text that stays within its cell."""
    return in_comment(text).replace("|", "\\|")
