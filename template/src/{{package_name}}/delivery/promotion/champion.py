"""`champion`: which model is in charge, since when, why, and what it would be worth."""

import os
from pathlib import Path

from ..edge.files import find_project
from ..models import in_charge
from .pointer import CHAMPION
from .record import RECORD, list_changes


def champion() -> int:
    """Say which model is in charge, since when, why, and what it would be worth."""
    os.chdir(find_project(Path.cwd()))
    card, promotion = in_charge.read_champion_card(CHAMPION), in_charge.read_promotion(CHAMPION)
    if promotion is None:
        print("The rule is in charge, as it is in the business today.")
    else:
        print(f"{card.name} ({promotion.tag}) is in charge, promoted on {promotion.date}.")
        print(f"Promoted by {promotion.by}, because {promotion.because}.")
        print(f"What was expected of it then: {promotion.sentence}")
        until = f" until {card.trained_until}" if card.trained_until else ""
        print(f"Trained on {card.trained_on:,} rows{until}.")
    if changes := list_changes():
        date, title, _ = changes[-1]
        print(f"In charge since {date} ({title}). Every change: {RECORD}")
    else:
        print("Nothing was promoted yet.")
    return 0
