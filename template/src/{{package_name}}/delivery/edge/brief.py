"""The brief as types, read from `project-brief.md` (prose for people, front matter that decides
what ships) or from `reports/brief.json`, which the stage `brief` writes of it.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Generic, Literal, Self, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from ruamel.yaml.error import YAMLError

from .errors import Fixable
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


class Outcome(_Part):
    """What the business wants to move: a figure, where it stands and where it should go."""

    metric: Text
    today: float
    target: float


class Action(_Part):
    """What is done for one unit, and how often it can be done: at most `at_most` in every `out_of`
    units, or for each unit at most `5 brands`. `otherwise` is what is done where the action is not.

    `units` is what several of them are called: `unit: policy/policies`, or else an s is added.
    """

    unit: Text
    units: str = ""
    action: Text | list[Text]
    otherwise: Text | None = None
    at_most: int | None = Field(default=None, ge=1)
    of: Text | None = None
    out_of: int | None = Field(default=None, ge=1)
    every: Text | None = None

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
                f"at_most is a number of {self.of} for each {self.unit}, without out_of"
            )
        if self.of is None and (self.at_most is None) != (self.out_of is None):
            raise ValueError("at_most and out_of belong together: how many of how many")
        if self.at_most is not None and self.out_of is not None and self.at_most > self.out_of:
            raise ValueError(f"at_most is at most out_of ({self.out_of})")
        return self


def _name_classes(prices: Any) -> Any:
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
    def _gather_actions(cls, content: Any) -> Any:
        if not isinstance(content, dict) or "actions" in content:
            return content
        fixed = {key: content[key] for key in ("currency", "review") if key in content}
        actions = {key: _name_classes(content[key]) for key in content if key not in fixed}
        return fixed | {"actions": actions}

    @model_validator(mode="after")
    def _require_same_classes(self) -> "Prices":
        classes_of_each = [set(prices) for prices in self.actions.values()]
        if any(classes != classes_of_each[0] for classes in classes_of_each):
            raise ValueError("every action needs a price for the same classes")
        if not any(price > 0 for prices in self.actions.values() for price in prices.values()):
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
    def _gather_events(cls, content: Any) -> Any:
        if not isinstance(content, dict) or "events" in content:
            return content
        fixed = {key: content[key] for key in ("currency", "shown", "noticed") if key in content}
        return fixed | {"events": {key: content[key] for key in content if key not in fixed}}


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
    keys = value if isinstance(value, dict) else vars(value) if isinstance(value, _Part) else {}
    if any(str(key).startswith("per_unit") for key in keys):
        return "errors"
    if "shown" in keys and not isinstance(keys["shown"], dict):
        return "shown"
    has_answers = "handed_over" in keys and not isinstance(keys["handed_over"], dict)
    return "answers" if has_answers else "prices"


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

    @property
    def compares(self) -> bool:
        """Whether the line speaks of challenger and champion, rather than of the challenger."""
        return self.beats is not None or self.not_below is not None

    @model_validator(mode="after")
    def _require_one_form(self) -> "Line":
        forms = (self.at_least, self.at_most, self.beats, self.not_below)
        if sum(form is not None for form in forms) != 1:
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
    decision: Action | None = None
    value: Value | None = None
    success: list[Line] = []
    guardrails: list[Line] = []
    experiment: Text | None = None
    risk: Literal["low", "medium", "high"] = "medium"
    review_by: date | None = None

    @property
    def review(self) -> float | None:
        """What it costs that a person finds the truth; None where the prices name no review."""
        return self.value.review if isinstance(self.value, _Reviewed) else None

    @model_validator(mode="after")
    def _require_consistency(self) -> "Brief":
        self._require_keys()
        if self.decision and self.value:
            self._require_prices(self.decision, self.value)
        return self

    def _require_keys(self) -> None:
        """Refuse a brief without a key that its phase asks for."""
        phases = get_args(Phase)
        for phase in phases[: phases.index(self.phase) + 1]:
            for key in KEYS[phase]:
                if not getattr(self, key):
                    raise ValueError(
                        f"`{key}:` from phase {phase} on (this brief is in {self.phase})"
                    )

    def _require_prices(self, decision: Action, value: Value) -> None:
        """Refuse a decision that its prices do not know."""
        if isinstance(value, Prices) and set(decision.actions) != set(value.actions):
            raise ValueError(
                f"a price for each action: decision.action names "
                f"{', '.join(sorted(decision.actions))}, "
                f"value names {', '.join(sorted(value.actions))}"
            )
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
    another kind than `prices` says in words.
    """
    if brief.decision is None or brief.value is None:
        raise Fixable(
            "project-brief.md: expected `decision:` and `value:` (from phase define on), found "
            "none. Next: write down what each action is worth, then uv run dvc repro"
        )
    if not isinstance(brief.value, kind):
        raise Fixable(
            f"project-brief.md: value: expected {prices}, found prices of another kind of problem. "
            f"{NEXT}"
        )
    return Priced[Kind](**dict(brief))


def parse(text: str, name: str = "project-brief.md") -> tuple[Brief, dict[str, str]]:
    """A brief and its sections (heading to text) from the text of the file `name`; Fixable where
    either has faults.
    """
    before, fence, rest = text.partition("---\n")
    front, end, prose = rest.partition("\n---")
    if before.strip() or not fence or not end:
        raise Fixable(f"{name}: expected front matter between two lines `---` at the top. {NEXT}")
    if (length := len(front.splitlines())) > LONGEST:
        raise Fixable(
            f"{name}: expected at most {LONGEST} lines of front matter, found {length}. {NEXT}"
        )
    brief, sections = _parse_front_matter(front, name), parse_sections(prose)
    _require_sections(brief, sections, name)
    return brief, sections


def _parse_front_matter(front: str, name: str) -> Brief:
    try:
        content = yaml(front)
        if not isinstance(content, dict):
            raise Fixable(f"{name}: expected keys and values in the front matter. {NEXT}")
        return Brief(**content)
    except YAMLError as error:
        raise Fixable(
            f"{name}: expected YAML in the front matter, found\n{error}\n{NEXT}"
        ) from None
    except ValidationError as error:
        raise Fixable(f"{explain(name, error, Brief, KINDS)}\n{NEXT}") from None


def require_metrics(
    brief: Brief, comparable: Mapping[str, bool], name: str = "project-brief.md"
) -> None:
    """Stop where a line of the brief names a metric that is not among those in `comparable`, or
    compares models on one that is not comparable: for which other units count for each model.

    Raises:
        Fixable: as the file `name` has it.
    """
    for key, lines in (("success", brief.success), ("guardrails", brief.guardrails)):
        for number, line in enumerate(lines):
            fits = comparable
            if line.compares:
                fits = {metric: True for metric, same in comparable.items() if same}
            if line.metric not in fits:
                *others, last = map(repr, fits)
                compared = " where models are compared" if line.metric in comparable else ""
                raise Fixable(
                    f"{name}: `{key}.{number}.metric`: expected {', '.join(others)} or {last}"
                    f"{compared}, found {line.metric!r}{nearest(line.metric, fits)}\n{NEXT}"
                )


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
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise Fixable(f"{path}: expected a project brief, found no file. {NEXT}") from None
    except UnicodeDecodeError:
        raise Fixable(f"{path}: expected UTF-8 text. {NEXT}") from None


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
    find_metrics: Callable[[Brief], Mapping[str, bool]] | None = None,
) -> int:
    """`brief.py [project-brief.md …]`: print what is wrong with each brief and end with 2.

    `find_metrics` gives the metrics that a brief can name, each with whether models can be compared
    on it; without it a brief may name any.
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
