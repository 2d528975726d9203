"""Model development: the second section of the ML Test Score, seven items."""

import re

from .finding import UNKNOWN, Evidence, Finding, Proof, weigh
from .reading import as_list, get
from .subject import Subject

SPECIFICATION = (
    r"\b(\w+(Classifier|Regressor)|LogisticRegression|LinearRegression|Ridge|Lasso|SVC|KMeans)\(|"
    r"\bnn\.Module\b|keras\.(Sequential|Model)|LGBM\w*\(|XGB\w*\(|\blgb\.train|\bxgb\.train|"
    r"class \w+\((ClassifierMixin|RegressorMixin|LightningModule)|def candidates\("
)
GATE = r"\bcheck --committed\b|\b(validate|check|gate)[-_]model\b|\bmodel[-_](gate|validation)\b"
"""Commands that judge a model and can say no; a comparison that is only printed is none."""
SIMPLE = (
    r"Dummy(Classifier|Regressor)|\bbaseline\b|def rule\(|LogisticRegression\(|"
    r"LinearRegression\(|naive_forecast|majority_class"
)
SLICES = r"\bslices?\b|\bsegments?\b|subgroup|MetricFrame|by_group|per_group|cohort"
INCLUSION = (
    r"fairlearn|aif360|aequitas|fairness|demographic|equal_opportunity|equalized_odds|"
    r"disparate|inclusion|protected_attr"
)


def reviewed(subject: Subject) -> Finding:
    """Every model specification undergoes a code review and is checked in to a repository."""
    review = subject.cite(".github/rules.json", "required_approving_review_count") or (
        subject.search(
            r"^[^#\s]\S* +@",
            {p: t for p, t in subject.snapshot.files.items() if p.endswith("CODEOWNERS")},
        )
    )
    return weigh(
        subject.search(SPECIFICATION),
        review,
        prove_review(subject),
        next="apply .github/rules.json, then review again with --host: docs/ways-of-working.md",
    )


def prove_review(subject: Subject) -> Proof:
    """Return whether the host asks for an approval before a merge."""
    if subject.host.rules is None:
        return UNKNOWN
    rule = subject.host.find_rule("pull_request")
    count = get(rule, "parameters", "required_approving_review_count") or 0
    note = f"{count} approvals are required"
    return Proof(count > 0, [Evidence(subject.host.sources[0], 0, note)])


def correlate(subject: Subject) -> Finding:
    """Offline proxy metrics correlate with actual online impact metrics."""
    experiment = subject.brief.get("experiment")
    pattern = r"online[_ ](metric|result|impact)|a/b[ _]test|\bab_test|experiment read|uplift_test"
    present = subject.search(pattern, {**subject.code, **subject.documents})
    if isinstance(experiment, dict):
        present = subject.cite("project-brief.md", "experiment:")
    read = subject.find(r"^reports/experiments?[^/]*\.json$|^reports/experiments/.*\.json$")
    reached = read or subject.reach_on("schedule", r"experiment|ab_test")
    paths = [evidence.path for evidence in read[:1]]
    proof = subject.prove(*paths) if paths else Proof(False)
    return weigh(present, reached, proof, next="plan a live experiment in the brief: docs/brief.md")


def tuned(subject: Subject) -> Finding:
    """All hyperparameters have been tuned."""
    pattern = (
        r"GridSearchCV|RandomizedSearchCV|Halving\w*Search|\boptuna\b|\bhyperopt\b|ray\.tune|"
        r"BayesSearchCV|keras_tuner|wandb\.sweep|dvc exp run .*--queue"
    )
    present = subject.search(pattern, {**subject.code, **subject.settings})
    modules = [evidence.path for evidence in present if evidence.path in subject.staged]
    reached = subject.reach(r"dvc (repro|exp run)|check --committed") if modules else []
    reached += subject.reach(rf"\btune\b|{pattern}") + subject.reach_tests(pattern)
    tried = as_list(get(subject.report("reports/training.json"), "candidates"))
    proof = subject.prove("reports/training.json", holds=len(tried) > 1) if tried else UNKNOWN
    return weigh(
        present,
        reached,
        proof,
        next="search them among the candidates of model.py, on validation rows",
    )


def staleness(subject: Subject) -> Finding:
    """The impact of model staleness is known."""
    pattern = (
        r"staleness|\bback[-_]?test|walk[-_ ]forward|TimeSeriesSplit|rolling_origin|model[_ ]age"
    )
    present = subject.search(pattern, {**subject.code, **subject.documents}) or subject.find_tests(
        pattern
    )
    return weigh(
        present,
        subject.reach_tests(pattern) + subject.reach(pattern),
        next=(
            "score the newest rows with models trained until earlier days, and write down the loss"
        ),
    )


def simpler(subject: Subject) -> Finding:
    """A simpler model is not better."""
    present = subject.search(SIMPLE)
    reached = subject.reach_tests(r"\brule\b|baseline|Dummy|simpler") + subject.reach(GATE)
    rule = get(subject.report("reports/training.json"), "rule")
    proof = subject.prove("reports/metrics.json", holds=rule is not None, note="beside the rule")
    return weigh(
        present, reached, proof, next="put the rule, or a linear model, beside it: model.py"
    )


def sliced(subject: Subject) -> Finding:
    """Model quality is sufficient on all important data slices."""
    lines = [*as_list(subject.brief.get("guardrails")), *as_list(subject.brief.get("success"))]
    judging = [line for line in lines if get(line, "where")]
    present = subject.cite("project-brief.md", "where:") if judging else subject.find_tests(SLICES)
    judged = subject.reach_tests(r"recall|precision|accuracy|\bf1|auc\b|rmse|guardrail|metric")
    reached = [test for test in subject.reach_tests(SLICES) if test in judged]
    reached += subject.reach(GATE) if judging else []
    proof = subject.prove("reports/slices.json", "reports/decision.json", holds=bool(judging))
    return weigh(present, reached, proof, next="a guardrail `where: each segment`: docs/brief.md")


def included(subject: Subject) -> Finding:
    """The model has been tested for considerations of inclusion."""
    groups = set(subject.contract.get("SEGMENTS", [])) & set(subject.contract.get("PERSONAL", []))
    lines = [*as_list(subject.brief.get("guardrails")), *as_list(subject.brief.get("success"))]
    judging = [
        line
        for line in lines
        if re.search("each segment|" + "|".join(groups or {"(?!)"}), str(get(line, "where")))
    ]
    tests = subject.reach_tests(INCLUSION)
    if groups and judging:
        name = sorted(groups)[0]
        present = subject.search(rf"\b{name}\b")
        reached = [*subject.reach_tests(SLICES), *tests]
        segments = get(subject.report("reports/slices.json"), "segments") or {}
        proof = subject.prove("reports/slices.json", holds=groups <= set(segments))
    else:
        present = subject.search(INCLUSION) or subject.find_tests(INCLUSION)
        reached, proof = tests, UNKNOWN
    return weigh(
        present,
        reached,
        proof,
        next="a personal column among SEGMENTS and a guardrail on each: docs/brief.md",
    )


CHECKS = (reviewed, correlate, tuned, staleness, simpler, sliced, included)
