"""Two people at once, and any champion reproduced: the words of docs/two-people.md, run."""

import subprocess
from pathlib import Path

import pytest

from ..made import UV, Completed, passes, surroundings
from .conftest import Shared, blocks
from .test_promoting import AGAINST, another

FEWER = ("src/churn/model.py", "max_iter=150", "max_iter=130")
LARGER = ("src/churn/model.py", "min_samples_leaf=40", "min_samples_leaf=45")


def follow(repository: Shared, lines: list[str]) -> None:
    """Run the lines of a page; only those that say so may stop."""
    for line in lines:
        completed = repository.shell(line)
        if "# stops: " in line:
            assert completed.returncode == 1, (line, completed)
        else:
            assert completed.returncode == 0, (line, completed)


def changed(repository: Shared, edit: tuple[str, str, str], message: str) -> None:
    repository.edit(*edit)
    passes(repository.run("dvc", "repro"))
    repository.commit(message)


def test_two_changes_of_the_model_merge_in_the_words_of_the_page(started: Shared) -> None:
    started.git("switch", "--quiet", "--create", "mine")
    changed(started, FEWER, "Fewer trees")
    mine = started.predictions()["challenger"]
    started.git("switch", "--quiet", "main")
    changed(started, ("src/churn/features.py", "usage_drop=usage_drop()",
                      "usage_drop=usage_drop().clip(0, 1)"), "A rise is no drop")  # fmt: skip
    theirs = started.predictions()["challenger"]
    started.git("switch", "--quiet", "mine")
    follow(started, blocks("two-people.md")["Merge two changes of the model"][:5])
    started.settled()
    assert started.git("log", "-1", "--format=%p").count(" ") == 1
    both = started.predictions()["challenger"]
    assert not both.equals(mine)
    assert not both.equals(theirs)
    decision = started.json("reports/decision.json")
    started.git("switch", "--quiet", "main")
    started.git("merge", "--quiet", "mine")
    passes(started.run("dvc", "repro", "--force"))
    assert started.json("reports/decision.json") == decision
    started.settled()


def test_the_second_of_two_promotions_is_judged_anew_in_the_words_of_the_page(
    promoted: Shared, tmp_path: Path
) -> None:
    promoted.git("clone", "--quiet", "--bare", ".", str(tmp_path / "origin"))
    promoted.git("remote", "add", "origin", str(tmp_path / "origin"))
    promoted.git("fetch", "--quiet")
    promoted.git("branch", "--set-upstream-to", "origin/main")
    passes(promoted.run("dvc", "push"))
    ben = Shared(tmp_path / "ben", promoted.how, promoted.environment)
    promoted.git("clone", "--quiet", str(tmp_path / "origin"), str(ben.folder))
    ben.stores_in(promoted)
    passes(ben.run("dvc", "pull"))
    changed(promoted, FEWER, "Fewer trees")
    changed(ben, LARGER, "Larger leaves")
    for one in (promoted, ben):
        passes(one.run("churn", "promote", *AGAINST), "champion-2: ")
    passes(promoted.shell("git push --follow-tags && uv run dvc push"))
    page = blocks("two-people.md")
    follow(ben, page["Two promotions at once"])
    assert ben.git("rev-parse", "champion-2") == promoted.git("rev-parse", "champion-2")
    in_charge = [
        (one.folder / "models/champion/model.skops").read_bytes() for one in (promoted, ben)
    ]
    assert in_charge[0] == in_charge[1]
    ben.settled()
    passes(ben.run("churn", "promote", *AGAINST), "champion-3: ")
    ben.settled()
    # The first of them gets the second's champion by the end of the page's first part.
    passes(ben.shell("git push --follow-tags && uv run dvc push"))
    promoted.git("pull", "--quiet", "--no-rebase", "--tags")
    follow(promoted, page["Merge two changes of the model"][5:])
    passes(promoted.run("churn", "champion"), "(champion-3)")


@pytest.mark.cold
def test_a_second_run_beside_the_first_is_told_to_wait_and_breaks_nothing(
    started: Shared,
) -> None:
    passes(started.run("dvc", "status"), "up to date")
    words = [UV, "run", "dvc", "repro", "--force", "--single-item", "train"]
    with subprocess.Popen(
        words, cwd=started.folder, text=True, env=surroundings(**started.surroundings()),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as first:  # fmt: skip
        assert first.stdout is not None
        for line in first.stdout:
            if line.startswith("Running stage 'train'"):
                break
        second = started.run("dvc", "repro", "--force", "train")
        assert first.poll() is None, "the first was done before the second had begun"
        first.stdout.read()
    assert first.returncode == 0
    busy(second)
    started.settled()
    passes(started.run("dvc", "repro"), "up to date")


def busy(completed: Completed) -> None:
    assert completed.returncode != 0, completed
    assert "Traceback" not in completed.stderr, completed
    assert "busy" in completed.stderr or "lock" in completed.stderr, completed


@pytest.mark.parametrize("where", ["here", "in another folder"])
def test_any_champion_is_reproduced_by_doing_nothing(
    promoted: Shared, tmp_path: Path, where: str
) -> None:
    passes(promoted.run("dvc", "push"))
    if where == "here":
        another(promoted)
        passes(promoted.run("churn", "promote", *AGAINST), "champion-2: ")
        place, get = promoted, ["dvc", "checkout"]
    else:
        promoted.append("src/churn/features.py", "\n# later\n")
        promoted.commit("Something later on main")
        place, get = promoted.cloned(tmp_path / "elsewhere"), ["dvc", "pull"]
        place.stores_in(promoted)
    place.git("checkout", "--quiet", "champion-1")
    passes(place.run(*get))
    completed = place.run("dvc", "repro")
    passes(completed, "Data and pipelines are up to date.")
    assert "Running stage" not in completed.stdout
    assert place.git("status", "--porcelain") == ""
    passes(place.run("churn", "champion"), "(champion-1) is in charge")
