"""The network: it learns, it stops, it keeps what is known, and a kill costs an epoch at most."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from churn import model
from churn.contract import TARGET
from churn.features import features
from churn.model import Network, Training, candidates, load, network_in, rule, save

Numbers = NDArray[np.float64]
Table = tuple[Numbers, NDArray[np.object_]]


@pytest.fixture
def table(sample: pl.DataFrame) -> Table:
    """What the network is given: numbers without gaps, and the outcomes."""
    numbers = candidates(seed=3)["network"][:-1].fit_transform(features(sample))
    return numbers, sample[TARGET].cast(pl.String).to_numpy()


def loss(network: Network, x: Numbers, y: NDArray[np.object_]) -> float:
    """The mean log loss in nats."""
    share = network.predict_proba(x)[np.arange(len(y)), np.searchsorted(network.classes_, y)]
    return float(-np.log(share).mean())


def test_it_learns_one_batch_by_heart(table: Table) -> None:
    x, y = table[0][:32], np.array(["leaves", "stays"] * 16, dtype=object)
    network = Network(held_out=0, batch=32, epochs=500, patience=500, learning_rate=0.03)
    assert loss(network.fit(x, y), x, y) < 0.01


def test_it_stops_before_it_has_learned_luck_by_heart(table: Table) -> None:
    x, y = table[0], np.random.default_rng(7).choice(["leaves", "stays"], len(table[0]))
    luck = np.log(2)
    assert loss(Network(held_out=0, patience=200).fit(x, y), x, y) < luck / 2
    assert loss(Network(held_out=0.3).fit(x, y), x, y) > 0.8 * luck


def test_the_weights_that_are_kept_are_the_best_ones_on_rows_not_learned_from(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[tuple[int, float]] = []

    class Watched(Training):
        def judge(self, rows: torch.Tensor, truth: torch.Tensor) -> None:
            found = deepcopy(self.layers).double()(rows.double())
            judged.append((len(rows), torch.nn.functional.cross_entropy(found, truth).item()))
            self.rows, self.truth = rows, truth
            super().judge(rows, truth)
            kept.append(self)

    kept: list[Watched] = []
    monkeypatch.setattr(model, "Training", Watched)
    x, y = table
    network = Network(held_out=0.2, patience=5, learning_rate=0.03).fit(x, y)
    held = kept[-1]
    assert {rows for rows, _ in judged} == {int(0.2 * len(x))}
    assert len(judged) == 5 + 1 + int(np.argmin([found for _, found in judged]))
    names = network.classes_[held.truth.numpy()]
    best = min(found for _, found in judged)
    assert loss(network, held.rows.double().numpy(), names) == pytest.approx(best, abs=1e-6)


def test_the_probability_never_falls_where_the_business_knows_that_it_rises(table: Table) -> None:
    x, luck = table[0], np.random.default_rng(7)
    y = np.where(luck.normal(x[:, 0]) > 0, "stays", "leaves")  # as wrong as it can be
    for hidden in ((32,), (16, 8)):
        network = Network(hidden=hidden, rising={0: 1}, of="leaves", epochs=30).fit(x, y)
        column = network.classes_.tolist().index("leaves")
        stepped = x + np.eye(x.shape[1])[0]
        moved = (network.predict_proba(stepped) - network.predict_proba(x))[:, column]
        assert moved.min() > -1e-12
        assert np.ptp(network.predict_proba(x)) > 0.05


def test_the_same_seed_gives_the_same_network_however_many_threads_there_are(table: Table) -> None:
    x, y = np.tile(table[0], (60, 1)), np.tile(table[1], 60)  # enough for threads to share out
    threads = torch.get_num_threads()
    found = []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            torch.rand(number)  # someone else's luck
            one = Network(epochs=3, batch=len(x), seed=5).fit(x, y)
            assert torch.get_num_threads() == number
            found.append(one.layers_.state_dict()["0.weight"].numpy())
    finally:
        torch.set_num_threads(threads)
    assert np.array_equal(found[0], found[1])
    other = Network(epochs=3, batch=len(x), seed=6).fit(x, y)
    assert not np.allclose(found[0], other.layers_.state_dict()["0.weight"].numpy())


def test_a_table_with_gaps_is_refused(table: Table) -> None:
    x, y = np.where(table[0] > 1, np.nan, table[0]), table[1]
    with pytest.raises(ValueError, match="some are missing"):
        Network().fit(x, y)


class Killed(BaseException):
    """What stands for a kill."""


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Network, Table], Path]:
    """Train a network and end it after its third epoch; the checkpoint that it leaves."""

    def after_three(network: Network, table: Table) -> Path:
        with monkeypatch.context() as during:
            keep = Training.keep

            def kept(self: Training, path: Path) -> None:
                keep(self, path)
                if self.epoch == 3:
                    raise Killed

            during.setattr(Training, "keep", kept)
            with pytest.raises(Killed):
                network.fit(*table)
        (left,) = Path(str(network.checkpoints)).iterdir()
        return left

    return after_three


def network(folder: Path | None, **settings: Any) -> Network:
    return Network(epochs=6, checkpoints=str(folder) if folder else None, **settings)


@pytest.mark.parametrize("best", ["after the kill", "before the kill"])
def test_a_killed_training_goes_on_and_ends_as_if_nothing_had_been(
    table: Table,
    best: str,
    killed: Callable[[Network, Table], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    x, y = table
    if best == "before the kill":  # luck cannot be learned: it only gets worse
        y = np.random.default_rng(7).choice(["leaves", "stays"], len(x))
    left = killed(network(tmp_path, learning_rate=0.02), (x, y))
    once = network(None, learning_rate=0.02).fit(x, y).predict_proba(x)
    assert "going on" not in capsys.readouterr().out
    again = network(tmp_path, learning_rate=0.02).fit(x, y).predict_proba(x)
    assert f"going on after epoch 3 of {left}" in capsys.readouterr().out
    assert np.allclose(once, again, rtol=0, atol=1e-9)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("change", ["rows", "outcomes", "settings", "damage"])
def test_a_checkpoint_of_something_else_or_a_damaged_one_is_not_taken_up(
    table: Table,
    killed: Callable[[Network, Table], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: str,
) -> None:
    left, (x, y) = killed(network(tmp_path), table), table
    settings = {"learning_rate": 0.01} if change == "settings" else {}
    if change == "rows":
        x = np.vstack([x[:-1], x[:1]])
    if change == "outcomes":
        y = np.roll(y, 1)
    if change == "damage":
        left.write_bytes(left.read_bytes()[:-8])
    found = network(tmp_path, **settings).fit(x, y).predict_proba(x)
    assert "going on" not in capsys.readouterr().out
    assert np.array_equal(found, network(None, **settings).fit(x, y).predict_proba(x))


def calibrated(table_rows: pl.DataFrame, name: str) -> Any:
    """A candidate as training leaves it."""
    x, y = features(table_rows), table_rows[TARGET].cast(pl.String).to_numpy()
    fitted = candidates(seed=3)[name].fit(x, y)
    return CalibratedClassifierCV(FrozenEstimator(fitted), method="sigmoid").fit(x, y)


@pytest.mark.parametrize("bare", [False, True])
def test_weights_are_written_beside_the_rest_and_come_back(
    sample: pl.DataFrame, tmp_path: Path, bare: bool
) -> None:
    fitted, x = calibrated(sample, "network"), features(sample)
    fitted = fitted.estimator.estimator if bare else fitted
    before = fitted.predict_proba(x)
    rest = save(fitted, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["network.safetensors"]
    left = network_in(rest)
    assert left is not None
    assert not hasattr(left, "layers_")
    assert np.array_equal(fitted.predict_proba(x), before)
    assert np.array_equal(load(tmp_path, rest).predict_proba(x), before)


def test_the_rule_and_other_candidates_are_left_to_the_template(
    sample: pl.DataFrame, tmp_path: Path
) -> None:
    x = features(sample)
    others = [calibrated(sample, name) for name in candidates(seed=3) if name != "network"]
    for fitted in (rule().fit(x, sample[TARGET]), *others):
        rest = load(tmp_path, save(fitted, tmp_path))
        assert np.array_equal(rest.predict_proba(x), fitted.predict_proba(x))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("fault", ["missing", "shape", "damage"])
def test_weights_that_do_not_fit_are_refused(
    sample: pl.DataFrame, tmp_path: Path, fault: str
) -> None:
    rest = save(calibrated(sample, "network"), tmp_path)
    path = tmp_path / "network.safetensors"
    tensors = load_file(path)
    if fault == "missing":
        tensors.pop("2.bias")
    if fault == "shape":
        tensors["2.bias"] = torch.zeros(7)
    save_file(tensors, path)
    if fault == "damage":
        path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(Exception, match=r"2\.bias|header|file size"):
        load(tmp_path, rest)
