"""The brief as types, read from `project-brief.md` (prose for people, front matter that decides
what ships) or from `reports/brief.json`, which the stage `brief` writes of it.
"""

import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Generic, Literal, NamedTuple, Self, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from ruamel.yaml.error import YAMLError

from .errors import Fixable
from .explain import explain, nearest, read_text, shorten, yaml

Phase = Literal["discover", "define", "develop", "deliver"]
LONGEST = 20  # lines of front matter
MOST = 20_000  # characters of front matter
NEXT = "Next: fix the brief, then uv run dvc repro"
SECTIONS: dict[Phase, tuple[str, ...]] = {
    "discover": ("Problem", "Users"),
    "define": ("Evidence",),
    "develop": ("How wrong answers are handled", "Alternatives considered", "Data"),
    "deliver": (),
}
KEYS: dict[Phase, tuple[str, ...]] = {
    "discover": ("owner", "sponsor"),
    "define": ("outcome", "decision", "value", "success"),
    "develop": ("guardrails",),
    "deliver": ("experiment", "review_by"),
}
EARLY: tuple[Phase, ...] = ("discover", "define")
"""Phases in which what is good enough is not agreed yet: no model ships in them."""

UNSAID = "to be said"
"""How a draft marks what only a person can say."""

MARKED = re.compile(rf"(^|\. |^- ){UNSAID}\b", re.IGNORECASE | re.MULTILINE)
DATED = re.compile(r"^- \d{4}-\d{2}-\d{2}: \S", re.MULTILINE)

PRIMARY = "value_per_1000"  # the metric in which models are compared, in money
UNKNOWN = "unknown"  # the currency, while nobody has said what anything is worth
PRICES_NEXT = (
    "Next: write into `value:` of project-brief.md what is worth how much, with its currency, then "
    "uv run dvc repro"
)


def _refuse_truth(value: Any) -> Any:
    """`true` is no number, though pydantic reads it as 1."""
    if isinstance(value, bool):
        raise ValueError(f"a number, found {str(value).lower()}")
    return value


def _refuse_number(value: Any) -> Any:
    """A number is no date, though pydantic counts it from 1970 on."""
    if isinstance(value, int | float):
        raise ValueError(f"a date like 2027-03-31, found {value}")
    return value


ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
LINES = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
Stripped = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Prose = Annotated[Stripped, Field(max_length=5000, pattern=LINES)]
Text = Annotated[Stripped, Field(max_length=1000, pattern=ONE_LINE)]
Name = Annotated[Stripped, Field(max_length=80, pattern=ONE_LINE)]
"""What stands in tables and charts."""

Amount = Annotated[
    float, BeforeValidator(_refuse_truth), Field(allow_inf_nan=False, ge=-1e12, le=1e12)
]
Count = Annotated[int, BeforeValidator(_refuse_truth), Field(ge=1, le=10**12)]
Day = Annotated[date, BeforeValidator(_refuse_number)]
Bounds = tuple[float, float]

WRITTEN = "written"  # by a stage of this release or an older one, rather than by a person


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _drop_unknown(cls, content: Any, info: ValidationInfo) -> Any:
        """A key that nobody mistyped, because a stage wrote it, may be one of an older release."""
        if info.context != WRITTEN or not isinstance(content, dict):
            return content
        return {key: content[key] for key in content if key in cls.model_fields}


TAKEN = ("none", "review")  # how outcomes name what is done where nothing is, and by a person


class Outcome(_Part):
    """What the business wants to move: a figure, where it stands and where it should go."""

    metric: Text
    today: Amount
    target: Amount


class Action(_Part):
    """What is done for one unit, and how often it can be done: at most `at_most` in every `out_of`
    units, or for each unit at most `5 brands`. `otherwise` is what is done where the action is not.

    `units` is what several of them are called: `unit: policy/policies`, or else an s is added.
    """

    unit: Name
    units: str = ""
    action: Name | list[Name]
    otherwise: Name | None = None
    at_most: Count | None = None
    of: Name | None = None
    out_of: Count | None = None
    every: Name | None = None

    @property
    def actions(self) -> list[str]:
        """Every action by its name, one or several."""
        return [self.action] if isinstance(self.action, str) else self.action

    def capacity(self, units: int) -> int | None:
        """How many of so many units may be acted on; None where the brief sets no such limit."""
        if self.at_most is None or self.out_of is None:
            return None
        return int(units * self.at_most / self.out_of)

    @model_validator(mode="before")
    @classmethod
    def _split_plural(cls, content: Any) -> Any:
        """`unit: policy/policies` is a word for one and a word for several."""
        if not isinstance(content, dict) or not isinstance(content.get("unit"), str):
            return content
        one, slash, several = (word.strip() for word in content["unit"].partition("/"))
        if slash and (not one or not several or "/" in several):
            raise ValueError(f"unit: one word, or two like policy/policies, not {content['unit']}")
        return content | {"unit": one, "units": several or content.get("units") or f"{one}s"}

    @model_validator(mode="before")
    @classmethod
    def _split_number(cls, content: Any) -> Any:
        """`at_most: 5 brands` is a number of things."""
        if not isinstance(content, dict):
            return content
        number, _, things = str(content.get("at_most")).partition(" ")
        if not things or "of" in content:
            return content
        return content | {"at_most": number, "of": things}

    @model_validator(mode="after")
    def _require_capacity(self) -> "Action":
        if self.of is not None and self.out_of is not None:
            raise ValueError(
                f"at_most is a number of {self.of} for each {self.unit}, without out_of, "
                f"found out_of: {self.out_of}"
            )
        if self.of is None and (self.at_most is None) != (self.out_of is None):
            raise ValueError(
                "at_most and out_of belong together: how many of how many, found one of them"
            )
        if self.at_most is not None and self.out_of is not None and self.at_most > self.out_of:
            raise ValueError(f"at_most is at most out_of ({self.out_of}), found {self.at_most}")
        return self

    @model_validator(mode="after")
    def _require_names(self) -> "Action":
        """Refuse actions whose names outcomes could not tell apart."""
        names = [*self.actions, self.otherwise or "hand over"]
        if taken := [name for name in names if name in TAKEN or names.count(name) > 1]:
            raise ValueError(
                f"actions of different names, none of them {' or '.join(TAKEN)}, found {taken[0]!r}"
            )
        return self


def _name_classes(prices: Any) -> Any:
    """Prices by class: a class 0 or 1 is a name like any other."""
    if not isinstance(prices, dict):
        return prices
    return {str(k) if type(k) is int else k: price for k, price in prices.items()}


def _gather_actions(content: Any) -> Any:
    """Each key of a value table but the fixed ones is an action."""
    if not isinstance(content, dict) or "actions" in content:
        return content
    fixed = {key: content[key] for key in ("currency", "review") if key in content}
    actions = {key: _name_classes(content[key]) for key in content if key not in fixed}
    return fixed | {"actions": actions}


def _require_same_classes(actions: Mapping[str, Mapping[str, object]]) -> None:
    classes_of_each = [set(prices) for prices in actions.values()]
    if any(classes != classes_of_each[0] for classes in classes_of_each):
        raise ValueError("every action needs a price for the same classes, found others")


def _find_unpriced(actions: Mapping[str, Iterable[str]], names: Iterable[str]) -> str | None:
    """A class without a price, or a price without a class."""
    classes, priced = sorted(names), sorted(next(iter(actions.values())))
    if classes == priced:
        return None
    return (
        f"value: expected a price for each class of the target ({', '.join(classes)}), "
        f"found {', '.join(priced)}"
    )


class _Money(_Part):
    """A currency."""

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

    @field_validator("currency", mode="before")
    @classmethod
    def _require_currency(cls, currency: Any) -> Any:
        if currency == UNKNOWN:
            raise ValueError(
                "a currency like GBP, because a list or an answer is chosen by its prices "
                f"(only actions by class, and numbers, can wait for theirs), found {UNKNOWN}"
            )
        return currency

    @property
    def is_known(self) -> bool:
        """Whether the prices are those of the business, rather than a stand-in for none."""
        return self.currency != UNKNOWN

    @property
    def money(self) -> str:
        """The currency as it stands before an amount: nothing where it is not known."""
        return self.currency if self.is_known else ""

    def weigh(self, right: float, wrong: float) -> Self:
        """The same prices, all good ones worth `right` and all bad ones costing `wrong`; those of
        a kind that is never unknown are what they are.
        """
        return self

    @property
    def worth(self) -> Bounds:
        """The lowest and the highest that one unit can come to, in money; without bounds where the
        prices do not say.
        """
        return -math.inf, math.inf

    def find_unpriced(self, names: Iterable[str]) -> str | None:
        """What is wrong with the prices of these names, which the target has (classes, or kinds of
        event), if anything.
        """
        return None


class _Reviewed(_Money):
    """Prices among which is that of a person who finds the truth."""

    review: Amount | None = Field(default=None, le=0)


class Prices(_Reviewed):
    """What each action is worth for each class, in money, against doing nothing.

    `review` adds a person who finds the truth, takes the best action for it, and costs that much.
    """

    actions: dict[Name, dict[Name, Amount]] = Field(min_length=1)

    @property
    def worth(self) -> Bounds:
        """The lowest and the highest price; nothing is worth 0."""
        prices = [price for each in self.actions.values() for price in each.values()]
        return min(0.0, *prices, self.review or 0.0), max(0.0, *prices)

    def find_unpriced(self, names: Iterable[str]) -> str | None:
        """A class without a price, or a price without a class."""
        return _find_unpriced(self.actions, names)

    def weigh(self, right: float, wrong: float) -> Self:
        """The same, each price above zero replaced by `right` and each below by minus `wrong`."""
        actions = {
            action: {name: right if price > 0 else -wrong for name, price in prices.items()}
            for action, prices in self.actions.items()
        }
        return self.model_copy(update={"actions": actions})

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, content: Any) -> Any:
        return _gather_actions(content)

    @model_validator(mode="after")
    def _require_sense(self) -> "Prices":
        _require_same_classes(self.actions)
        if not any(price > 0 for prices in self.actions.values() for price in prices.values()):
            raise ValueError(
                "at least one price above zero: otherwise doing nothing is always best, found none"
            )
        return self


class UnknownPrices(_Part):
    """Which action is right for which class, where nobody has said yet what that is worth."""

    currency: Literal["unknown"]
    actions: dict[Name, dict[Name, Literal["right", "wrong"]]] = Field(min_length=1)

    def find_unpriced(self, names: Iterable[str]) -> str | None:
        """A class that is not named, or a name that is no class."""
        return _find_unpriced(self.actions, names)

    def assume_even(self) -> Prices:
        """The stand-in for prices: what is wrong costs what is right earns, 1 of no currency."""
        actions = {
            action: {name: 1.0 if word == "right" else -1.0 for name, word in words.items()}
            for action, words in self.actions.items()
        }
        return Prices.model_construct(currency=UNKNOWN, review=None, actions=actions)

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, content: Any) -> Any:
        return _gather_actions(content)

    @model_validator(mode="after")
    def _require_sense(self) -> "UnknownPrices":
        _require_same_classes(self.actions)
        if not any("right" in words.values() for words in self.actions.values()):
            raise ValueError("an action that is right for at least one class, found none")
        return self


class Errors(_Reviewed):
    """What an answer costs for each unit that it is too high or too low, in money, against the
    truth; within `free_within` it costs nothing.

    `review` adds a person who finds the truth, where that is cheaper than the answer's expected
    cost.
    """

    per_unit_too_high: Amount = Field(lt=0)
    per_unit_too_low: Amount = Field(lt=0)
    free_within: Amount = Field(default=0, ge=0)

    def weigh(self, right: float, wrong: float) -> Self:
        """The same, each 1 too low costing `right` and each 1 too high `wrong`."""
        return self.model_copy(
            update={"per_unit_too_high": -wrong, "per_unit_too_low": -right},
        )


class UnknownErrors(_Part):
    """A number is answered, and nobody has said yet what it costs that it is too high or too
    low.
    """

    currency: Literal["unknown"]
    per_unit_too_high: Literal["unknown"]
    per_unit_too_low: Literal["unknown"]
    free_within: Amount = Field(default=0, ge=0)

    def find_unpriced(self, names: Iterable[str]) -> str | None:
        """Nothing: a number has no classes."""
        return None

    def assume_even(self) -> Errors:
        """The stand-in for prices: too high costs what too low costs, 1 of no currency."""
        return Errors.model_construct(
            currency=UNKNOWN, review=None, per_unit_too_high=-1.0, per_unit_too_low=-1.0,
            free_within=self.free_within,
        )  # fmt: skip


class Shown(_Money):
    """What comes of a thing that is shown, by the event that follows, in money, against showing
    nothing; `shown` is the price of showing one.

    `noticed` is the share of those who look at one place of a list that look at the next as well.
    """

    shown: Amount = Field(le=0)
    noticed: Amount = Field(default=1, gt=0, le=1)
    events: dict[Name, Annotated[Amount, Field(gt=0)]] = Field(min_length=1)

    def find_unpriced(self, names: Iterable[str]) -> str | None:
        """A kind of event without a price."""
        if not (unpriced := sorted(set(names) - set(self.events))):
            return None
        return (
            "value: expected a price for each kind of event in the target, found none for "
            f"{', '.join(unpriced)} (priced: {', '.join(self.events)})"
        )

    @model_validator(mode="before")
    @classmethod
    def _gather_events(cls, content: Any) -> Any:
        if not isinstance(content, dict) or "events" in content:
            return content
        fixed = {key: content[key] for key in ("currency", "shown", "noticed") if key in content}
        return fixed | {"events": {key: content[key] for key in content if key not in fixed}}


class Answers(_Money):
    """What an answer is worth where it is right, where it is wrong, and where a person gives it, in
    money; `call` is what asking the model costs (`measured`: what was paid).
    """

    right: Amount = Field(gt=0)
    wrong: Amount = Field(lt=0)
    handed_over: Amount = Field(le=0)
    call: Annotated[Amount, Field(le=0)] | Literal["measured"] = "measured"

    @property
    def worth(self) -> Bounds:
        """What a wrong answer is worth, or a person's, and a right one; calls apart."""
        return min(self.wrong, self.handed_over), self.right


def _kind(value: Any) -> str:
    """Which way of pricing a value table is."""
    keys = value if isinstance(value, dict) else vars(value) if isinstance(value, _Part) else {}
    unknown = "unknown_" if keys.get("currency") == UNKNOWN else ""
    if any(str(key).startswith("per_unit") for key in keys):
        return f"{unknown}errors"
    if "shown" in keys and not isinstance(keys["shown"], dict):
        return "shown"
    has_answers = "handed_over" in keys and not isinstance(keys["handed_over"], dict)
    return "answers" if has_answers else f"{unknown}prices"


KINDS: dict[str, type[_Part]] = {
    "prices": Prices, "errors": Errors, "shown": Shown, "answers": Answers,
    "unknown_prices": UnknownPrices, "unknown_errors": UnknownErrors,
}  # fmt: skip
Value = Annotated[
    Annotated[Prices, Tag("prices")]
    | Annotated[Errors, Tag("errors")]
    | Annotated[Shown, Tag("shown")]
    | Annotated[Answers, Tag("answers")]
    | Annotated[UnknownPrices, Tag("unknown_prices")]
    | Annotated[UnknownErrors, Tag("unknown_errors")],
    Discriminator(_kind),
]


EACH_SEGMENT = "each segment"
Where = Annotated[
    str, StringConstraints(pattern=rf"^{EACH_SEGMENT}$|^\w+ = [^\x00-\x1f\x7f]+$", max_length=200)
]


class Line(_Part):
    """One thing that must hold: a metric against a limit, or against the champion."""

    metric: Name
    where: Where | None = None
    at_least: Amount | None = None
    at_most: Amount | None = None
    beats: Literal["champion"] | None = None
    by: Amount | None = Field(default=None, gt=0)
    not_below: Literal["champion"] | None = None
    margin: Amount | None = Field(default=None, ge=0)

    @property
    def compares(self) -> bool:
        """Whether the line speaks of challenger and champion, rather than of the challenger."""
        return self.beats is not None or self.not_below is not None

    @model_validator(mode="after")
    def _require_one_form(self) -> "Line":
        forms = (self.at_least, self.at_most, self.beats, self.not_below)
        if (count := sum(form is not None for form in forms)) != 1:
            raise ValueError(
                "one of at_least, at_most, beats: champion, not_below: champion, "
                f"found {count or 'none'}"
            )
        if (self.beats is None) != (self.by is None):
            raise ValueError(
                "beats and by belong together: by is the gain worth detecting, found one of them"
            )
        if (self.not_below is None) != (self.margin is None):
            raise ValueError(
                "not_below and margin belong together: margin is what 'no worse' means, "
                "found one of them"
            )
        return self


class Brief(_Part):
    """The front matter of a project brief."""

    title: Text
    phase: Phase
    owner: Text | None = None
    sponsor: Text | None = None
    outcome: Outcome | None = None
    decision: Action | None = None
    value: Value | None = None
    success: list[Line] = []
    guardrails: list[Line] = []
    experiment: Prose | None = None
    risk: Literal["low", "medium", "high"] = "medium"
    review_by: Day | None = None

    @property
    def review(self) -> float | None:
        """What it costs that a person finds the truth; None where the prices name no review."""
        return self.value.review if isinstance(self.value, _Reviewed) else None

    @property
    def has_unknown_prices(self) -> bool:
        """Whether nobody has said yet what anything is worth: nothing can ship."""
        return self.value is not None and self.value.currency == UNKNOWN

    @property
    def lines(self) -> Iterator[tuple[str, Line]]:
        """Each success line and each guardrail, by its place in the front matter."""
        for key, lines in (("success", self.success), ("guardrails", self.guardrails)):
            for number, line in enumerate(lines):
                yield f"{key}.{number}", line

    @model_validator(mode="after")
    def _require_consistency(self) -> "Brief":
        self._require_keys()
        if self.decision and self.value:
            self._require_prices(self.decision, self.value)
        return self

    def _require_keys(self) -> None:
        """Refuse a brief without a key that its phase asks for. What is good enough can hardly be
        said without prices, so lines may wait for them.
        """
        phases = get_args(Phase)
        can_wait = ("success", "guardrails") if self.has_unknown_prices else ()
        for phase in phases[: phases.index(self.phase) + 1]:
            for key in KEYS[phase]:
                if not getattr(self, key) and key not in can_wait:
                    raise ValueError(
                        f"`{key}:` from phase {phase} on, found none "
                        f"(this brief is in {self.phase})"
                    )

    def _require_prices(self, decision: Action, value: Value) -> None:
        """Refuse a decision that its prices do not know."""
        if isinstance(value, Prices | UnknownPrices) and set(decision.actions) != set(
            value.actions
        ):
            raise ValueError(
                f"a price for each action: decision.action names "
                f"{', '.join(sorted(decision.actions))}, "
                f"value names {', '.join(sorted(value.actions))}, found different names"
            )
        if len(decision.actions) > 1 and not isinstance(value, Prices | UnknownPrices):
            raise ValueError(
                f"one action, unless each action has its prices, found {len(decision.actions)}"
            )
        if (decision.of is not None) != isinstance(value, Shown):
            raise ValueError(
                "at_most as a number of things (`5 brands`) where each thing shown has its price, "
                f"and nowhere else, found {decision.of or 'none'}"
            )
        if decision.otherwise is not None and not isinstance(value, Answers):
            raise ValueError(
                f"`otherwise` only where an answer may be handed over, found {decision.otherwise!r}"
            )
        review = isinstance(value, Answers) or getattr(value, "review", None) is not None
        if self.risk == "high" and not review:
            raise ValueError(
                "risk: high needs `review:` in value, because a person decides every case, "
                f"found {'prices that are unknown' if self.has_unknown_prices else 'none'}"
            )


Kind = TypeVar("Kind", bound=Prices | Errors | Shown | Answers)


class Priced(Brief, Generic[Kind]):
    """A brief that outcomes can be valued by: its decision and its prices are there."""

    decision: Action
    value: Kind

    def replace(
        self,
        *,
        decision: Mapping[str, Any] = MappingProxyType({}),
        value: Mapping[str, Any] = MappingProxyType({}),
        **keys: Any,
    ) -> Self:
        """The same brief with these keys of its decision, of its prices and of itself replaced."""
        parts = {
            "decision": self.decision.model_copy(update=dict(decision)),
            "value": self.value.model_copy(update=dict(value)),
        }
        return self.model_copy(update=parts | keys)


def require_kind(brief: Brief, kind: type[Kind], prices: str) -> Priced[Kind]:
    """The brief with its decision and its prices; Fixable where it has none yet, or prices of
    another kind than `prices` says in words. In the place of unknown prices stand even ones, and
    `value.is_known` says that they are nobody's.
    """
    if brief.decision is None or brief.value is None:
        raise Fixable(
            "project-brief.md: expected `decision:` and `value:` (from phase define on), found "
            "none. Next: write down what each action is worth, then uv run dvc repro"
        )
    value = brief.value
    if isinstance(value, UnknownPrices | UnknownErrors):
        value = value.assume_even()
    if not isinstance(value, kind):
        raise Fixable(
            f"project-brief.md: value: expected {prices}, found prices of another kind of problem. "
            f"{NEXT}"
        )
    return Priced[Kind](**dict(brief) | {"value": value})


def parse(text: str, name: str = "project-brief.md") -> tuple[Brief, dict[str, str]]:
    """A brief and its sections (heading to text) from the text of the file `name`; Fixable where
    either has faults.
    """
    before, fence, rest = text.partition("---\n")
    front, end, prose = rest.partition("\n---")
    if before.strip() or not fence or not end:
        fault = "other text first" if before.strip() else "none"
        raise Fixable(
            f"{name}: expected front matter between two lines `---` at the top, found {fault}. "
            f"{NEXT}"
        )
    if len(front) > MOST:
        raise Fixable(
            f"{name}: expected at most {MOST:,} characters of front matter, "
            f"found {len(front):,}. {NEXT}"
        )
    if (length := len(front.splitlines())) > LONGEST:
        raise Fixable(
            f"{name}: expected at most {LONGEST} lines of front matter, found {length}. {NEXT}"
        )
    brief, sections = _parse_front_matter(front, name), parse_sections(prose)
    _require_sections(brief, sections, name)
    if brief.phase not in EARLY and (unsaid := find_unsaid(brief, sections)):
        raise Fixable(
            f"{name}: expected no mark `{UNSAID}` from phase develop on, found it in "
            f"{', '.join(unsaid)} (this brief is in {brief.phase}). {NEXT}"
        )
    return brief, sections


def _parse_front_matter(front: str, name: str) -> Brief:
    try:
        content = yaml(front)
        if not isinstance(content, dict):
            raise Fixable(
                f"{name}: expected keys and values in the front matter, found {shorten(content)}. "
                f"{NEXT}"
            )
        return Brief.model_validate(content)
    except YAMLError as error:
        raise Fixable(
            f"{name}: expected YAML in the front matter, found\n{error}\n{NEXT}"
        ) from None
    except ValidationError as error:
        raise Fixable(f"{explain(name, error, Brief, KINDS)}\n{NEXT}") from None


class Scale(NamedTuple):
    """What a line may say of a metric: whether models can be compared on it, the lowest and the
    highest that it can be, and whether it is made of what units are worth.
    """

    comparable: bool
    lowest: float = -math.inf
    highest: float = math.inf
    needs_prices: bool = False


def require_metrics(
    brief: Brief, scales: Mapping[str, Scale], name: str = "project-brief.md"
) -> None:
    """Stop where a line of the brief names a metric that is not among those in `scales`, compares
    models on one that is not comparable (for which other units count for each model), or sets a
    limit that no model can miss or none can reach; or where it needs prices that are unknown.

    Raises:
        Fixable: as the file `name` has it.
    """
    comparable = {metric for metric, scale in scales.items() if scale.comparable}
    for place, line in brief.lines:
        fits = [metric for metric in scales if not line.compares or metric in comparable]
        if line.metric not in fits:
            *others, last = map(repr, fits)
            compared = " where models are compared" if line.metric in scales else ""
            raise Fixable(
                f"{name}: `{place}.metric`: expected {', '.join(others)} or {last}"
                f"{compared}, found {line.metric!r}{nearest(line.metric, fits)}\n{NEXT}"
            )
        scale = scales[line.metric]
        if scale.needs_prices and brief.has_unknown_prices:
            raise Fixable(
                f"{name}: `{place}.metric`: expected a metric that needs no price, because value "
                f"says currency: {UNKNOWN}, found {line.metric!r}. Next: take this line out until "
                "the prices are known, or write them into `value:`; then uv run dvc repro"
            )
        if line.metric == PRIMARY and isinstance(brief.value, _Money):
            low, high = brief.value.worth
            scale = scale._replace(lowest=1000 * low, highest=1000 * high)
        if fault := find_idle_limit(line, scale):
            raise Fixable(f"{name}: `{place}.{fault}\n{NEXT}")


def find_idle_limit(line: Line, scale: Scale) -> str | None:
    """What is wrong with a limit that no model can miss, or that none can reach, if anything."""
    low, high = scale.lowest, scale.highest
    limits = {key: getattr(line, key) for key in ("at_least", "at_most", "by", "margin")}
    [(key, limit)] = [(key, limit) for key, limit in limits.items() if limit is not None]
    can_tell = {
        "at_least": low < limit <= high,
        "at_most": low <= limit < high,
        "by": limit < high - low,
        "margin": limit < high - low,
    }
    if can_tell[key]:
        return None
    expected = {
        "at_least": f"above {low:,g} and at most {high:,g}",
        "at_most": f"at least {low:,g} and below {high:,g}",
    }.get(key, f"below {high - low:,g}")
    return (
        f"{key}`: expected {expected}, because {line.metric} lies between {low:,g} and {high:,g}, "
        f"found {limit:,g}"
    )


def find_unsaid(brief: Brief, sections: Mapping[str, str]) -> list[str]:
    """The keys and headings under which a draft still marks what only a person can say."""
    keys = {"title": brief.title, "owner": brief.owner or "", "sponsor": brief.sponsor or ""}
    return [name for name, text in {**keys, **sections}.items() if MARKED.search(text)]


def parse_sections(prose: str) -> dict[str, str]:
    """Heading to text for every `## ` section, without its prompts (HTML comments)."""
    parts = re.split(
        r"^## (.+)$", re.sub(r"<!--.*?-->", "", prose, flags=re.DOTALL), flags=re.MULTILINE
    )
    return {
        heading.strip(): text.strip()
        for heading, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def _require_sections(brief: Brief, sections: dict[str, str], name: str) -> None:
    """Stop where a section that the phase asks for is missing or empty, or evidence has no date."""
    phases = get_args(Phase)
    for phase in phases[: phases.index(brief.phase) + 1]:
        for heading in SECTIONS[phase]:
            if not sections.get(heading):
                raise Fixable(
                    f"{name}: expected text under `## {heading}` from phase {phase} on, found none "
                    f"(this brief is in {brief.phase}). {NEXT}"
                )
            if heading == "Evidence" and not DATED.search(sections[heading]):
                raise Fixable(
                    f"{name}: expected dated bullets (`- 2026-05-04: …`) under `## Evidence`, "
                    f"found none. {NEXT}"
                )


def read_project_brief(path: Path) -> tuple[Brief, dict[str, str]]:
    """`parse` the file at `path`, which a person wrote."""
    if not path.exists():
        raise Fixable(f"{path}: expected a project brief, found no file. {NEXT}")
    return parse(read_text(path, NEXT), str(path))


def read_brief(path: Path) -> Brief:
    """The brief of `reports/brief.json`; Fixable where the stage `brief` has to write it anew.

    What an older release wrote is read as well: keys that are no more are left out, and keys that
    came later have their defaults.
    """
    again = "Next: uv run dvc repro --force --single-item brief"
    try:
        return Brief.model_validate(json.loads(path.read_text(encoding="utf-8")), context=WRITTEN)
    except FileNotFoundError:
        raise Fixable(f"{path}: expected to exist, found nothing there. {again}") from None
    except ValidationError as error:
        raise Fixable(f"{explain(str(path), error, Brief, KINDS)}\n{again}") from None
    except ValueError as error:
        raise Fixable(f"{path}: expected JSON, found {error}. {again}") from None


def main(
    argv: list[str] | None = None,
    find_metrics: Callable[[Brief], Mapping[str, Scale]] | None = None,
) -> int:
    """`brief.py [project-brief.md …]`: print what is wrong with each brief and end with 2.

    `find_metrics` gives the metrics that a brief can name, each with what a line may say of it;
    without it a brief may name any.
    """
    faults = []
    for name in (sys.argv[1:] if argv is None else argv) or ["project-brief.md"]:
        try:
            brief, _ = read_project_brief(Path(name))
            if find_metrics is not None:
                require_metrics(brief, find_metrics(brief), name)
        except Fixable as fault:
            faults.append(str(fault))
    print("\n".join(faults), end="\n" if faults else "", file=sys.stderr)
    return 2 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
