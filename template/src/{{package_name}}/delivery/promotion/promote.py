"""`promote`: the challenger takes charge, where the verdict allows it."""

from datetime import UTC, datetime
from pathlib import Path

from ..edge.brief import PRICES_NEXT, read_brief
from ..edge.errors import Fixable, Refused
from ..edge.files import describe_fix
from ..edge.shell import PACKAGE
from ..models import in_charge
from ..models.card import read_card
from ..models.in_charge import Former, Gain, Promotion
from ..verdict.decision import Decision, read_decision
from ..verdict.looks import count_looks, describe_looks, describe_trials
from .change import (
    carry_out,
    find_author,
    find_frozen_stages,
    find_stale_stages,
    require_clean_main,
    resume,
)
from .locks import work_alone
from .pointer import (
    CHALLENGER,
    CHAMPION,
    copy_challenger,
    is_challenger_in_charge,
    read_pointer,
)
from .record import next_tag

BRIEF = Path("reports/brief.json")


def promote(*, refresh: bool, because: str | None, name: str | None) -> int:
    """Put the challenger in charge, if the verdict allows it, and record why."""
    with work_alone():
        if resume() == "champion":
            return 0
        promotion = plan_promotion(refresh=refresh, because=because, name=name)
        return carry_out(promotion, lambda: copy_challenger(promotion))


def plan_promotion(*, refresh: bool, because: str | None, name: str | None) -> Promotion:
    """What puts the challenger in charge, if the verdict allows it; nothing is moved yet."""
    require_clean_main()
    require_new_challenger()
    decision = read_decision()
    require_known_prices(decision)
    require_permission(decision, refresh=refresh, because=because, name=name)
    tag, looks = next_tag("champion"), count_looks()
    return Promotion(
        tag=tag,
        title=f"{tag}: {decision.challenger} takes charge from {decision.champion}",
        verdict=decision.verdict,
        sentence=decision.sentence,
        gain=Gain(**decision.gain.model_dump()),
        because=because or ("a refresh was asked for" if refresh else "it is worth more"),
        by=name or find_author(),
        date=datetime.now(UTC).date().isoformat(),
        data=read_card(CHALLENGER / "card.json", fix=describe_fix(CHALLENGER)).rows,
        before=Former(in_charge.read_name(CHAMPION), read_pointer()),
        looks=f"{describe_looks(looks)} {describe_trials(looks)}",
    )


def require_new_challenger() -> None:
    """Raise Fixable unless the reports are of these files and the challenger is another model than
    the champion.
    """
    if frozen := find_frozen_stages():
        raise Fixable(
            "dvc.yaml: expected stages that run whenever what they read changes, found `frozen: "
            f"true` of {', '.join(frozen)}. Next: uv run dvc unfreeze {' '.join(frozen)}, then uv "
            "run dvc repro"
        )
    if stale := find_stale_stages():
        raise Fixable(
            f"dvc status: expected reports of these files, found {', '.join(stale)} out of date. "
            "Next: uv run dvc repro, then git commit"
        )
    if is_challenger_in_charge():
        raise Fixable(
            "models/challenger: expected another model than the champion, found that it is in "
            f"charge already, as {in_charge.read_tag(CHAMPION)}. "
            "Next: change features.py, model.py or the data, then uv run dvc repro"
        )


def require_known_prices(decision: Decision) -> None:
    """Raise Refused where nobody has said yet what anything is worth: then nothing ships, by no
    override either.
    """
    if read_brief(BRIEF).has_unknown_prices:
        raise Refused(
            f"{decision.sentence}\nWithout prices no model takes charge, whatever the reason, so "
            f"nothing was promoted. {PRICES_NEXT}"
        )


def require_permission(
    decision: Decision, *, refresh: bool, because: str | None, name: str | None
) -> None:
    """Raise Refused where neither the verdict nor a person with a name and a reason lets the
    challenger take charge.
    """
    verdict = decision.verdict
    if verdict == "ship" or (verdict == "refresh" and refresh) or (because and name):
        return
    if because:
        raise Fixable(
            'promote --because: expected a name, found none. Next: add --name "Your Name"'
        )
    sentence = f"{decision.sentence}\nThe verdict is {verdict}, so nothing was promoted. "
    command = f"uv run {PACKAGE} promote"
    if verdict == "refresh":
        raise Refused(f"{sentence}To take it as a refresh: {command} --refresh")
    raise Refused(
        f'{sentence}To override, with a recorded reason: {command} --because "…" --name "…"'
    )
