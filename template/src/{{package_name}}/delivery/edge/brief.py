"""Read `project-brief.md`: prose for people, front matter that decides what ships."""

import re
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
    model_validator,
)
from ruamel.yaml.error import YAMLError

from .explain import explain, nearest, yaml

Phase = Literal["discover", "define", "develop", "deliver"]
LONGEST = 20  # lines of front matter
NEXT = "Next: fix the brief, then uv run dvc repro"
SECTIONS: dict[Phase, tuple[str, ...]] = {
    "discover": ("Problem", "Users"),
    "define": ("Evidence",),
    "develop": ("How wrong answers are handled", "Alternatives considered", "Data"),
    "deliver": (),
}
KEYS: dict[Phase, tuple[str, ...]] = {
    "discover": ("owner", "sponsor"),
    "define": ("outcome", "decision", "value"),
    "develop": ("success",),
    "deliver": ("experiment", "review_by"),
}
DATED = re.compile(r"^- \d{4}-\d{2}-\d{2}: \S", re.MULTILINE)

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class BriefError(ValueError):
    """A brief that cannot be used; the message names the file, the key, what was expected and
    found.
    """


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Outcome(_Part):
    """What the business wants to move: a figure, where it stands and where it should go."""

    metric: Text
    today: float
    target: float


class Decision(_Part):
    """What is done for one unit, and how often it can be done: at most `at_most` in every `out_of`
    units, or for each unit at most `5 brands`. `otherwise` is what is done where the action is not.
    """

    unit: Text
    action: Text | list[Text]
    otherwise: Text | None = None
    at_most: int | None = Field(default=None, ge=1)
    of: Text | None = None
    out_of: int | None = Field(default=None, ge=1)
    every: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _counted(cls, given: Any) -> Any:
        """`at_most: 5 brands` is a number of things."""
        if not isinstance(given, dict):
            return given
        number, _, things = str(given.get("at_most")).partition(" ")
        return given | {"at_most": number, "of": things} if things and "of" not in given else given

    @model_validator(mode="after")
    def _capacity(self) -> "Decision":
        if self.of is not None and self.out_of is not None:
            raise ValueError(
                f"at_most is a number of {self.of} for each {self.unit}, without out_of"
            )
        if self.of is None and (self.at_most is None) != (self.out_of is None):
            raise ValueError("at_most and out_of belong together: how many of how many")
        if self.at_most is not None and self.out_of is not None and self.at_most > self.out_of:
            raise ValueError(f"at_most is at most out_of ({self.out_of})")
        return self


def _named(prices: Any) -> Any:
    """Prices by class: a class 0 or 1 is a name like any other."""
    if not isinstance(prices, dict):
        return prices
    return {str(k) if type(k) is int else k: price for k, price in prices.items()}


class _Money(_Part):
    """A currency."""

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class _Reviewed(_Money):
    """Prices among which is that of a person who finds the truth."""

    review: float | None = Field(default=None, le=0)


class Prices(_Reviewed):
    """What each action is worth for each class, in money, against doing nothing.

    `review` adds a person who finds the truth, takes the best action for it, and costs that much.
    """

    actions: dict[Text, dict[Text, float]] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _actions(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "actions" in given:
            return given
        fixed = {key: given[key] for key in ("currency", "review") if key in given}
        actions = {key: given[key] for key in given if key not in fixed}
        return fixed | {"actions": {key: _named(prices) for key, prices in actions.items()}}

    @model_validator(mode="after")
    def _classes(self) -> "Prices":
        named = [set(classes) for classes in self.actions.values()]
        if any(classes != named[0] for classes in named):
            raise ValueError("every action needs a price for the same classes")
        if not any(price > 0 for classes in self.actions.values() for price in classes.values()):
            raise ValueError(
                "at least one price above zero: otherwise doing nothing is always best"
            )
        return self


class Errors(_Reviewed):
    """What an answer costs for each unit that it is too high or too low, in money, against the
    truth; within `free_within` it costs nothing.

    `review` adds a person who finds the truth, where that is cheaper than the answer's expected
    cost.
    """

    per_unit_too_high: float = Field(lt=0)
    per_unit_too_low: float = Field(lt=0)
    free_within: float = Field(default=0, ge=0)


class Shown(_Money):
    """What comes of a thing that is shown, by the event that follows, in money, against showing
    nothing; `shown` is the price of showing one.

    `noticed` is the share of those who look at one place of a list that look at the next as well.
    """

    shown: float = Field(le=0)
    noticed: float = Field(default=1, gt=0, le=1)
    events: dict[Text, Annotated[float, Field(gt=0)]] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _events(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "events" in given:
            return given
        fixed = {key: given[key] for key in ("currency", "shown", "noticed") if key in given}
        return fixed | {"events": {key: given[key] for key in given if key not in fixed}}


class Answers(_Money):
    """What an answer is worth where it is right, where it is wrong, and where a person gives it, in
    money; `call` is what asking the model costs (`measured`: what was paid).
    """

    right: float = Field(gt=0)
    wrong: float = Field(lt=0)
    handed_over: float = Field(le=0)
    call: Annotated[float, Field(le=0)] | Literal["measured"] = "measured"


def _kind(value: Any) -> str:
    """Which way of pricing a value table is."""
    found = value if isinstance(value, dict) else vars(value) if isinstance(value, _Part) else {}
    if any(str(key).startswith("per_unit") for key in found):
        return "errors"
    if "shown" in found and not isinstance(found["shown"], dict):
        return "shown"
    answers = "handed_over" in found and not isinstance(found["handed_over"], dict)
    return "answers" if answers else "prices"


KINDS: dict[str, type[_Money]] = {
    "prices": Prices, "errors": Errors, "shown": Shown, "answers": Answers
}  # fmt: skip
Value = Annotated[
    Annotated[Prices, Tag("prices")]
    | Annotated[Errors, Tag("errors")]
    | Annotated[Shown, Tag("shown")]
    | Annotated[Answers, Tag("answers")],
    Discriminator(_kind),
]


class Line(_Part):
    """One thing that must hold: a metric against a limit, or against the champion."""

    metric: Text
    where: Annotated[str, StringConstraints(pattern=r"^each segment$|^\w+ = .+$")] | None = None
    at_least: float | None = None
    at_most: float | None = None
    beats: Literal["champion"] | None = None
    by: float | None = Field(default=None, gt=0)
    not_below: Literal["champion"] | None = None
    margin: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_form(self) -> "Line":
        forms = [
            k for k in ("at_least", "at_most", "beats", "not_below") if getattr(self, k) is not None
        ]
        if len(forms) != 1:
            raise ValueError("one of at_least, at_most, beats: champion, not_below: champion")
        if (self.beats is None) != (self.by is None):
            raise ValueError("beats and by belong together: by is the gain worth detecting")
        if (self.not_below is None) != (self.margin is None):
            raise ValueError(
                "not_below and margin belong together: margin is what 'no worse' means"
            )
        return self


class Brief(_Part):
    """The front matter of a project brief."""

    title: Text
    phase: Phase
    owner: Text | None = None
    sponsor: Text | None = None
    outcome: Outcome | None = None
    decision: Decision | None = None
    value: Value | None = None
    success: list[Line] = []
    guardrails: list[Line] = []
    experiment: Text | None = None
    risk: Literal["low", "medium", "high"] = "medium"
    review_by: date | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Brief":
        phases = get_args(Phase)
        for phase in phases[: phases.index(self.phase) + 1]:
            for key in KEYS[phase]:
                if not getattr(self, key):
                    raise ValueError(
                        f"`{key}:` from phase {phase} on (this brief is in {self.phase})"
                    )
        if self.decision and isinstance(self.value, Prices):
            actions = self.decision.action
            named = set(actions if isinstance(actions, list) else [actions])
            if named != set(self.value.actions):
                raise ValueError(
                    f"a price for each action: decision.action names {', '.join(sorted(named))}, "
                    f"value names {', '.join(sorted(self.value.actions))}"
                )
        if self.decision and self.value:
            self._fitting(self.decision, self.value)
        return self

    def _fitting(self, decision: Decision, value: _Money) -> None:
        """Refuse a decision that its prices do not know."""
        if not isinstance(decision.action, str) and not isinstance(value, Prices):
            raise ValueError("one action, unless each action has its prices")
        if (decision.of is not None) != isinstance(value, Shown):
            raise ValueError(
                "at_most as a number of things (`5 brands`) where each thing shown has its price, "
                "and nowhere else"
            )
        if decision.otherwise is not None and not isinstance(value, Answers):
            raise ValueError("`otherwise` only where an answer may be handed over")
        review = isinstance(value, Answers) or getattr(value, "review", None) is not None
        if self.risk == "high" and not review:
            raise ValueError(
                "risk: high needs `review:` in value, because a person decides every case"
            )


def parse(text: str, name: str = "project-brief.md") -> tuple[Brief, dict[str, str]]:
    """A brief and its sections (heading to text) from the text of the file `name`; faults raise
    `BriefError`.
    """
    _, fence, rest = text.partition("---\n")
    front, end, prose = rest.partition("\n---")
    if _.strip() or not fence or not end:
        raise BriefError(
            f"{name}: expected front matter between two lines `---` at the top. {NEXT}"
        )
    if (length := len(front.splitlines())) > LONGEST:
        raise BriefError(
            f"{name}: expected at most {LONGEST} lines of front matter, found {length}. {NEXT}"
        )
    try:
        content = yaml(front)
        if not isinstance(content, dict):
            raise BriefError(f"{name}: expected keys and values in the front matter. {NEXT}")
        brief = Brief(**content)
    except YAMLError as error:
        raise BriefError(
            f"{name}: expected YAML in the front matter, found\n{error}\n{NEXT}"
        ) from None
    except ValidationError as error:
        raise BriefError(f"{explain(name, error, Brief, KINDS)}\n{NEXT}") from None
    found = sections(prose)
    _require(brief, found, name)
    return brief, found


def require_metrics(
    brief: Brief, comparable: Mapping[str, bool], name: str = "project-brief.md"
) -> None:
    """Stop where a line of the brief names a metric that is not among those in `comparable`, or
    compares models on one that is not comparable: for which other units count for each model.

    Raises:
        BriefError: as the file `name` has it.
    """
    for key, lines in (("success", brief.success), ("guardrails", brief.guardrails)):
        for number, line in enumerate(lines):
            fits = comparable
            if line.beats or line.not_below:
                fits = {metric: True for metric, same in comparable.items() if same}
            if line.metric not in fits:
                *others, last = map(repr, fits)
                compared = " where models are compared" if line.metric in comparable else ""
                raise BriefError(
                    f"{name}: `{key}.{number}.metric`: expected {', '.join(others)} or {last}"
                    f"{compared}, found {line.metric!r}{nearest(line.metric, fits)}\n{NEXT}"
                )


def sections(prose: str) -> dict[str, str]:
    """Heading to text for every `## ` section, without its prompts (HTML comments)."""
    parts = re.split(
        r"^## (.+)$", re.sub(r"<!--.*?-->", "", prose, flags=re.DOTALL), flags=re.MULTILINE
    )
    return {
        heading.strip(): text.strip()
        for heading, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def _require(brief: Brief, found: dict[str, str], name: str) -> None:
    """Stop where a section that the phase asks for is missing or empty, or evidence has no date."""
    phases = get_args(Phase)
    for phase in phases[: phases.index(brief.phase) + 1]:
        for heading in SECTIONS[phase]:
            if not found.get(heading):
                raise BriefError(
                    f"{name}: expected text under `## {heading}` from phase {phase} on, found none "
                    f"(this brief is in {brief.phase}). {NEXT}"
                )
            if heading == "Evidence" and not DATED.search(found[heading]):
                raise BriefError(
                    f"{name}: expected dated bullets (`- 2026-05-04: …`) under `## Evidence`, "
                    f"found none. {NEXT}"
                )


def read(path: Path) -> tuple[Brief, dict[str, str]]:
    """`parse` the file at `path`."""
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise BriefError(f"{path}: expected a project brief, found no file. {NEXT}") from None
    except UnicodeDecodeError:
        raise BriefError(f"{path}: expected UTF-8 text. {NEXT}") from None


def main(
    argv: list[str] | None = None,
    find_metrics: Callable[[Brief], Mapping[str, bool]] | None = None,
) -> int:
    """`brief.py [project-brief.md …]`: print what is wrong with each brief and end with 2.

    `find_metrics` gives the metrics that a brief can name, each with whether models can be compared
    on it; without it a brief may name any.
    """
    faults = []
    for name in (sys.argv[1:] if argv is None else argv) or ["project-brief.md"]:
        try:
            brief, _ = read(Path(name))
            if find_metrics is not None:
                require_metrics(brief, find_metrics(brief), name)
        except BriefError as error:
            faults.append(str(error))
    print("\n".join(faults), end="\n" if faults else "", file=sys.stderr)
    return 2 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
