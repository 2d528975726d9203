"""Features and data: the first section of the ML Test Score, seven items."""

from .finding import Finding, Proof, weigh
from .reading import as_list, get
from .subject import Subject

SCHEMA = (
    r"\bdy\.Schema\b|DataFrameSchema|DataFrameModel|SchemaModel|great_expectations|\bpointblank\b|"
    r"tensorflow_data_validation|\bimport deequ|expect_column_"
)
FEATURES = (
    r"(^|/)((build_|make_)?features?|\w*transform\w*|\w*preprocess\w*|feature_engineering)\.py$"
)
ROUTE = r"^.*\bfeatures?\.py.*$"
VALIDATION = rf"{SCHEMA}|pipeline\.validate\b|validate[-_]data|data[-_]validation|check[-_]data"


def schema(subject: Subject) -> Finding:
    """Feature expectations are captured in a schema."""
    present = subject.search(SCHEMA) + subject.find(r"(^|/)great_expectations/.*\.(json|ya?ml)$")
    present = present or subject.search(SCHEMA, {each.path: each.module for each in subject.tests})
    names = {evidence.path.rpartition("/")[2].removesuffix(".py") for evidence in present}
    tests = subject.select_tests(names, subject.reach_tests(r"contract|schema|expect|valid|break"))
    reached = tests + subject.reach(VALIDATION)
    rows = get(subject.report("reports/data.json"), "rows") or {}
    proof = subject.prove("reports/data.json", note=f"{rows.get('valid')} rows keep it")
    return weigh(present, reached, proof, next="write what a row must look like: docs/your-data.md")


def beneficial(subject: Subject) -> Finding:
    """All features are beneficial."""
    pattern = (
        r"permutation_importance|feature_importances?_?\b|\bshap\b|\bablation|"
        r"leave_one_feature_out|SelectKBest|\bRFE(CV)?\b|drop_column_importance"
    )
    present = subject.search(pattern) or subject.cite(
        "reports/training.json", '"strongest"', "what the strongest features tell alone"
    )
    return weigh(
        present,
        subject.reach_tests(pattern),
        next="a test that leaves each feature out and asks what it is worth",
    )


def cost(subject: Subject) -> Finding:
    """No feature's cost is too much."""
    pattern = (
        r"(cost|price|latency|seconds|memory) (of|per|for) (each |every |a |this )?(feature|"
        r"column)|feature[ _]costs?\b"
    )
    present = subject.search(pattern, {**subject.documents, **subject.code})
    present = present or subject.find_tests(pattern)
    return weigh(
        present,
        subject.reach_tests(pattern),
        next="a decision that says what each source costs (money, delay, upkeep): docs/decisions/",
    )


def requirements(subject: Subject) -> Finding:
    """Features adhere to meta-level requirements."""
    forbidden = (
        r"\bPERSONAL\b|identif|protected_attr|sensitive|forbidden|deny_?list|allow_?list|"
        r"deprecated_feature"
    )
    personal = set(subject.contract.get("PERSONAL", []))
    used = set(as_list(get(subject.report("reports/training.json"), "features")))
    proof = subject.prove(
        "reports/training.json", holds=not personal & used, note="no feature is personal by name"
    )
    return weigh(
        subject.find_tests(forbidden),
        subject.reach_tests(forbidden),
        proof,
        next="a test that names the columns that no model may see: tests/unit/test_features.py",
    )


def privacy(subject: Subject) -> Finding:
    """The data pipeline has appropriate privacy controls."""
    pattern = (
        r"^PERSONAL\b.*= \[.*\w|pseudonymi|anonymi[sz]|\bpresidio\b|differential_privacy|"
        r"hash_pii|\bpii\b"
    )
    columns = as_list(get(subject.report("reports/data.json"), "columns"))
    hides = not any(get(c, "personal") and (get(c, "values") or get(c, "minimum")) for c in columns)
    proof = subject.prove("reports/data.json", holds=hides, note="personal values are not shown")
    reached = subject.reach(r"data[-_]in[-_]git|\bpresidio|check-added-large-files")
    return weigh(
        subject.search(pattern),
        reached,
        proof,
        next=(
            "name the personal columns, PERSONAL in contract.py, and keep data out of git: "
            "docs/hooks.md"
        ),
    )


def quick(subject: Subject) -> Finding:
    """New features can be added quickly."""
    modules = subject.find_modules(FEATURES)
    present = [evidence for path in modules[:1] for evidence in subject.cite(path)]
    tests = subject.select_tests(names_of(modules), subject.reach_tests(""))
    reached = [evidence for evidence in tests if "/unit/" in f"/{evidence.path}"]
    note = next((each for each in subject.search(ROUTE, subject.documents)), None)
    return weigh(
        present,
        reached,
        Proof(None, [note] if note else []),
        next="one module of pure functions with fast unit tests: docs/find-your-way.md",
    )


def tested(subject: Subject) -> Finding:
    """All input feature code is tested."""
    names = names_of(subject.find_modules(FEATURES))
    present = subject.select_tests(names, subject.find_tests(""))
    reached = subject.select_tests(names, subject.reach_tests(""))
    proof = subject.prove_runs(reached)
    return weigh(present, reached, proof, next="a hand-made row for each feature: tests/unit/")


def names_of(paths: list[str]) -> set[str]:
    """Return the names by which modules are imported."""
    return {path.rpartition("/")[2].removesuffix(".py") for path in paths}


CHECKS = (schema, beneficial, cost, requirements, privacy, quick, tested)
