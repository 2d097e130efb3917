import pandas as pd
import pytest

from micrograde.analysis import load_runs, merge_mean_and_std, print_table, write_table
from micrograde.core.errors import InputError


def test_csv_and_parquet_hold_what_was_written(uri, tmp_path):
    runs = load_runs(uri)
    write_table(runs, tmp_path / "runs.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "runs.parquet"), runs)
    write_table(runs, tmp_path / "runs.csv")
    back = pd.read_csv(tmp_path / "runs.csv")
    assert list(back) == list(runs)
    assert back["optimizer.learning_rate"].equals(runs["optimizer.learning_rate"])


def test_names_cannot_break_out_of_html_or_markdown(uri, tmp_path):
    runs = load_runs(uri, status="FAILED")[["run_name", "seed"]]
    write_table(runs, tmp_path / "runs.html")
    assert "odd | &lt;b&gt;" in (tmp_path / "runs.html").read_text()
    write_table(runs, tmp_path / "runs.md")
    assert (
        tmp_path / "runs.md"
    ).read_text() == "| run_name | seed |\n| --- | --- |\n| odd \\| &lt;b> | 7 |\n"


def test_outputs_that_cannot_be_written_are_named(tmp_path):
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(InputError, match=r"should end in one of .csv .parquet .md .html"):
        write_table(frame, tmp_path / "runs.xlsx")
    with pytest.raises(InputError, match="there is no folder"):
        write_table(frame, tmp_path / "none" / "runs.csv")
    for suffix in (".csv", ".parquet", ".md", ".html"):
        (tmp_path / f"folder{suffix}").mkdir()
        with pytest.raises(InputError, match="cannot be written"):
            write_table(frame, tmp_path / f"folder{suffix}")


def test_a_wide_table_is_printed_whole(capsys):
    frame = pd.DataFrame({f"a rather long column name {n}": [n / 3] for n in range(20)})
    print_table(frame, "title")
    printed = capsys.readouterr().out
    assert printed.startswith("title\n")
    for name in frame:
        assert name in printed
    assert "0.3333" in printed


def test_wide_characters_are_printed_on_one_line(capsys):
    print_table(pd.DataFrame({"run_name": ["学習率の比較" * 10]}), "title")
    assert "学習率の比較" * 10 in capsys.readouterr().out


def test_mean_and_spread_in_one_column():
    frame = pd.DataFrame(
        {
            "seed": [1],
            "val/accuracy mean": [0.9],
            "val/accuracy std": [0.01],
            "x mean": [2.0],
            "x std": [None],
        }
    )
    merged = merge_mean_and_std(frame)
    assert list(merged) == ["seed", "val/accuracy", "x"]
    assert merged["val/accuracy"].tolist() == ["0.9000 ± 0.0100"]
    assert merged["x"].tolist() == ["2"]
