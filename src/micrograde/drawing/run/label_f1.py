"""The F1 of each label as a bar, beside what saying the label of each row gives."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.heading import heading
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.run.scored_labels import ScoredLabels, shown_labels, words_on_labels
from micrograde.drawing.run.scored_rows import share_text
from micrograde.drawing.style import INK, PALE_INK, TRAIN_COLOUR, VALIDATION_COLOUR
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.text import fitted

_WIDTH, _LEFT, _BARS = 720.0, 170.0, 300.0
_LINE, _BAR = 26.0, 14.0
_MOST = 30


def f1_of_labels(scored: ScoredLabels) -> NDArray[np.float64]:
    """Return the F1 of each label, (K,); NaN of one that no row has and none is said to have."""
    true, said = scored.labels == 1, scored.predicted == 1
    right, all_of_both = (true & said).sum(axis=0), true.sum(axis=0) + said.sum(axis=0)
    found = np.full(len(scored.names), np.nan)
    np.divide(2 * right, all_of_both, out=found, where=all_of_both > 0)
    return found


def draw_label_f1(scored: ScoredLabels, *, title: str) -> Svg:
    """Draw a bar for each label, the least F1 first, and a tick where saying it of each row would be."""
    f1, true, said = f1_of_labels(scored), scored.labels == 1, scored.predicted == 1
    order = np.argsort(np.nan_to_num(f1, nan=2.0), kind="stable")[:_MOST]
    words = words_on_labels("F1", f1, scored.names, min(_MOST, int(np.count_nonzero(~np.isnan(f1)))))
    words += "; orange: saying the label of each row"
    above = heading(title, f"{scored.words()}: {words}", _WIDTH)
    canvas = Canvas(_WIDTH, above.height + 20 + _LINE * len(order))
    above.draw(canvas)
    for row, place in enumerate(order.tolist()):
        middle = above.height + 14 + _LINE * row + _LINE / 2
        canvas.text(_LEFT - 10, middle + 4, fitted(scored.names[place], 12, _LEFT - 30), anchor="end")
        of_it, found = int(true[:, place].sum()), int(said[:, place].sum())
        if np.isnan(f1[place]):
            canvas.text(_LEFT, middle + 4, "no row has it, and none is said to", anchor="start")
            continue
        canvas.rectangle(_LEFT, middle - _BAR / 2, _BARS * float(f1[place]), _BAR, TRAIN_COLOUR)
        share = of_it / len(scored)
        tick = _LEFT + _BARS * 2 * share / (1 + share)
        canvas.line((tick, middle - 10), (tick, middle + 10), VALIDATION_COLOUR, width=2)
        right = int((true & said)[:, place].sum())
        text = f"F1 {share_text(float(f1[place]))}: {of_it} have it, {found} are said to, {right} rightly"
        canvas.text(_LEFT + _BARS + 12, middle + 4, text, anchor="start", size=11, colour=INK)
    canvas.line((_LEFT, above.height + 14), (_LEFT, above.height + 14 + _LINE * len(order)), PALE_INK)
    return canvas.finish(f"F1 of labels: {title}; {scored.words()}: {words}")


@PICTURES.register
class LabelF1(RunPicture):
    """The F1 of each label, with how many rows have it, are said to, and are said to rightly."""

    name: ClassVar[str] = "label_f1"
    task: ClassVar[str | None] = "multilabel"
    files: ClassVar[tuple[str, ...]] = ("figures/label_f1.svg",)

    def draw(self, run: RunContents) -> Svg | None:
        """Draw the validation part, else the test part, else the training part."""
        scored = shown_labels(run)
        return draw_label_f1(scored, title=run.title) if scored else None
