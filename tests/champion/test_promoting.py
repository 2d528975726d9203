"""`promote`, `rollback`, `champion`: who may change the model in charge, and what is left."""

import re
import shutil
import sqlite3
from pathlib import Path

from ..conftest import Render, tracking
from ..made import UV, call, fixable, passes, says_no
from .conftest import Shared, blocks
from .test_killed import kill_at

AGAINST = ("--because", "it is asked for", "--name", "A. Person")


def another(repository: Shared) -> None:
    """Another challenger, of the same worth, committed with its reports."""
    repository.edit("src/churn/model.py", "max_iter=150", "max_iter=140")
    passes(repository.run("dvc", "repro"))
    repository.commit("Fewer trees")


def alias(repository: Shared) -> str | None:
    """What MLflow's alias `champion` stands for."""
    with sqlite3.connect(repository.folder / "mlflow.db") as database:
        rows = database.execute(
            "select value from registered_model_aliases a join model_version_tags t"
            " on t.name = a.name and t.version = a.version and t.key = 'champion'"
            " where a.alias = 'champion'"
        ).fetchall()
    return str(rows[0][0]) if rows else None


def test_the_first_promotion_leaves_a_settled_tree_a_tag_and_a_record(undisturbed: Shared) -> None:
    undisturbed.settled()
    assert undisturbed.git("log", "-1", "--format=%s", "champion-1").startswith("champion-1: ")
    assert undisturbed.git("rev-parse", "champion-1^{}") == undisturbed.git("rev-parse", "HEAD")
    assert undisturbed.git("cat-file", "-t", "champion-1") == "tag"
    changed = set(undisturbed.git("show", "--name-only", "--format=", "HEAD").split())
    reports = {name for name in changed if name.startswith("reports/")}
    assert reports
    assert changed - reports == {"models/champion.dvc", "dvc.lock", "docs/releases.md"}
    started = undisturbed.git("show", "HEAD^:reports/decision.json")
    sentence = re.findall(r'"sentence": "(.+)"', started)[0]
    record = (undisturbed.folder / "docs/releases.md").read_text()
    looks = "1 challenger was judged on these test rows; were it just as good as the champion, "
    for words in ("## ", "gradient boosting takes charge from rule", sentence, "Who: Test", looks):
        assert words in record, record
    assert undisturbed.json("models/champion/promotion.json")["looks"].startswith(looks)
    pointer = (undisturbed.folder / "models/champion.dvc").read_text()
    assert re.findall(r"Model: (\S+)", record)[0] in pointer
    assert record.count("GBP per 1,000 customers, n = ") == 1
    card = undisturbed.json("models/champion/card.json")
    assert f"test {card['rows']['test'][:12]}" in record
    for name in ("card.json", "model.skops", "canaries.parquet"):
        folders = [undisturbed.folder / f"models/{which}" for which in ("champion", "challenger")]
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()
    completed = undisturbed.run("churn", "champion")
    passes(completed, "gradient boosting (champion-1) is in charge", "Promoted by Test", sentence)


def test_before_it_the_rule_is_in_charge(started: Shared) -> None:
    passes(started.run("churn", "champion"), "The rule is in charge", "Nothing was promoted yet.")
    fixable(started.run("churn", "rollback"), "found the rule, which is first")
    assert started.compared_by() == 2


def test_promote_refuses_elsewhere_than_on_main_with_changes_or_with_stale_reports(
    started: Shared,
) -> None:
    before = started.state()
    started.git("switch", "--quiet", "--create", "mine")
    fixable(started.run("churn", "promote"), "found mine", "Next: git switch main")
    started.git("checkout", "--quiet", "--detach")
    fixable(started.run("churn", "promote"), "a detached HEAD")
    started.git("switch", "--quiet", "main")
    (started.folder / "notes.txt").touch()
    fixable(started.run("churn", "promote"), "expected everything committed", "?? notes.txt")
    (started.folder / "notes.txt").unlink()
    started.append("src/churn/features.py", "\n# nothing new\n")
    fixable(started.run("churn", "promote"), "M src/churn/features.py", "Next: git commit")
    assert started.state() == before
    started.commit("A comment")
    fixable(started.run("churn", "promote"), "train", "out of date", "Next: uv run dvc repro")
    assert started.git("tag") == ""
    # The same from a folder below; the rule of exit codes holds there as well.
    below = call(started.folder / "docs", UV, "run", "churn", "promote", **started.surroundings())
    fixable(below, "Next: uv run dvc repro")


def test_only_ship_goes_through_and_an_override_stays_on_record(promoted: Shared) -> None:
    fixable(promoted.run("churn", "promote"), "in charge already, as champion-1")
    another(promoted)
    verdict = promoted.json("reports/decision.json")["verdict"]
    sentence = promoted.json("reports/decision.json")["sentence"]
    assert verdict == "refresh"
    before = promoted.state()
    completed = promoted.run("churn", "promote")
    says_no(
        completed, sentence, "The verdict is refresh, so nothing was promoted", "promote --refresh"
    )
    assert completed.stderr == ""
    fixable(promoted.run("churn", "promote", *AGAINST[:2]), 'add --name "Your Name"')
    assert promoted.state() == before
    passes(promoted.run("churn", "promote", "--refresh"), "champion-2: ")
    record = (promoted.folder / "docs/releases.md").read_text().partition("champion-2: ")[2]
    assert "Verdict: refresh." in record
    assert "Why: a refresh was asked for" in record
    promoted.settled()


def test_a_verdict_of_hold_needs_a_reason_and_a_name(started: Shared) -> None:
    started.edit(
        "project-brief.md", "{metric: recall, at_least: 0.20}", "{metric: recall, at_least: 0.90}"
    )
    passes(started.run("dvc", "repro"))
    started.commit("Nine of ten")
    override = 'To override, with a recorded reason: uv run churn promote --because "…" --name "…"'
    says_no(started.run("churn", "promote"), "The verdict is hold", override)
    says_no(started.run("churn", "promote", "--refresh"), "The verdict is hold")
    started.settled()
    passes(started.run("churn", "promote", *AGAINST), "champion-1: ")
    record = (started.folder / "docs/releases.md").read_text()
    for words in ("Verdict: hold. Hold: ", "Why: it is asked for", "Who: A. Person"):
        assert words in record, record
    passes(started.run("churn", "champion"), "Promoted by A. Person, because it is asked for.")
    started.settled()


def test_rollback_goes_back_one_by_one_to_the_rule_and_promotion_starts_anew(
    promoted: Shared,
) -> None:
    pointer = promoted.folder / "models/champion.dvc"
    pointers = {"champion-1": pointer.read_text()}
    pointers["the rule"] = promoted.git("show", "HEAD^:models/champion.dvc") + "\n"
    another(promoted)
    passes(promoted.run("churn", "promote", *AGAINST), "champion-2: ")
    for number, (left, now) in enumerate(
        [("champion-2", "champion-1"), ("champion-1", "the rule")], start=1
    ):
        completed = promoted.run(
            "churn", "rollback", "--because", f"of {left}", "--name", "B. Person"
        )
        passes(completed, f"rollback-{number}: {left} gives way to {now}.")
        assert pointer.read_text() == pointers[now]
        promoted.settled()
        tag = promoted.git("rev-parse", f"rollback-{number}^{{}}")
        assert tag == promoted.git("rev-parse", "HEAD")
        record = (promoted.folder / "docs/releases.md").read_text()
        last = record.rpartition("\n## ")[2]
        for words in (f"{left} is no longer in charge", f"Why: of {left}", "Who: B. Person"):
            assert words in last, last
        passes(promoted.run("churn", "champion"), f"{left} gives way to {now}")
    fixable(promoted.run("churn", "rollback"), "found the rule, which is first")
    assert promoted.json("reports/decision.json")["verdict"] == "ship"
    passes(promoted.run("churn", "promote"), "champion-3: gradient boosting takes charge from rule")


def test_a_shallow_clone_without_that_part_of_the_storage_can_go_back_to_the_rule(
    promoted: Shared, tmp_path: Path
) -> None:
    passes(promoted.run("dvc", "push"))
    shallow = promoted.cloned(tmp_path / "shallow", "--depth", "1", "--no-tags")
    shallow.stores_in(promoted)
    passes(shallow.run("dvc", "pull"))
    passes(shallow.run("churn", "rollback"), "rollback-1: champion-1 gives way to the rule")
    assert shallow.git("status", "--porcelain") == ""
    passes(shallow.run("churn", "champion"), "The rule is in charge")
    # The record counts where the tags are missing: there has been a champion-1.
    passes(shallow.run("churn", "promote"), "champion-2: ")


def test_a_note_that_git_hides_stops_it_and_commit_and_tag_are_signed_where_the_team_signs(
    started: Shared, tmp_path: Path
) -> None:
    started.git("config", "status.showUntrackedFiles", "no")
    note = started.folder / "note.md"
    note.write_text("Mine.\n")
    fixable(started.run("churn", "promote"), "expected everything committed, found\n?? note.md")
    note.unlink()
    key = str(tmp_path / "key")
    assert call(tmp_path, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).returncode == 0
    settings = {"gpg.format": "ssh", "user.signingKey": key}
    for name, value in (settings | {"commit.gpgSign": "true", "tag.gpgSign": "true"}).items():
        started.git("config", name, value)
    passes(started.run("churn", "promote"), "champion-1: ")
    for kind, name in (("commit", "HEAD"), ("tag", "champion-1")):
        assert "BEGIN SSH SIGNATURE" in started.git("cat-file", kind, name)


def with_mlflow(repository: Shared, render: Render) -> None:
    """Put back the stage that the others do without."""
    stage = tracking((render("churn") / "dvc.yaml").read_text(encoding="utf-8"))
    repository.edit("dvc.yaml", "\n# Stages of your own", f"{stage}\n# Stages of your own")
    passes(repository.run("dvc", "repro"), "tage 'track'")
    repository.commit("MLflow, too")


def test_neither_needs_a_network_and_a_dead_mlflow_holds_up_nothing(
    started: Shared, render: Render, nobody: str
) -> None:
    with_mlflow(started, render)
    dead = f"http://{nobody}"
    offline = {f"{name}_proxy": dead for name in ("http", "https", "all")}
    offline |= {"UV_OFFLINE": "1", "MLFLOW_TRACKING_URI": dead}
    completed = started.run("churn", "promote", **offline)
    fixable(
        completed,
        "The champion has changed here; MLflow could not be updated",
        "registry params.yaml",
    )
    assert started.git("tag") == "champion-1"
    assert started.git("status", "--porcelain") == ""
    completed = started.run("churn", "rollback", **offline)
    fixable(completed, "MLflow could not be updated")
    assert started.git("status", "--porcelain") == ""
    passes(started.run("churn", "champion"), "rollback-1: champion-1 gives way to the rule")
    words = re.findall(r"uv run (python -m .+)", completed.stderr)[-1].split()
    passes(started.run(*words))
    assert alias(started) is None
    passes(started.run("dvc", "repro"), "tage 'track'")
    kill_at(started, "promote", "registry")
    passes(started.run("churn", "promote"), "Finishing what was begun: champion-2")
    assert alias(started) == "champion-2"


def test_what_fails_on_the_way_is_undone_at_once(started: Shared) -> None:
    before = started.state()
    hook = started.folder / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\necho the hook says no >&2\nexit 1\n")
    hook.chmod(0o755)
    fixable(started.run("churn", "promote"), "the hook says no", "It was undone")
    hook.unlink()
    assert started.state() == before
    assert not (started.folder / "docs/releases.md").exists()
    started.settled()


def test_the_page_says_what_the_commands_do(started: Shared, tmp_path: Path) -> None:
    """Every command of docs/champion.md, in the order of the page."""
    shutil.copy(started.folder / "data/test.parquet", tmp_path / "rows.parquet")
    page = blocks("champion.md")
    passes(started.run("python", "-c", "import polars as p; p.read_parquet('data/test.parquet')"
                       ".drop('row').write_csv('customers.csv')"))  # fmt: skip
    (started.folder / ".git/info/exclude").write_text("customers.csv\nscores.parquet\n")
    started.git("init", "--quiet", "--bare", str(tmp_path / "origin"))
    started.git("remote", "add", "origin", str(tmp_path / "origin"))
    started.git("push", "--quiet", "--set-upstream", "origin", "main")
    refresh, override = page["Promote"][3:5]
    assert "--refresh" in refresh
    for line in [*page["Promote"][:3], *page["Look"], *page["Promote"][5:], *page["Reproduce"]]:
        passes(started.shell(line))
    another(started)
    passes(started.shell(override), "champion-2: ")
    passes(started.shell(page["Roll back"][0]), "rollback-1: champion-2 gives way to champion-1")
    passes(started.shell(refresh), "champion-3: ")
