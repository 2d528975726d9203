"""What each column is for: entity, time, segment, personal, feature or nothing; each with a reason
and how sure it is.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import polars as pl

from ..problem import power, separation
from ..problem.separation import Power
from ..tables.conform import OF_UNITS, OWN
from .columns import FEW, YEARS, Content, count_words, find_form, is_year, write_snake
from .proposal import BY_PERSON, Answers, Column, Doubt, Role

LEAK = 0.99  # as `leak_auc` in params.yaml
STRONG = 0.6  # from which a column that is known afterwards by its name is taken to be
ROWS = 20_000  # are enough to see a column that alone gives the target away
CELLS, FEWEST_ROWS = 200_000, 2_000  # and fewer where there are many columns
MEASURED = 1_000  # columns, above which `train` alone looks for leaks
FEW_MISSING = 0.01  # of an entity, or a time; rows without one go to quarantine
FEWEST_NAMES = 20  # different values of what identifies
FEWEST_TIMES = 10  # different ones, to split rows by
PROXY = 0.9  # AUC from which a column says what a protected one says
PROXY_ROWS = 2_000  # are enough for that
UNIQUE = 0.95  # share of distinct values from which a column names each row
EMPTY = 0.95  # share of missing values from which a column says nothing
SEED = 7
PERSON = re.compile(
    r"^name$|(^|_)((full|first|last|sur|family|given|middle|maiden|user|customer|client|patient"
    r"|contact|employee|vor|nach)_?name|e_?mail\w*|(tele)?phone\w*|mobile|fax|street|address\w*"
    r"|adresse|iban|ssn|passport\w*|birth\w*|dob|geburt\w*|ip(_?addr\w*)?)(_|$)"
)
GROUP = re.compile(
    r"^(age|alter)(_(years|in_years|band|group|range|class))?$|(^|_)(sex|gender|senior\w*|race"
    r"|ethnic\w*|nationality|religion|marital\w*|partner|dependents|disab\w*|pregnan\w*|geschlecht"
    r"|famil(y|ien)_?stat\w*|(customer|client|patient|person|driver|applicant)_age)(_|$)"
)
PLACE = re.compile(
    r"(^|_)(region|country|state|province|city|town|ort|land|island|segment|market|branch|site)$"
)
ID = re.compile(r"(^|_)(id|ids|uuid|guid|pk|rownames?|row_?number|kennung)$|nummer$")
NUMBERED = re.compile(r"(^|_)(nr|no|key|number|code|index|reference|ref)$")
WHO = re.compile(
    r"(^|_)(user|customer|client|kunden?|account|patient|member|subscriber|person|household"
    r"|company|firm|car|vehicle|machine|device|employee|student|player|policy|konto)"
    r"(_?(id|nr|no|number|key|code|nummer))?$"
)
WHEN = re.compile(
    r"date|time|day|week|month|datum|created|stamp|(^|_)(ts|at|on|when)(_|$)|period|quarter"
)
EPOCH = re.compile(r"(^|_)(unix|epoch)")
AFTER = re.compile(
    r"(^|_)(cancel\w*|kuendig\w*|closed|closing|closure|ended|end_date|left|leaving|churn\w*|exit\w*"
    r"|outcome|result|refund\w*|storn\w*|paid_at|resolved|resolution|after\w*|deleted|terminat\w*"
    r"|discharge\w*|charge_?off|recover\w*|settled|final\w*|reason\w*)(_|$)"
)
FORMS = {
    "e-mail addresses": r"^[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}$",
    "telephone numbers": r"^\+?\(?\d[\d\s()/.-]{7,20}\d$",
    "IP addresses": r"^\d{1,3}(\.\d{1,3}){3}$",
    "IBANs": r"^[A-Z]{2}\d{2}[A-Z0-9 ]{11,34}$",
}
Measure = Callable[[pl.Series], Power]


class Look(NamedTuple):
    """What is looked at to say what a column is for."""

    name: str
    snake: str
    content: Content
    rows: int
    distinct: int
    twin: str | None
    """An earlier column that says the same, row by row."""

    power: Power

    @property
    def is_unique(self) -> bool:
        """Whether the column has another value in nearly each row."""
        return self.distinct > max(UNIQUE * self.rows, 20)


class Use(NamedTuple):
    """What a column is for."""

    role: Role
    reason: str
    confidence: float
    also: tuple[Role, ...] = ()
    doubt: Doubt | None = None


def assign_roles(looks: Mapping[str, Look], answers: Answers) -> dict[str, Column]:
    """What each column is for, in their order; what a person said comes first."""
    uses = {name: find_use(look) for name, look in looks.items()}
    choose_one("entity", answers.entity, uses, looks)
    choose_one("time", answers.time, uses, looks)
    uses |= find_proxies(looks, uses, answers)
    return {name: build_column(looks[name], use, answers) for name, use in uses.items()}


def look_at(contents: Mapping[str, Content], target: str, measure: Measure) -> dict[str, Look]:
    """A look at each column but the target."""
    first: dict[tuple[int, int], str] = {}
    looks = {}
    for name, content in contents.items():
        if name == target:
            continue
        values = content.values
        countable = content.is_usable or not values.dtype.is_nested()
        distinct = values.n_unique() if countable and values.dtype != pl.Object else len(values)
        look = Look(name, write_snake(name), content, len(values), distinct, None, Power(None, ""))
        if distinct > 1 and countable and (content.kind == "float" or not look.is_unique):
            pattern = find_pattern(values, distinct)
            twin = first.setdefault(pattern, name)
            look = look._replace(twin=None if twin == name else twin)
        if look.twin is None and is_measurable(look):
            look = look._replace(power=measure(values))
        looks[name] = look
    return looks


def find_pattern(values: pl.Series, distinct: int) -> tuple[int, int]:
    """What two columns have in common of which each says what the other says; two columns of
    numbers that differ in each row, where their order is the same.
    """
    if values.dtype.is_float() and distinct > UNIQUE * values.len():
        return distinct, hash(values.rank("dense").fill_null(0).to_numpy().tobytes())
    rows = values.to_frame("value").with_row_index("row")
    first = rows.select(pl.col("row").first().over("value")).to_series()
    return distinct, hash(first.to_numpy().tobytes())


def is_measurable(look: Look) -> bool:
    """Whether a column could be a feature, or a time that gives the target away."""
    is_named = look.content.kind == "text" and (look.is_unique or look.distinct < 2)
    is_prose = look.content.kind == "text" and not look.content.open
    return look.content.is_usable and look.distinct > 1 and not is_named and not is_prose


def build_measure(values: pl.Series, columns: int) -> Measure:
    """How well the values of a column tell those of the target: a function of the column, measured
    as `train` measures features. Rows without a target are left out.
    """
    present = values.is_not_null()
    y = values.filter(present)
    if columns > MEASURED:
        return lambda column: Power(None, "")
    labels = power.label(y)
    rows = separation.choose_rows(labels, max(min(ROWS, CELLS // columns), FEWEST_ROWS))
    clusters = pl.Series("row", rows).cast(pl.String)
    groups = separation.build_groups(labels, rows, clusters, SEED)
    chosen = y.gather(rows)
    return lambda column: power.measure(column.filter(present).gather(rows), chosen, groups)


def find_use(look: Look) -> Use:
    """What a column is for, by the first of these that knows."""
    for find in FINDERS:
        if use := find(look):
            return use
    return Use("feature", describe_feature(look), 0.9)


def describe_feature(look: Look) -> str:
    """Why a column may tell units apart."""
    content = look.content
    if content.kind == "text":
        return f"{len(content.categories):,} common values, others are one"
    if content.kind == "category":
        return f"{len(content.categories):,} categories"
    return {"int": "a whole number", "float": "a number", "bool": "true or false"}[content.kind]


def find_nothing(look: Look) -> Use | None:
    """A column that says nothing, or nothing that another does not say."""
    missing = look.content.values.null_count() / max(look.rows, 1)
    if missing == 1:
        return Use("ignored", "no value in any row", 1.0)
    if look.distinct <= 1:
        return Use("ignored", "the same in every row", 1.0)
    if missing > EMPTY:
        return Use("ignored", f"missing in {missing:.0%} of rows", 0.8)
    if not look.name.strip():
        return Use("ignored", "has no name", 0.7)
    if look.twin:
        return Use("ignored", f"says the same as `{look.twin}`", 0.95)
    return Use("ignored", "counts the rows", 0.95) if is_counter(look) else None


def is_counter(look: Look) -> bool:
    """Whether the values are 1, 2, 3, … in the order of the rows."""
    values = look.content.values
    if look.content.kind != "int" or not look.is_unique or values.null_count():
        return False
    return values.diff().drop_nulls().n_unique() == 1 and abs(int(values[1] - values[0])) == 1


def find_unusable(look: Look) -> Use | None:
    """What no contract can hold, or in one way only that nobody knows."""
    if not look.content.is_usable:
        return Use("ignored", look.content.remark, 0.9)
    if look.name in OWN:
        return Use("ignored", "a name that the pipeline itself uses: rename it in the source", 1.0)
    if look.content.doubt:
        reason = f"can be read in two ways, {look.content.doubt}"
        return Use("ignored", reason, 0.7, (), "notation")
    return None


def find_person(look: Look) -> Use | None:
    """Who somebody is, or how to reach them: by the name of the column or the form of its texts."""
    content = look.content
    if content.kind == "text":
        sample = content.present.unique(maintain_order=True).head(1000)
        for form, pattern in FORMS.items():
            if float(sample.str.contains(pattern).mean() or 0) > 0.8:  # type: ignore[arg-type]
                return Use("personal", form, 0.9)
    if (
        PERSON.search(look.snake)
        and content.kind in ("text", "category", "date")
        and look.distinct > 8
    ):
        return Use("personal", "by its name, who somebody is", 0.9)
    return None


def find_identifier(look: Look) -> Use | None:
    """What names somebody or something."""
    return name_identifier(look) if can_identify(look) else None


def can_identify(look: Look) -> bool:
    """Whether a column has a value in each row, and many different ones, that are no years."""
    content = look.content
    is_year = content.low == YEARS[0] and content.high == YEARS[1]
    is_complete = content.values.null_count() <= FEW_MISSING * look.rows
    is_name = content.kind in ("text", "int", "category") and look.distinct > FEWEST_NAMES
    return is_name and is_complete and not is_year


def name_identifier(look: Look) -> Use | None:
    """What a column identifies, by its name or by its values."""
    content = look.content
    if WHO.search(look.snake):
        return Use("entity", "by its name, who or what a row is about", 0.8)
    if ID.search(look.snake):
        return Use("entity", "by its name, an identifier", 0.7 if look.is_unique else 0.65)
    if NUMBERED.search(look.snake) and look.is_unique:
        return Use("entity", "by its name a number of something, another in each row", 0.6)
    is_code = content.kind == "text" and look.is_unique and not content.open
    if is_code and count_words(content.values) < 2:
        return Use("entity", "one word, another in each row", 0.6)
    return None


def find_leak(look: Look) -> Use | None:
    """What gives the target away, so that it is probably known only afterwards."""
    auc, tells = look.power
    if auc is None:
        return None
    if auc >= LEAK:
        reason = f"alone gives {tells} away ({auc:.3f} of 1)"
        return Use("ignored", reason, 0.6 if look.is_unique else 0.8, (), "afterwards")
    is_number = look.content.kind in ("int", "float")
    if AFTER.search(look.snake) and not is_number and auc > STRONG:
        reason = f"by its name known only afterwards; tells {tells} ({auc:.2f} of 1)"
        return Use("ignored", reason, 0.6, (), "afterwards")
    return None


def find_time(look: Look) -> Use | None:
    """When something was."""
    if look.content.kind not in ("date", "datetime"):
        return None
    is_named = WHEN.search(look.snake) is not None
    missing = look.content.values.null_count() / look.rows
    words = "a date" if look.content.kind == "date" else "a moment"
    if missing > FEW_MISSING or look.distinct < FEWEST_TIMES:
        what = (
            f"missing in {missing:.0%} of rows" if missing > FEW_MISSING else "too few to split by"
        )
        return Use("ignored", f"{words}, {what}", 0.6, (), "time")
    return Use("time", words, (0.8 if is_named else 0.6) - (0.1 if missing else 0))


def find_time_in_numbers(look: Look) -> Use | None:
    """A number that may say when something was: only a person knows."""
    form = find_form(look.content.values) if look.content.kind == "int" else None
    if form is None or look.distinct < 3:
        return None
    if form == "%Y" and is_year(look.name):
        return Use("feature", "a year, and perhaps when the row was known", 0.6, (), "time")
    if form != "%Y" and (WHEN.search(look.snake) or EPOCH.search(look.snake)):
        words = "seconds since 1970" if form == "%s" else "a date as a number"
        return Use("ignored", f"{words}, and perhaps when the row was known", 0.6, (), "time")
    return None


def find_prose(look: Look) -> Use | None:
    """Text that is no category."""
    if look.content.kind == "text" and not look.content.open:
        return Use("ignored", look.content.remark or "text", 0.7)
    return None


def find_protected(look: Look) -> Use | None:
    """What people must not be treated differently by, unless somebody decides so."""
    if not GROUP.search(look.snake):
        return None
    if look.content.kind in ("category", "bool", "text") and can_be_segment(look.name):
        reason = "a group of people: to judge by, and no feature"
        return Use("segment", reason, 0.7, ("personal",), "protected")
    return Use("personal", "an attribute of a person, and no feature", 0.6, (), "protected")


def can_be_segment(name: str) -> bool:
    """Whether the pipeline does not use the name for itself."""
    return name not in OF_UNITS and not name.startswith(("p_", "_"))


def find_place(look: Look) -> Use | None:
    """A place or a market, by which a model is judged, too."""
    is_group = look.content.kind == "category" and look.distinct <= FEW + 1
    if PLACE.search(look.snake) and is_group and can_be_segment(look.name):
        return Use("segment", "a feature, and a group to judge by", 0.7, ("feature",))
    return None


FINDERS = (
    find_nothing,
    find_unusable,
    find_person,
    find_identifier,
    find_leak,
    find_time,
    find_time_in_numbers,
    find_prose,
    find_protected,
    find_place,
)


def find_proxies(
    looks: Mapping[str, Look], uses: Mapping[str, Use], answers: Answers
) -> dict[str, Use]:
    """The features that say what a protected column says, which the model may not use."""
    proxies: dict[str, Use] = {}
    protected = [n for n, use in uses.items() if use.doubt == "protected" and use.role == "segment"]
    able = [n for n, u in uses.items() if "feature" in (u.role, *u.also) and is_group(looks[n])]
    for name in protected:
        if name in answers.features or looks[name].distinct > FEW:
            continue
        values = looks[name].content.values
        present = values.is_not_null()
        labels = values.filter(present).cast(pl.String)
        rows = separation.choose_rows(labels, PROXY_ROWS)
        clusters = pl.Series("row", rows).cast(pl.String)
        groups = separation.build_groups(labels, rows, clusters, SEED)
        for other in (n for n in able if n not in proxies):
            column = looks[other].content.values.filter(present).gather(rows)
            auc = separation.measure_groups(column, groups).value
            if auc is not None and auc >= PROXY:
                reason = f"says what `{name}` says ({auc:.2f} of 1), and no feature"
                proxies[other] = Use("ignored", reason, 0.6, (), "protected")
    return proxies


def is_group(look: Look) -> bool:
    """Whether a column puts rows into few groups."""
    return look.content.kind in ("category", "bool") or look.distinct <= FEW


def choose_one(
    role: Literal["entity", "time"],
    named: str | None,
    uses: dict[str, Use],
    looks: Mapping[str, Look],
) -> None:
    """Give a role that only one column can have to the one that a person named, or to the surest;
    others that could have it are ignored.
    """
    able = [name for name, use in uses.items() if use.role == role]

    def fitness(name: str) -> tuple[float, bool, int]:
        look = looks[name]
        return uses[name].confidence, not look.is_unique, -look.content.values.null_count()

    best = named or max(able, key=fitness, default=None)
    for name in able:
        if name != best:
            use = uses[name]
            reason = f"{use.reason}; the {role} is `{best}`"
            uses[name] = Use("ignored", reason, min(use.confidence, 0.7), (), role)
    if named:
        uses[named] = Use(role, BY_PERSON, 1.0)


def build_column(look: Look, use: Use, answers: Answers) -> Column:
    """The column with its role; what a person said of it comes first."""
    name, content = look.name, look.content
    if name in answers.ignored:
        use = Use("ignored", BY_PERSON, 1.0)
    elif name in answers.features and use.role in ("segment", "personal"):
        reason = f"{use.reason.removesuffix(', and no feature')}; a feature, as {BY_PERSON}"
        use = Use(use.role, reason, 1.0, (*use.also, "feature"))
    elif name in answers.features:
        use = Use("feature", BY_PERSON, 1.0)
    if name in answers.segments and use.role != "segment":
        also: tuple[Role, ...] = (use.role,) if use.role in ("feature", "personal") else ()
        use = Use("segment", BY_PERSON, 1.0, also)
    return Column(
        name=name, kind=content.kind, role=use.role, reason=use.reason, confidence=use.confidence,
        nullable=content.nullable, low=content.low, high=content.high,
        categories=content.categories, open=content.open, has_nan=content.has_nan, also=use.also,
        doubt=use.doubt,
    )  # fmt: skip
