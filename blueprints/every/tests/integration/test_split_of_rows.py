"""The split: every row in one part, and nothing that training could not have known."""

import polars as pl

from project import contract
from project.delivery.pipeline.split import Split, split

SHARES = Split(validation=0.2, test=0.2)


def parts(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    by_part = split(rows.with_row_index("row"), SHARES)[1].partition_by("part", as_dict=True)
    return {str(name): part for (name,), part in by_part.items()}


def test_every_row_is_in_one_part_and_no_part_is_empty(sample: pl.DataFrame) -> None:
    frames = parts(sample)
    assert sorted(row for part in frames.values() for row in part["row"]) == list(
        range(sample.height)
    )
    assert {"train", "validation", "test"} <= set(frames)


def test_labels_are_known_before_the_next_part_begins(sample: pl.DataFrame) -> None:
    frames = parts(sample)
    if contract.TIME:
        for early, late in (("train", "validation"), ("validation", "test")):
            known = (frames[early][contract.TIME] + contract.HORIZON).max()
            assert known <= frames[late][contract.TIME].min()  # type: ignore[operator]
    else:
        key = contract.ENTITY or "row"
        sides = [set(frames[name][key]) for name in ("train", "validation", "test")]
        assert sum(len(side) for side in sides) == len(set.union(*sides))


def test_other_rows_do_not_move_a_row_to_another_side_of_the_test(sample: pl.DataFrame) -> None:
    if contract.TIME:
        earliest = parts(sample)["test"][contract.TIME].min()
        assert (parts(sample)["train"][contract.TIME] < earliest).all()
    else:
        fewer = parts(sample.head(sample.height // 2))
        key = contract.ENTITY or "row"
        assert set(fewer["test"][key]) <= set(parts(sample)["test"][key])
