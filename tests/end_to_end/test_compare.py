import pandas as pd
import pytest


def test_no_runs_yet(user):
    assert user.run("compare").stdout == "No runs yet, or none that match. Make one with: micrograde train\n"


def test_runs_in_a_table(user):
    for rate in ("0.1", "0.3"):
        for seed in ("0", "1"):
            user.run(
                "train",
                "data=digits",
                "training.num_epochs=3",
                f"optimizer.learning_rate={rate}",
                f"seed={seed}",
            )

    done = user.run("compare", "metric=val/loss")
    lines = done.stdout.splitlines()
    assert lines[0].rstrip() == "4 runs, best val/loss first"
    header = next(line.split() for line in lines if "run_id" in line)
    assert header[:5] == ["run_id", "run_name", "optimizer.learning_rate", "seed", "val/loss"]
    assert "model.activation" not in done.stdout

    user.run("compare", "over_seeds=true", "output=means.csv")
    means = pd.read_csv(user.folder / "means.csv")
    assert list(means["runs"]) == [2, 2]
    assert set(means["optimizer.learning_rate"]) == {0.1, 0.3}
    assert {"kept/val/accuracy mean", "kept/val/accuracy std"} <= set(means)

    user.run("compare", 'where="optimizer.learning_rate>0.1"', "limit=1", "output=best.parquet")
    best = pd.read_parquet(user.folder / "best.parquet")
    assert list(best["optimizer.learning_rate"]) == [0.3]


@pytest.mark.slow
def test_means_of_a_whole_store_count_no_retests_and_say_so(user):
    sweep = ("-m", "data=moons", "data.samples=60", "training.num_epochs=1", "seed=range(2)")
    user.run("train", *sweep, "optimizer.learning_rate=0.1,0.5", "sweep.retest=3")
    shown = user.run("compare", "over_seeds=true", "output=means.csv").stdout
    assert shown.startswith("4 runs, best kept/val/accuracy first")
    assert pd.read_csv(user.folder / "means.csv")["runs"].tolist() == [2, 2]
    (note,) = (line for line in shown.splitlines() if line.startswith("note"))
    assert " runs on fresh seeds are not counted (sweep.retest): micrograde compare sweep=" in note
    assert "\nretest    " in user.run("compare", note.rpartition(" ")[2]).stdout  # the advice, typed
    only = user.run("compare", "over_seeds=true", 'where="tags.micrograde.retest=true"').stdout
    assert "best kept/val/accuracy first" in only
    assert "not counted" not in only


@pytest.mark.slow
def test_a_sweep_and_its_report(user, tmp_path):
    sweep = ("-m", "data=moons", "data.samples=100", "training.num_epochs=2", "seed=range(2)")
    user.run("train", *sweep, "optimizer.learning_rate=0.1,0.5")
    user.run("train", "data=moons", "training.num_epochs=1")
    shown = user.run("compare", "sweep=latest", f"report={tmp_path}/report")
    assert "4 runs" in shown.stdout
    assert "optimizer.learning_rate" in shown.stdout
    page = (tmp_path / "report" / "report.html").read_text()
    assert "learning_rate" in page
    assert "data:image/svg+xml;base64," in page
    wrong = user.run("compare", "sweep=nothing", status=2)
    assert wrong.stderr.startswith("sweep=nothing: there is no such sweep; there are ")
    assert wrong.stderr.count("\n") == 1
