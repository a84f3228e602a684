"""Which differences between a run and the published one are reported."""

import copy
import json
import os

import pytest

import results
import verify
from conftest import missing

PUBLISHED = {
    "part": 2, "network": "original", "init": "random", "protocol": "report", "seed": 0, "loss": "cross_entropy",
    "dataset": {"name": "mnist", "source": "a", "sha256": "ab", "count": 60000, "synthetic": False},
    "config": {"epochs": 1, "batch_size": 100}, "setup": {"split": "test_set"},
    "epochs": [{"loss": 0.1, "accuracy": 0.97, "val_loss": 0.04, "val_accuracy": 0.985, "seconds": 60.0}],
    "test_accuracy": 0.985,
}  # fmt: skip


def differing(change, seeds=()):
    ours = copy.deepcopy(PUBLISHED)
    change(ours)
    return [name for name, *_ in verify.compare(ours, PUBLISHED, seeds)]


def test_the_same_run_on_another_machine_agrees():
    def rounding(run):
        run["epochs"][0].update(seconds=500.0, val_accuracy=0.984, loss=0.104)
        run["dataset"]["source"] = "another folder"

    assert differing(rounding) == []


@pytest.mark.parametrize(
    "change, names",
    [
        (lambda run: run.update(test_accuracy=0.9), ["test_accuracy"]),
        (lambda run: run.update(test_accuracy=None), ["test_accuracy"]),
        (lambda run: run["epochs"][0].update(val_loss=float("nan")), ["last epoch val_loss"]),
        (lambda run: run["epochs"][0].update(loss=0.2), ["last epoch loss"]),
        (lambda run: run["config"].update(epochs=2), ["config"]),
        (lambda run: run["dataset"].update(sha256="cd"), ["dataset.sha256"]),
        (lambda run: run["dataset"].update(synthetic=True), ["dataset.synthetic"]),
        (lambda run: run["epochs"].append(run["epochs"][0]), ["number of epochs"]),
    ],
)
def test_a_difference_is_named(change, names):
    assert differing(change) == names


@pytest.mark.parametrize(
    "accuracy, names",
    [(0.976, []), (0.971, ["test_accuracy"])],
)
def test_a_number_may_be_off_by_what_another_seed_makes_of_it(accuracy, names):
    seeds = [PUBLISHED | {"seed": i, "test_accuracy": x} for i, x in enumerate((0.985, 0.988, 0.982))]
    assert differing(lambda run: run.update(test_accuracy=accuracy), seeds) == names


def test_a_number_that_the_published_seeds_do_not_agree_on_is_not_compared():
    seeds = [PUBLISHED | {"seed": i, "test_accuracy": x} for i, x in enumerate((0.985, 0.2, 0.1))]
    assert differing(lambda run: run.update(test_accuracy=0.5), seeds) == []


EXACT = PUBLISHED | {
    "environment": {"instructions": "avx512"},
    "samples": {"train": "1", "valid": "2"},
    "metrics": {"ece": 0.01},
    "curve": [{"step": 20, "seconds": 1.0, "val_accuracy": 0.9}],
    "checkpoint": {"path": "a", "sha256": "x", "weights_sha256": "w"},
    "start_weights_sha256": "s",
}


@pytest.mark.parametrize(
    "change, names",
    [
        (lambda run: run["curve"][0].update(seconds=2.0), []),
        (lambda run: run["checkpoint"].update(sha256="y"), []),
        (lambda run: run["checkpoint"].update(weights_sha256="v"), ["weights of checkpoint"]),
        (lambda run: run.update(start_weights_sha256="t"), ["weights of the start"]),
        (lambda run: run["epochs"][0].update(loss=0.1 + 1e-16), ["epochs"]),
        (lambda run: run["metrics"].update(ece=0.010001), ["metrics"]),
        (lambda run: run["samples"].update(valid="3"), ["samples"]),
        (lambda run: run.update(environment={"instructions": "avx2"}, metrics={}), ["metrics"]),
        (lambda run: run.update(environment={"instructions": "portable"}, metrics={}), []),
        (lambda run: run.update(environment={"instructions": "portable"}, samples={}), ["samples"]),
    ],
)
def test_on_instructions_that_give_the_same_bits_everything_is_equal(change, names):
    ours = copy.deepcopy(EXACT)
    change(ours)
    assert [name for name, *_ in verify.compare(ours, EXACT)] == names


def test_a_certificate_says_what_was_repeated_and_what_was_not(tmp_path, monkeypatch, capsys):
    here, there = tmp_path / "here", tmp_path / "there"
    seeds = [EXACT | {"seed": i, "test_accuracy": x} for i, x in ((0, 0.985), (1, 0.2), (2, 0.1), (10, 0.1))]
    other = {"instructions": "neon", "cpu": "a small one", "cpu_model": "family 1", "threads": 4}
    ours = [EXACT | {"seed": 0}, seeds[1] | {"environment": other, "epochs": []}]
    for folder, runs in ((here / "results", ours), (there, seeds)):
        folder.mkdir(parents=True)
        for run in runs:
            (folder / f"run-seed{run['seed']}.json").write_text(json.dumps(run))
    monkeypatch.setattr(verify, "REFERENCE", there)
    with pytest.raises(SystemExit) as end:
        verify.main(here)
    assert end.value.code == 1
    assert "do not agree: test_accuracy" in capsys.readouterr().out
    page = (here / "certificate.md").read_text()
    assert "2 of 4 published records" in page
    assert "1 are equal bit for bit, 0 agree within a tolerance, 1 differ." in page
    assert "a small one, family 1, neon, 4 threads" in page
    assert "| run-seed0 | exact | equal bit for bit |  |" in page
    assert "| run-seed1 | tolerance | differs in number of epochs" in page
    assert page.endswith("Not run (2):\n\n- run: seeds 2, 10\n")


def test_a_published_run_is_repeated_here(tmp_path):
    """To the last bit, on a processor with fused multiply-adds: every epoch, measure and weight."""
    file = "part2-experimental-random-pretraining-seed0.json"
    published = json.loads((verify.REFERENCE / file).read_text())
    results.glyphs("train", file.removesuffix(".json"), env=os.environ | {"GLYPHS_OUTPUTS": str(tmp_path)})
    ours = json.loads((tmp_path / "results" / file).read_text())
    if ours["dataset"]["synthetic"]:
        missing("the real drawings are not here")
    seeds = [run for run in results.read(verify.REFERENCE) if verify.same_but_seed(run, published)]
    assert verify.compare(ours, published, seeds) == []
    instructions = ours["environment"]["instructions"]
    assert verify.level(ours, published) == ("exact" if instructions in verify.FUSED else "tolerance")


def test_the_readme_shows_the_published_results():
    import readme

    readme.main(check=True)
