"""What runs say of the rows that they held out: of classes, several labels and numbers."""

import numpy as np
import pandas as pd
import pytest

from micrograde.analysis.out_of_fold import first_setting, held_out_rows, of_rows, words_of_rows


def of_classes(truth, predicted, shares, loss):
    rows = np.arange(len(truth)) + 1
    return pd.DataFrame(
        {
            "row": [*rows, 99],
            "part": ["test"] * len(rows) + ["train"],
            "true": [*truth, "a"],
            "predicted": [*predicted, "a"],
            "loss": [*loss, 0.0],
            "probability_a": [*shares, 1.0],
            "probability_b": [1 - share for share in shares] + [0.0],
        }
    )


def test_rows_that_most_runs_miss_come_first_then_those_of_the_larger_loss():
    first = held_out_rows(of_classes("abab", "aaab", [0.9, 0.8, 0.6, 0.4], [0.1, 1.6, 0.5, 0.5]))
    second = held_out_rows(of_classes("abab", "bbab", [0.2, 0.3, 0.7, 0.3], [1.7, 0.3, 0.4, 0.3]))
    assert first["row"].tolist() == [1, 2, 3, 4]
    assert first["probability"].tolist() == pytest.approx([0.9, 0.2, 0.6, 0.6])
    rows = of_rows(pd.concat([first, second]))
    assert rows["row"].tolist() == [2, 1, 3, 4]
    assert rows["missed"].tolist() == [0.5, 0.5, 0, 0]
    assert rows["tested"].tolist() == [2, 2, 2, 2]
    assert rows["probability"].tolist() == pytest.approx([0.45, 0.55, 0.65, 0.65])
    assert rows["predicted"].tolist() == ["a", "a", "a", "b"]  # of equally many the first by name
    assert list(rows) == ["row", "true", "tested", "missed", "probability", "predicted", "loss"]
    assert words_of_rows(rows) == "4 rows, each tested 2 times; most missed: rows 2, 1"
    assert words_of_rows(rows[2:]) == "2 rows, each tested 2 times; none was missed"


def test_a_row_for_which_numbers_overflow_is_missed():
    predictions = of_classes("ab", "ab", [0.9, 0.1], [0.1, np.nan])
    predictions.loc[1, "predicted"] = None
    assert held_out_rows(predictions)["missed"].tolist() == [0, 1]


def test_settings_keep_their_order_and_the_first_is_the_best():
    each = held_out_rows(of_classes("ab", "bb", [0.2, 0.1], [1.6, 0.1]))
    runs = pd.concat([each.assign(rate=rate, layers=layers) for rate, layers in ((0.3, 2), (0.1, 1))])
    rows = of_rows(runs, ["rate", "layers"])
    assert rows["rate"].tolist() == [0.3, 0.3, 0.1, 0.1]
    assert first_setting(rows)["row"].tolist() == [1, 2]
    assert next(iter(first_setting(rows))) == "row"
    assert words_of_rows(rows) == "2 rows, each tested once by the best setting; most missed: row 1"


def test_of_several_labels_a_row_is_missed_if_one_is_wrong():
    predictions = pd.DataFrame(
        {
            "row": [5, 6],
            "part": "test",
            "true_x": [1, 0],
            "predicted_x": [1.0, 1.0],
            "true_y": [0, 0],
            "predicted_y": [0.0, 0.0],
            "loss": [0.1, 2.0],
            "probability_x": [0.8, 0.7],
            "probability_y": [0.5, 0.0],
        }
    )
    rows = of_rows(held_out_rows(predictions))
    assert rows["row"].tolist() == [6, 5]
    assert rows["missed"].tolist() == [1, 0]
    assert rows["probability"].tolist() == pytest.approx([0.3, 0.4])
    assert rows["true_x"].tolist() == [0, 1]


def test_numbers_have_a_residual_and_an_error():
    def run(predicted, loss):
        return held_out_rows(
            pd.DataFrame(
                {"row": [1, 2], "part": "test", "true": [1.0, 4.0], "predicted": predicted, "loss": loss}
            )
        )

    rows = of_rows(pd.concat([run([2.0, 4.5], [0.3, 0.1]), run([0.0, 5.5], [0.3, 0.7])]))
    assert rows["row"].tolist() == [2, 1]
    assert rows["residual"].tolist() == [-1, 0]
    assert rows["absolute_error"].tolist() == [1, 1]
    assert rows["predicted"].tolist() == [5, 1]
    assert words_of_rows(rows) == "2 rows, each tested 2 times; largest loss: rows 2, 1"
