"""`rollback`: what was in charge before the present champion takes charge again."""

from datetime import UTC, datetime

from ..edge.errors import Fixable
from ..edge.files import describe_fix
from ..edge.shell import PACKAGE
from ..models.in_charge import PROMOTION, Former, read_promotion
from .change import Change, carry_out, find_author, require_clean_main, resume
from .locks import work_alone
from .pointer import CHAMPION, restore_pointer
from .record import next_tag


def rollback(*, because: str | None, name: str | None) -> int:
    """Put back in charge what was there before the present champion."""
    with work_alone():
        if resume() == "rollback":
            return 0
        change, former = plan_rollback(because=because, name=name)
        return carry_out(change, lambda: restore_pointer(former.pointer))


def plan_rollback(*, because: str | None, name: str | None) -> tuple[Change, Former]:
    """What puts the former champion in charge again, and which that is; nothing is moved yet."""
    require_clean_main()
    promotion = read_promotion(CHAMPION)
    if promotion is None:
        raise Fixable(
            "models/champion: expected a promoted model, found the rule, which is first. "
            f"Next: uv run {PACKAGE} champion"
        )
    if promotion.before is None:
        raise Fixable(
            f"{CHAMPION / PROMOTION}: expected `before`, what was in charge until then, found "
            f"nothing. Next: {describe_fix(CHAMPION)}"
        )
    tag = next_tag("rollback")
    change = Change(
        tag=tag,
        title=f"{tag}: {promotion.tag} gives way to {promotion.before.name}",
        verdict="roll back",
        sentence=f"{promotion.tag} is no longer in charge.",
        because=because or "it was asked for",
        by=name or find_author(),
        date=datetime.now(UTC).date().isoformat(),
    )
    return change, promotion.before
