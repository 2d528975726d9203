"""The decision as `reports/decision.json` holds it: its types, written and read here alone."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ..edge.errors import Fixable
from ..edge.explain import explain
from ..edge.files import parse_json, require_file, write_json
from ..statistics.interval import Interval

DECISION = Path("reports/decision.json")
AGAIN = "uv run dvc repro --force --single-item decide"
Verdict = Literal["ship", "refresh", "unclear", "hold"]
State = Literal["holds", "unclear", "violated", "too few"]
Standing = Literal[
    "no prices",
    "too few",
    "same",
    "better",
    "no worse",
    "open",
    "slightly worse",
    "worse",
    "much worse",
]


class _Written(BaseModel):
    """What a stage of this release or of an older one wrote; keys that are no more are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class SliceResult(_Written):
    """What the data say of one line in one slice (`region = east`), or in `all` units."""

    slice: str
    n: int
    positives: int
    estimate: float | None
    lower: float | None
    upper: float | None
    state: State

    @property
    def interval(self) -> Interval:
        """The metric of the line in this slice."""
        return Interval(self.estimate, self.lower, self.upper)


class Judgement(_Written):
    """One line of the brief, in words, with what the data say of it: the limit that decides, its
    state, and every slice. Of a line over each segment, `covered` is the share of the positives
    that slices with enough of them hold (of the segment in which it is least).
    """

    line: str
    limit: float
    state: State
    slices: tuple[SliceResult, ...]
    metric: str
    beats: Literal["champion"] | None = None
    covered: float | None = None

    @property
    def is_overall(self) -> bool:
        """Whether the line speaks of all units together."""
        return [part.slice for part in self.slices] == ["all"]

    @property
    def is_judged(self) -> bool:
        """Whether slices hold enough units to tell."""
        return self.state != "too few"

    @property
    def open_slices(self) -> tuple[SliceResult, ...]:
        """The slices that are not shown to hold, those that can be judged first."""
        return tuple(
            part
            for state in ("violated", "unclear", "too few")
            for part in self.slices
            if part.state == state
        )


class Gain(_Written):
    """What the challenger would be worth more than the champion, in `unit`, on `n` units."""

    estimate: float | None
    lower: float | None
    upper: float | None
    unit: str
    n: int

    @property
    def interval(self) -> Interval:
        """The gain as an interval."""
        return Interval(self.estimate, self.lower, self.upper)


class Decision(_Written):
    """The verdict on the challenger in one word and in a sentence, and what it rests on."""

    verdict: Verdict
    sentence: str
    gain: Gain
    margin: float = 0.0
    worth_detecting: float | None = None
    needed: int | None = None
    lines: tuple[Judgement, ...] = ()
    guardrails: tuple[Judgement, ...] = ()
    reasons: tuple[str, ...] = ()
    compared_by: int | None = None
    champion: str
    challenger: str


def find_standing(gain: Interval, margin: float) -> Standing:
    """Where the whole interval of a gain lies: above zero (better), above minus the margin (no
    worse; slightly worse, where it is below zero), below zero (worse), below minus the margin (much
    worse), or none of these (open). A gain that is not defined is one without prices.
    """
    if gain.lower is None or gain.upper is None:
        return "no prices" if gain.estimate is None else "too few"
    if gain.lower == gain.upper == 0:
        return "same"
    if gain.lower > 0:
        return "better"
    if gain.upper < -margin:
        return "much worse"
    if gain.lower > -margin:
        return "slightly worse" if gain.upper < 0 else "no worse"
    return "worse" if gain.upper < 0 else "open"


def is_simulated(source: str) -> bool:
    """Whether the rows are those of the simulated business, and not a team's own."""
    return Path(source).name == "example.py"


def write_decision(decision: Decision, path: Path) -> None:
    """Write `reports/decision.json`."""
    write_json(decision.model_dump(), path)


def read_decision(path: Path = DECISION) -> Decision:
    """Read `reports/decision.json`; Fixable where it is not there or cannot be understood."""
    return parse_decision(require_file(path, made_by=AGAIN).read_bytes(), str(path))


def parse_decision(text: str | bytes, name: str) -> Decision:
    """A decision from the text of the file `name`: this one, or one of an earlier commit."""
    try:
        return Decision.model_validate(parse_json(text, name, made_by=AGAIN))
    except ValidationError as error:
        raise Fixable(f"{explain(name, error, Decision)}\nNext: {AGAIN}") from None
