"""The champion in MLflow's registry: a version, and the alias `champion` that moves to it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..edge.errors import run
from ..models.in_charge import read_champion_card
from .runs import (
    ABOUT_PROMOTION,
    PACKAGE,
    connect,
    find_finished_run,
    hash_folder,
    open_experiment,
    read_address,
    read_commit,
    start_run,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

BY_HAND = f"uv run python -m {__package__}.registry"


def register(params: Path, folder: Path, tag: str) -> str:
    """Make the champion in `folder` a version of the registered model, tagged `champion: <tag>`,
    and move the alias `champion` to it; the version's number. The rule is no version: with it in
    charge there is no alias, and no number.
    """
    uri = read_address(params)
    again = f"{BY_HAND} {params} {folder} {tag}"
    with connect(uri, again) as client:
        if read_champion_card(folder).is_rule:
            if client.search_registered_models(f"name = '{PACKAGE}'"):
                client.delete_registered_model_alias(PACKAGE, "champion")
            return ""
        if not client.search_registered_models(f"name = '{PACKAGE}'"):
            client.create_registered_model(PACKAGE)
        versions = client.search_model_versions(f"name = '{PACKAGE}'")
        known = [version for version in versions if version.tags.get("champion") == tag]
        number = str(
            known[0].version if known else _create_version(client, uri, folder, tag, again)
        )
        client.set_registered_model_alias(PACKAGE, "champion", number)
        return number


def _create_version(client: "MlflowClient", uri: str, folder: Path, tag: str, again: str) -> str:
    """A version from the run that first had this model, or from a new one with nothing but it."""
    where, model = open_experiment(client, uri, again), hash_folder(folder)
    if find_finished_run(client, where, "model", model) is None:
        with start_run(client, where, tag, {"model": model, **read_commit()}) as made:
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(folder)
                if path.is_file() and str(name) not in ABOUT_PROMOTION:
                    client.log_artifact(made, str(path), str(Path("model", name.parent)))
    source = find_finished_run(client, where, "model", model)
    assert source is not None
    about = {"champion": tag, "model": model, "commit": source.data.tags["commit"]}
    return client.create_model_version(
        PACKAGE, f"{source.info.artifact_uri}/model", source.info.run_id, about,
        description=source.data.tags.get("sentence"),
    ).version  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """`registry PARAMS CHAMPION TAG`: register the champion, or say that the rule is in charge."""
    params, folder, tag = sys.argv[1:] if argv is None else argv
    number = register(Path(params), Path(folder), tag)
    print(f"{PACKAGE}: version {number} is the champion" if number else "The rule is in charge")
    return 0


if __name__ == "__main__":
    run(main)
