"""`promote`, `rollback`, `champion`: which model is in charge, and how that changes.

A change is one commit on main: the pointer `models/champion.dvc`, the reports that follow from it,
and a paragraph in `docs/releases.md`; a promotion also has the tag `champion-N`. It is whole or it
is not there: the next call undoes what was not committed, and finishes what was.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .pipeline import champion as in_charge
from .pipeline.errors import Mendable, Refused
from .pipeline.files import read_json, replaced, write_json

CHAMPION, CHALLENGER = Path("models/champion"), Path("models/challenger")
POINTER = "models/champion.dvc"
RECORD = Path("docs/releases.md")
JOURNAL = Path(".dvc/tmp/promotion.json")  # what a killed call was doing; git ignores the folder
PACKAGE = __name__.partition(".")[0]
Change = dict[str, Any]


def promote(*, refresh: bool, because: str | None, name: str | None) -> int:
    """Put the challenger in charge, if the verdict allows it, and record why."""
    resume()
    told = read_json(Path("reports/decision.json"))
    ready(told["verdict"], refresh=refresh, because=because, name=name)
    number = len(git("tag", "--list", "champion-*").split()) + 1
    change: Change = {
        "tag": f"champion-{number}",
        "title": f"champion-{number}: {told['challenger']} takes charge from {told['champion']}",
        "verdict": told["verdict"],
        "sentence": told["sentence"],
        "gain": told["gain"],
        "because": because or ("a refresh was asked for" if refresh else "it is worth more"),
        "by": name or who(),
        "date": datetime.now(UTC).date().isoformat(),
        "data": read_json(CHALLENGER / "card.json")["rows"],
    }
    return carry_out(change, lambda: copy_challenger(change))


def rollback(*, because: str | None, name: str | None) -> int:
    """Put back in charge what was there before the present champion."""
    resume()
    clean()
    tag = in_charge.tag(CHAMPION)
    if tag is None:
        raise Mendable("models/champion: expected a promoted model, found the rule, which is first")
    before = git("show", f"{tag}^:./{POINTER}")
    number = len(git("tag", "--list", "rollback-*").split()) + 1
    change: Change = {
        "tag": f"rollback-{number}",
        "title": f"rollback-{number}: {tag} gives way to what was in charge before it",
        "verdict": "roll back",
        "sentence": f"{tag} is no longer in charge.",
        "gain": None,
        "because": because or "it was asked for",
        "by": name or who(),
        "date": datetime.now(UTC).date().isoformat(),
        "data": {},
    }
    return carry_out(change, lambda: restore_pointer(before))


def ready(verdict: str, *, refresh: bool, because: str | None, name: str | None) -> None:
    """Stop where a promotion is not allowed: elsewhere than main, unsettled, or against the
    verdict.
    """
    branch = git("branch", "--show-current").strip()
    if branch != "main":
        raise Mendable(
            f"git: expected the branch main, found {branch or 'a detached HEAD'}. "
            "Next: git switch main"
        )
    clean()
    if "up to date" not in dvc("status"):
        raise Mendable(
            "dvc status: expected reports of these files, found others. Next: uv run dvc repro"
        )
    allowed = verdict == "ship" or (verdict == "refresh" and refresh)
    if allowed or (because and name):
        return
    if because:
        raise Mendable(
            'promote --because: expected a name, found none. Next: add --name "Your Name"'
        )
    way = "promote --refresh" if verdict == "refresh" else 'promote --because "…" --name "…"'
    sentence = read_json(Path("reports/decision.json"))["sentence"]
    raise Refused(
        f"{sentence}\nThe verdict is {verdict}, so nothing was promoted. "
        f"If it has to be, on record: uv run {PACKAGE} {way}"
    )


def who() -> str:
    """The name under which git commits here."""
    return git("var", "GIT_AUTHOR_IDENT").partition(" <")[0]


def clean() -> None:
    """Stop where git has changes that are not committed."""
    if changes := git("status", "--porcelain", "--", ".").strip():
        raise Mendable(
            f"git: expected everything committed, found\n{changes}\nNext: git commit, or git stash"
        )


def carry_out(change: Change, move: Callable[[], None]) -> int:
    """Move the pointer, let everything that follows settle, record, commit, tag, register."""
    write_json({"before": git("rev-parse", "HEAD").strip(), "change": change}, JOURNAL)
    step("champion", move)
    step("pipeline", lambda: dvc("repro"))
    step("record", lambda: record(change))
    step("commit", lambda: commit(change))
    finish(change)
    return 0


def copy_challenger(change: Change) -> None:
    """The challenger's folder, with its predictions and the promotion, becomes the champion's."""
    part = CHAMPION.with_name(".champion.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(CHALLENGER, part)
    shutil.copy(Path("data/predictions/challenger.parquet"), part / "predictions.parquet")
    write_json(change, part / "promotion.json")
    shutil.rmtree(CHAMPION)
    part.replace(CHAMPION)
    dvc("add", "--quiet", str(CHAMPION))


def restore_pointer(pointer: str) -> None:
    """Bring back the folder that an earlier pointer names."""
    with replaced(Path(POINTER)) as part:
        part.write_text(pointer, encoding="utf-8")
    if call(["dvc", "checkout", "--quiet", POINTER], check=False).returncode:
        dvc("pull", "--quiet", POINTER)


def record(change: Change) -> None:
    """Append the change to `docs/releases.md`, for people."""
    gain = change["gain"]
    facts = {
        "Verdict": f"{change['verdict']}. {change['sentence']}",
        "Why": change["because"],
        "Who": change["by"],
        "Gain": gain
        and f"{gain['estimate']:,.0f} ({told(gain)}) {gain['unit']}, n = {gain['n']:,}",
        "Data": ", ".join(f"{part} {digest[:12]}" for part, digest in change["data"].items()),
        "Model": pointer_hash(),
    }
    lines = [f"- {name}: {fact}" for name, fact in facts.items() if fact]
    whole = (
        RECORD.read_text(encoding="utf-8")
        if RECORD.exists()
        else "# Releases\n\nWhich model took charge when, and why; newest last.\n"
    )
    whole += f"\n## {change['date']} {change['title']}\n\n" + "\n".join(lines) + "\n"
    with replaced(RECORD) as part:
        part.write_text(whole, encoding="utf-8")


def told(gain: dict[str, Any]) -> str:
    """The bounds of a gain in words."""
    return (
        "too few to tell"
        if gain["lower"] is None
        else f"{gain['lower']:,.0f} to {gain['upper']:,.0f}"
    )


def pointer_hash() -> str:
    """The hash by which DVC knows the champion's folder."""
    lines = Path(POINTER).read_text(encoding="utf-8").splitlines()
    return next(line.split("md5:")[1].strip() for line in lines if "md5:" in line)


def commit(change: Change) -> None:
    """One commit of everything that the change touched."""
    git("add", "--all", ".")
    git("commit", "--quiet", "--message", change["title"], "--message", change["sentence"])


def finish(change: Change) -> None:
    """What follows the commit and can be done again: the tag, and the alias in the registry."""
    if not git("tag", "--list", change["tag"]).strip():
        step("tag", lambda: git("tag", "--annotate", change["tag"], "--message", change["title"]))
    step("registry", register)
    JOURNAL.unlink()
    print(
        f"\n{change['title']}.\n{change['sentence']}\nNext: git push --follow-tags, uv run dvc push"
    )


def register() -> None:
    """Let MLflow's alias `champion` follow."""
    tag = in_charge.tag(CHAMPION)
    if tag is None:
        return
    asked = call(
        [
            sys.executable,
            "-m",
            f"{PACKAGE}.delivery.pipeline.tracking",
            "register",
            "params.yaml",
            str(CHAMPION),
            tag,
        ],
        check=False,
    )
    if asked.returncode:
        raise Mendable(
            f"The champion has changed here; MLflow has not heard of it:\n{asked.stderr.strip()}\n"
            f"Next, when it can be reached: uv run {PACKAGE} promote finishes this first"
        )


def resume() -> None:
    """Finish or undo what a killed call had begun."""
    if not JOURNAL.exists():
        return
    left = json.loads(JOURNAL.read_text(encoding="utf-8"))
    change = left["change"]
    if git("log", "-1", "--format=%s").strip() == change["title"]:
        print(f"Finishing first what was begun: {change['title']}")
        finish(change)
        return
    if git("rev-parse", "HEAD").strip() != left["before"]:
        raise Mendable(
            f"{JOURNAL}: a call that was killed began from {left['before'][:12]}, and commits came "
            "since.\n"
            f"Next: git status; if {POINTER} is as you want it, delete {JOURNAL}"
        )
    print(f"Undoing first what was begun and not committed: {change['title']}")
    git("checkout", "--quiet", "HEAD", "--", ".")
    if RECORD.exists() and not git("ls-files", str(RECORD)).strip():
        RECORD.unlink()
    restore_pointer(git("show", f"HEAD:./{POINTER}"))
    dvc("checkout", "--quiet")
    JOURNAL.unlink()


def champion() -> int:
    """Say which model is in charge, since when, why, and what it would be worth."""
    card = in_charge.card(CHAMPION)
    if in_charge.tag(CHAMPION) is None:
        print("The rule is in charge, as it is in the business today: nothing was promoted yet.")
    else:
        found = read_json(CHAMPION / "promotion.json")
        print(f"{card['name']} ({found['tag']}) is in charge since {found['date']}.")
        print(f"Put there by {found['by']}, because {found['because']}.")
        print(f"What was known then: {found['sentence']}")
        print(
            f"Trained on {card['trained_on']:,} rows"
            + (f" until {card['trained_until']}." if card["trained_until"] else ".")
        )
    print(f"Every change: {RECORD}" if RECORD.exists() else "")
    return 0


def step(name: str, do: Callable[[], object]) -> None:
    """One step with a line of progress."""
    print(f"  {name}", flush=True)
    do()


def git(*arguments: str) -> str:
    """What git says."""
    return call(["git", *arguments]).stdout


def dvc(*arguments: str) -> str:
    """What DVC of this environment says."""
    return call(["dvc", *arguments]).stdout


def call(command: list[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command; where it fails, what it said is the message."""
    words = [sys.executable, "-m", *command] if command[0] == "dvc" else command
    inherited = {
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=inherited)
    if check and done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-12:]
        raise Mendable(
            "Failed: uv run "
            + " ".join(command)
            + "\n"
            + "\n".join(said)
            + "\nNothing is lost: the same command again undoes or finishes it."
        )
    return done
