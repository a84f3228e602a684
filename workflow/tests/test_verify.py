"""Which differences between a run and the published one are reported."""

import copy
import hashlib
import json
import os

import pytest

import commits
import photographs
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


AVX2 = {"instructions": "avx2", "cpu": "AMD EPYC", "cpu_model": "family 23, model 1, stepping 2"}


@pytest.mark.parametrize(
    "change, how, why",
    [
        ({}, "exact", "avx2, here and in the published record; the same kind of processor (AMD EPYC, family 23, model 1)"),
        ({"cpu": "", "cpu_model": ""}, "exact", "avx2, here and in the published record"),
        (
            {"instructions": "avx512", "cpu_model": "family 25, model 17, stepping 1"},
            "exact",
            "avx512 here and avx2 in the published record, which give the same bits; "
            "another kind of processor: AMD EPYC, family 25, model 17 here, AMD EPYC, family 23, model 1 there",
        ),
        ({"instructions": "portable", "cpu": "", "cpu_model": ""}, "tolerance", "portable here and avx2 in the published record, which round differently"),
        ({"instructions": None, "cpu": "", "cpu_model": ""}, "tolerance", "the record made here does not name its instructions"),
    ],
)
def test_a_level_has_its_reason(change, how, why):
    assert verify.level({"environment": AVX2 | change}, {"environment": AVX2}) == (how, why)


def test_a_start_that_an_older_record_does_not_name_is_not_compared():
    published = {name: value for name, value in EXACT.items() if name != "start_weights_sha256"} | {"init": "pretrained"}
    skipped = []
    assert verify.compare(EXACT | {"init": "pretrained"}, published, skipped=skipped) == []
    assert skipped == ["weights of the start (the published record is older than their mention)"]


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
    assert "not compared: test_accuracy (the published seeds do not agree)" in capsys.readouterr().out
    page = (here / "certificate.md").read_text()
    assert "2 of 4 published records" in page
    assert "1 are equal bit for bit, 0 agree within a tolerance, 1 differ." in page
    assert "a small one, family 1, neon, 4 threads" in page
    assert "- exact (1 of 2): avx512, here and in the published record." in page
    assert "- tolerance (1 of 2): neon here and avx512 in the published record, which round differently." in page
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
    assert verify.level(ours, published)[0] == ("exact" if instructions in verify.FUSED else "tolerance")


def test_the_readme_shows_the_published_results():
    import readme

    readme.main(check=True)


def test_the_page_says_which_commits_the_records_come_from():
    commits.main("--check")


def test_a_run_that_was_made_again_is_counted_at_the_commit_of_its_earlier_record():
    def made_at(commit, weights="w", **changes):
        return EXACT | {"environment": {"commit": commit}, "checkpoint": {"weights_sha256": weights}} | changes

    history = {
        "a.json": [made_at("third"), made_at("second"), made_at("first")],
        "b.json": [made_at("second"), made_at("first", weights="v")],
        # Another configuration is another run, and the same commit no repetition.
        "c.json": [made_at("second"), made_at("first", config={})],
        "d.json": [made_at("first"), made_at("first")],
    }
    noted = [{"published": "third", "run": "e", "differs": []}, {"published": "third", "run": "f", "differs": ["metrics"]}]
    assert commits.made_again(history, noted) == {"first": [True, False], "second": [True], "third": [True, False]}


def test_the_figures_on_photographs_are_those_of_their_record():
    if not photographs.RECORD.exists():
        missing(f"{photographs.RECORD} is not there: workflow/photographs.py makes it")
    record = json.loads(photographs.RECORD.read_text())
    assert photographs.missing(record, (results.ROOT / "data/README.md").read_text()) == []
    for network in record["networks"]:
        assert hashlib.sha256((results.ROOT / network["checkpoint"]).read_bytes()).hexdigest() == network["sha256"]


def test_what_is_read_in_photographs_is_counted():
    rows = [
        {"label": "0", "predicted": "O", "top": [["O", 0.5], ["0", 0.4]]},
        {"label": "A", "predicted": "4", "top": [["4", 0.6], ["A", 0.3]]},
        {"label": "C", "predicted": None, "top": []},
    ]
    read = photographs.judged(rows, lambda row: row["predicted"])
    assert read == {"accuracy": 0, "merged_accuracy": 1 / 3, "digits": [0, 1], "letters": [0, 2]}
    even = photographs.judged(rows, photographs.without_expectation)
    assert even == {"accuracy": 1 / 3, "merged_accuracy": 2 / 3, "digits": [0, 1], "letters": [1, 2]}
