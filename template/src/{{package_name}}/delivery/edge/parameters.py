"""`params.yaml`: every number a person may tune, keyed by stage; an unknown key is an error with a
suggestion.
"""

from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import Fixable
from .explain import explain, nearest, read_yaml
from .files import require_file

NEXT = "Next: fix the line, then uv run dvc repro"


class Settings(BaseModel):
    """The numbers of one stage: frozen, typed, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""Where chance begins: what both numpy and scikit-learn take."""

Stage = TypeVar("Stage", bound=Settings)


def read_section(path: Path, name: str) -> dict[str, Any]:
    """One section of `params.yaml` as it is written there.

    Raises:
        Fixable: there is none, or the file is no YAML.
    """
    content = read_yaml(require_file(path), NEXT)
    if not isinstance(content.get(name), dict):
        hint = nearest(name, content)
        raise Fixable(
            f"{path}: expected a section `{name}:` with its numbers, found none{hint}. {NEXT}"
        )
    return content[name]


def read(path: Path, name: str, stage: type[Stage]) -> Stage:
    """The section `name` of `params.yaml` as the frozen class of a stage.

    Raises:
        Fixable: a key is missing, unknown or of another type.
    """
    try:
        return stage.model_validate(read_section(path, name))
    except ValidationError as error:
        raise Fixable(f"{explain(f'{path}: {name}', error, stage)}\n{NEXT}") from None
