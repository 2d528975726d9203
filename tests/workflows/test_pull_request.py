"""What pull-request.yml makes of the pull requests that a team has, executed step by step."""

import re
import shutil
from pathlib import Path

from ..made import UV, call, fixable, passes
from .conftest import FILE, MODEL, Hub, cells, green, red, wheel

BRING, TESTS = "uv run churn bring", 'uv run pytest -m "sample or everything or system"'
CHECK = "uv run churn check --committed"
FAST = 'uv run pytest -m "not everything and not system"'
READY = "Ship: call at most 400 of 5,000 customers every week"
MONEY = r"GBP -?[\d,]+ \(-?[\d,]+ to -?[\d,]+\)"


def test_words_alone_leave_everything_as_it_was(team: Hub) -> None:
    team.branch("docs")
    team.clone.append("README.md", "\nAsk the retention squad.\n")
    completed = team.proposed(team.push("Whom to ask"))
    page = green(completed, "code", "model", "comment")
    assert "| unit |" in cells(completed.jobs["code"].summary, "Tests (failed) · rows · seconds")
    assert READY in page
    assert "Not " not in page.partition("\n")[0]
    assert "No decision, data, dependency or team file differs" in page
    assert "Brief, contract, parameters" not in page
    assert 'what "good" means' not in page
    assert team.comment.read_text() == page
    command = team.comment.with_name("comment.md.call").read_text()
    assert command.startswith("pr comment 1 --body-file comment.md")
    assert completed.jobs["comment"].permissions == {"pull-requests": "write"}


def test_a_better_model_ships_and_the_page_says_what_changed(team: Hub) -> None:
    """For a branch that has the worse one."""
    team.branch("better", of="nearest")
    team.clone.git("checkout", "main", "--", ".")
    completed = team.proposed(team.push("Boosted trees again"), base="nearest")
    page = green(completed, "code", "model", "comment")
    first = page.index(READY)
    assert first < page.index("What changed") < page.index("Success lines and guardrails")
    assert re.search(rf"{MONEY} more per 1,000 customers than the rule, on 2,256", page)
    assert "every week" in cells(page, "What it would be worth")
    changed = cells(page, "What changed")
    assert "| decision | verdict | hold | ship |" in changed
    assert "| decision | challenger | nearest neighbour | gradient boosting |" in changed
    assert re.search(rf"\| decision \| gain per 1,000 \| {MONEY} \| {MONEY} \|", changed)
    assert "src/churn/model.py" in changed
    both = cells(page, "Champion against challenger")
    assert re.search(rf"\| value per 1,000 \| {MONEY} \| {MONEY} \|", both)
    assert "region = east" in cells(page, "The worst slices")
    assert "success line" in cells(page, "Success lines and guardrails")
    assert "guardrail" in cells(page, "Success lines and guardrails")
    assert "| integration |" in cells(page, "Tests (failed) · rows · seconds")
    assert "git checkout better" in cells(page, "How to reproduce")
    assert team.comment.read_text() == page


def test_a_worse_model_is_held_for_a_fork_too(team: Hub) -> None:
    """The same page with ship, from the other side, is the story above."""
    completed = team.proposed("nearest", fork=True)
    page = red(
        completed, "model", CHECK, "NO  decision: Hold: ", "less per 1,000 customers", "Next: "
    )
    head = page.partition("\n# Keep")[0]
    assert head.startswith("# Not to be merged yet\n")
    assert "Hold: call at most 400" in head
    assert page.count("Hold: call at most 400") == 1
    assert "| worst slices | customers |" in cells(page, "What to look at")
    assert "Next: change features.py, model.py or the brief, then uv run dvc repro" in head
    assert "| decision | verdict | ship | hold |" in cells(page, "What changed")
    assert completed.jobs["code"].result == "success"
    assert completed.jobs["comment"].result == "skipped"
    assert not team.comment.exists()


def test_a_broken_contract_stops_in_the_fast_lane(team: Hub) -> None:
    team.branch("contract")
    team.edit(
        "src/churn/contract.py",
        "data_gb = dy.Float64(min=0, max=2000",
        "data_gb = dy.Float64(min=0, max=20",
    )
    completed = team.proposed(team.push("Nobody uses more than 20 GB"))
    page = red(completed, "code", FAST, "FAILED", "every_row_satisfies_the_contract", "data_gb|max")
    assert "failed) · " in page
    assert {completed.jobs[name].result for name in ("model", "comment")} == {"skipped"}


def test_a_stale_lock_is_named_with_the_command_that_mends_it(team: Hub) -> None:
    team.branch("stale")
    team.rewrite("params.yaml", lambda text: text.replace("train:\n  seed: 7", "train:\n  seed: 8"))
    completed = team.proposed(team.push("Another seed"))
    message = "dvc.lock is stale, so nothing here was judged: train: params.yaml."
    fix = "Next: uv run dvc repro, then git commit dvc.lock and reports/ with it"
    page = red(completed, "model", BRING, message, fix)
    assert page.startswith(f"# Not to be merged yet\n\n{message} {fix}\n")
    assert "What follows is what the commit says of itself." in page
    assert completed.jobs["comment"].result == "success"
    assert team.comment.read_text() == page


def test_the_first_pull_request_of_a_repository(team: Hub) -> None:
    """All files come with it, the tests of the whole pipeline among them."""
    git = team.clone.git
    listed = git("ls-tree", "main", "README.md") + "\n"
    tree = call(team.clone.folder, "git", "mktree", stdin=listed).stdout.strip()
    bare = git("commit-tree", tree, "-m", "A name and nothing else")
    whole = git("commit-tree", "main~1^{tree}", "-p", bare, "-m", "From the template")
    git("push", "--quiet", str(team.bare), f"{bare}:refs/heads/empty", f"{whole}:refs/heads/whole")
    completed = team.proposed("whole", base="empty")
    page = green(completed, "code", "model", "comment")
    assert READY in page
    changed = cells(page, "What changed")
    assert "| decision | verdict |  | ship |" in changed
    assert re.search(r"\| dependency \| and \d+ more \|", changed)
    assert "| team file | src/churn/contract.py |  | edited |" in changed
    assert "| system | 3 · 1,800 · " in cells(page, "Tests (failed) · rows · seconds")


def use_library(team: Hub) -> None:
    """A main whose model takes a setting from a library of the company's, and whose storage is open
    to all: what a run brings from there is not yet what comes out there.
    """
    team.edit(".dvc/config", "url = storage", f"url = {team.folder / 'storage'}")
    (team.clone.folder / "vendor").mkdir()
    name = wheel(team.clone.folder / "vendor", "1.0", 0.05)
    team.edit(
        "pyproject.toml", '    "typer>=0.15",\n', '    "typer>=0.15",\n    "house-defaults",\n'
    )
    source = f'{{ path = "vendor/{name}" }}'
    team.clone.append("pyproject.toml", f"\n[tool.uv.sources]\nhouse-defaults = {source}\n")
    team.edit(MODEL, "import numpy as np\n", "import house_defaults\nimport numpy as np\n")
    team.edit(MODEL, "learning_rate=0.05", "learning_rate=house_defaults.LEARNING_RATE")
    passes(team.clone.run("dvc", "repro"))
    passes(team.clone.run("dvc", "push"))
    team.push("Settings that the company agreed on")


def upgrade(team: Hub, version: str, rate: float) -> str:
    """A branch, as a bot makes it: another version in `pyproject.toml` and `uv.lock`."""
    team.branch(f"house-defaults-{version}")
    name = wheel(team.clone.folder / "vendor", version, rate)
    team.edit("pyproject.toml", "house_defaults-1.0-py3-none-any.whl", name)
    passes(call(team.clone.folder, UV, "lock", **team.clone.surroundings()))
    return team.push(f"house-defaults {version}")


def test_an_upgrade_is_green_unless_it_changes_the_answers(moving: Hub) -> None:
    """Neither the lock of the pipeline nor any test of the code can see it: nothing of the team's
    has changed.
    """
    use_library(moving)
    completed = moving.proposed(upgrade(moving, "1.1", 0.05), actor="dependabot[bot]")
    page = green(completed, "code", "model")
    assert "| dependency | house-defaults | 1.0 | 1.1 |" in cells(page, "What changed")
    assert "| decision |" not in page
    moving.clone.git("checkout", "--quiet", "main")
    completed = moving.proposed(upgrade(moving, "2.0", 0.5), actor="dependabot[bot]")
    page = red(
        completed, "model", CHECK, "NO  committed: the commit says: Ship: ",
        "Here it comes out otherwise: ", "Next: uv sync, uv run dvc repro --force, then git commit",
    )  # fmt: skip
    head = page.partition("\n# Keep")[0]
    assert head.startswith("# Not to be merged yet\n\nthe commit says: Ship: ")
    assert "| dependency | house-defaults | 1.0 | 2.0 |" in cells(page, "What changed")
    changed = cells(page, "What changed")
    assert re.search(rf"\| decision \| gain per 1,000 \| {MONEY} \| {MONEY} \|", changed)
    assert completed.jobs["comment"].result == "skipped"


def read_a_table(team: Hub) -> None:
    """Rows as a file that DVC keeps, in place of the simulated business."""
    folder = team.clone.folder
    shutil.copy(folder / "data/raw.parquet", folder / "data/customers.parquet")
    passes(team.clone.run("dvc", "add", "data/customers.parquet"))
    team.edit("params.yaml", "source: src/churn/example.py", "source: data/customers.parquet")
    passes(team.clone.run("dvc", "repro"))
    team.push("Our customers")


def test_data_on_one_machine_is_not_judged_and_nothing_is_promoted_in_a_clone(
    moving: Hub, tmp_path: Path
) -> None:
    read_a_table(moving)
    moving.branch("docs")
    moving.clone.append("README.md", "\nAsk the retention squad.\n")
    completed = moving.proposed(moving.push("Whom to ask"))
    assert completed.jobs["code"].result == "success"
    assert "not judged) · " in completed.jobs["code"].summary
    message = "not judged: the data is on one machine. Here is how to share it: "
    page = red(completed, "model", BRING, message, "uv run dvc push")
    assert page.startswith(f"# Not judged\n\n{message}")
    other = moving.clone.cloned(tmp_path / "other/churn", "--branch", "main")
    fixable(other.run("churn", "promote"), "models/champion", "uv run dvc pull")


KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def test_a_fork_without_the_key_of_storage_is_not_judged_and_a_branch_is(
    moving: Hub, store: dict[str, str]
) -> None:
    read_a_table(moving)
    keys = {name: store[name] for name in KEYS}
    moving.edit("pyproject.toml", '"dvc>=3.60"', '"dvc[s3]>=3.60"')
    moving.edit(
        ".dvc/config", "url = storage", f"url = s3://bucket/fork\n    endpointurl = {store['url']}"
    )
    secrets = "".join(f"          {name}: ${{{{ secrets.{name} }}}}\n" for name in KEYS)
    moving.edit(FILE, f"        run: {BRING}\n", f"        run: {BRING}\n        env:\n{secrets}")
    passes(moving.clone.run("dvc", "push", **keys))
    moving.push("Storage that asks for a key")
    moving.branch("docs")
    moving.clone.append("README.md", "\nAsk the retention squad.\n")
    moving.push("Whom to ask")
    moving.variables["AWS_EC2_METADATA_DISABLED"] = "true"
    moving.secrets.update(keys)
    completed = moving.proposed("docs", fork=True)
    assert completed.jobs["code"].result == "success"
    message = "not judged: data and models could not be brought from storage."
    page = red(
        completed, "model", BRING, message, "a fork has no secrets", "Unable to locate credentials"
    )
    assert page.startswith(f"# Not judged\n\n{message}")
    assert completed.jobs["comment"].result == "skipped"
    completed = moving.proposed("docs")
    page = green(completed, "code", "model", "comment")
    assert completed.jobs["model"].steps["uv run dvc repro --force"].outcome == "skipped"
    assert READY in page
    assert "not judged" not in page
