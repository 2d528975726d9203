#!/usr/bin/env python3
"""What stands for GitHub's command in tests: pull requests as a JSON file, `$GH_KEPT`.

It knows what the commands of a generated repository ask of it, and refuses everything else with
exit code 64. `pr create` says no where the branch has an open one, and, with the platform's token,
where `$GH_KEPT.forbidden` is there.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

LISTED = ["--state", "open", "--json", "number", "--jq", ".[].number"]
KEPT = Path(os.environ.get("GH_KEPT", ""))


def load() -> dict[str, Any]:
    return json.loads(KEPT.read_text()) if KEPT.exists() else {"pulls": [], "labels": []}


def api(words: list[str]) -> int:
    """`gh api --silent --input - --method METHOD PATH`, of a pull request or its labels."""
    method, path = words[words.index("--method") + 1 :]
    match = re.fullmatch(r"repos/\{owner\}/\{repo\}/(pulls|issues)/(\d+)(/labels)?", path)
    kept, fields = load(), json.load(sys.stdin)
    pulls = [pull for pull in kept["pulls"] if match and pull["number"] == int(match[2])]
    if not pulls or (method, match and match[3]) not in (("PATCH", None), ("POST", "/labels")):
        print("gh: Not Found (HTTP 404)", file=sys.stderr)
        return 1
    if method == "PATCH":
        pulls[0] |= fields
    else:
        pulls[0]["labels"] = sorted({*pulls[0]["labels"], *fields["labels"]})
    KEPT.write_text(json.dumps(kept, indent=1))
    return 0


def find_comments(expression: str) -> list[int]:
    """The numbers of the comments that begin as the expression of jq says."""
    match = re.fullmatch(r'\.\[\] \| select\(\.body \| startswith\("(.+)"\)\) \| \.id', expression)
    bodies = load().get("comments", [])
    return [number for number, body in enumerate(bodies, 1) if match and body.startswith(match[1])]


def keep_comment(words: list[str]) -> int:
    """Look for a comment below the pull request, write one, or write one anew."""
    kept = load()
    comments = kept.setdefault("comments", [])
    if words[1] == "--paginate":
        print("\n".join(map(str, find_comments(words[4]))))
    elif words[1] == "comment":
        comments.append(Path(words[4]).read_text())
    else:  # api --silent --method PATCH PATH --field body=@FILE
        number = int(words[4].rpartition("/")[2])
        comments[number - 1] = Path(words[6].removeprefix("body=@")).read_text()
    KEPT.write_text(json.dumps(kept, indent=1))
    return 0


def parse_arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False, allow_abbrev=False)
    parser.add_argument("what", choices=("pr", "label"))
    parser.add_argument("verb")
    parser.add_argument("name", nargs="?")
    for option in ("base", "head", "title", "body-file", "label", "comment"):
        parser.add_argument(f"--{option}")
    for flag in ("force", "delete-branch"):
        parser.add_argument(f"--{flag}", action="store_true")
    return parser.parse_args(words)


def main(words: list[str]) -> int:  # noqa: PLR0911, PLR0912 (one answer each)
    """Do it as GitHub would."""
    if words[:4] == ["api", "--silent", "--input", "-"]:
        return api(words)
    if words == ["auth", "setup-git"]:
        return 0
    if words[:2] in (["api", "--paginate"], ["api", "--silent"], ["pr", "comment"]):
        return keep_comment(words)
    if words[:2] == ["pr", "list"] and words[4:] == LISTED:
        pulls = [pull for pull in load()["pulls"] if pull["head"] == words[3]]
        print("\n".join(str(pull["number"]) for pull in pulls if pull["state"] == "open"))
        return 0
    try:
        arguments = parse_arguments(words)
    except (argparse.ArgumentError, SystemExit):
        print(f"gh: not known here: {words}", file=sys.stderr)
        return 64
    kept = load()
    body = sys.stdin.read() if arguments.body_file == "-" else ""
    branch = arguments.head or arguments.name
    open_pulls = [
        pull for pull in kept["pulls"] if pull["head"] == branch and pull["state"] == "open"
    ]
    label = arguments.label
    if label and label not in kept["labels"]:
        print(f"could not add label: '{label}' not found", file=sys.stderr)
        return 1
    if (arguments.what, arguments.verb) == ("label", "create"):
        kept["labels"].append(arguments.name)
    elif (arguments.what, arguments.verb) == ("pr", "create"):
        if KEPT.with_suffix(".forbidden").exists():
            print("GitHub Actions is not permitted to create or approve pull requests")
            print("GitHub Actions is not permitted to create pull requests", file=sys.stderr)
            return 1
        if open_pulls:
            print(f'a pull request for branch "{branch}" already exists', file=sys.stderr)
            return 1
        about = {"head": branch, "base": arguments.base, "title": arguments.title, "body": body}
        number = len(kept["pulls"]) + 1
        labels = [label] if label else []
        kept["pulls"].append({"number": number, "state": "open", "labels": labels, **about})
        print(f"https://github.com/acme/project/pull/{number}")
    elif not open_pulls:
        print(f'no pull requests found for branch "{branch}"', file=sys.stderr)
        return 1
    elif (arguments.what, arguments.verb) == ("pr", "close"):
        open_pulls[0] |= {"state": "closed", "comment": arguments.comment}
    else:
        print(f"gh: not known here: {words}", file=sys.stderr)
        return 64
    KEPT.write_text(json.dumps(kept, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
