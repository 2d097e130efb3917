"""Names from data files, overrides and stores are text wherever they come out: paths, pages, pictures, terminals."""

import base64
import os
import pty
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt
from tests.drawing.scored import random_logits, scored_run
from tests.narrowing import not_none

from micrograde.analysis.document import Document, Paragraph, Picture, Section, Table
from micrograde.analysis.markdown import markdown
from micrograde.analysis.page import page
from micrograde.analysis.tables import print_table, write_table
from micrograde.autograd import Variable
from micrograde.core.printable import printable
from micrograde.drawing import draw_confusion_matrix, draw_learning_curves, draw_svg
from micrograde.drawing.run.calibration import Calibration
from micrograde.drawing.run.greatest_losses import GreatestLosses
from micrograde.drawing.run.precision_recall import PrecisionRecall
from micrograde.drawing.run.roc_curves import RocCurves
from micrograde.sweeps.report import report_folder

ROOT = Path(__file__).parents[2]
HOSTILE = [
    "../../evil",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</text></svg><svg onload=alert(1)>",
    "javascript:alert(1)",
    "]]><!ENTITY x SYSTEM 'file:///etc/passwd'>&x;",
    "[bold red]not bold[/]",
    "[link=http://evil.example]here[/link]",
    "\x1b[31mred\x1b]0;title\x07",
    "\x9b31mred",
    "\u202egpj.exe",
    "$\\frac{1}{0}$",
    "| a | b |\n|---|",
    "%s {0} ${oc.env:HOME} ${data.name}",
    "=HYPERLINK(1)",
]
DRAWN = {"svg", "title", "rect", "path", "circle", "text", "g", "polygon", "polyline", "ellipse"}
DRAWN |= {"image"}  # pixels that are within the file


def check_svg(text):
    """Nothing in it but shapes and text; the text."""
    root = ElementTree.fromstring(text.split("?>")[-1].partition("<svg")[1] + text.partition("<svg")[2])
    for element in root.iter():
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in DRAWN
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on")
            if "href" in name.lower():
                assert value.startswith("data:image/png;base64,")
            assert "javascript:" not in value
            assert "url(" not in value
    return "".join(root.itertext())


MARKDOWN = ["heading", "paragraph", "table", "thead", "tbody", "tr", "th", "td"]
TAGS = ["html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div"]
TAGS += ["table", "thead", "tbody", "tr", "th", "td", "code", "img"]


class Page(HTMLParser):
    """Nothing in it but tables, text and pictures of its own; ``words`` is the text."""

    def __init__(self, text):
        super().__init__()
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        assert tag in TAGS
        for name, value in attrs:
            assert name in {"lang", "charset", "name", "content", "class", "alt", "src", "border", "style"}
            if name == "src" and value.startswith("data:image/svg+xml;base64,"):
                check_svg(base64.b64decode(value.partition(",")[2]).decode())
            else:
                assert name != "src" or value.startswith("data:image/png;base64,")

    def handle_data(self, data):
        self.words += data


def check_markdown(text):
    """Nothing in it but headings, paragraphs, tables and pictures of its own."""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        assert token.type.rpartition("_")[0] in MARKDOWN or token.type in ("inline",), token.type
        for child in token.children or ():
            assert child.type in ("text", "text_special", "image"), child.type
            if child.type == "image":
                assert str(child.attrs["src"]).startswith("figures/")


@pytest.fixture(scope="module")
def user(make_user):
    """Has trained a sweep over files with hostile names, of data in which everything has one."""
    user = make_user("hostile-names")
    names = [name for name in HOSTILE if name.isprintable()]
    classes = names[:4]
    frame = pd.DataFrame({name: np.arange(80.0) % (3 + place) for place, name in enumerate(names)})
    frame["kind"] = [classes[row % len(classes)] for row in range(80)]
    frame["kind with \x1b[31m"] = frame["kind"]
    files = ["<img src=x onerror=alert(1)>.csv", "[bold]$x$[".replace("[", "(") + "&.csv"]
    for name in files:
        frame.to_csv(user.folder / name, index=False)
    user.before = set(user.files())
    swept = ",".join(f"'{name}'" for name in files)
    user.done = user.run(
        "train", "-m", "-v", "data=csv", f"data.path={swept}", "data.target=kind", "training.num_epochs=2",
        "seed=0,1", "tracking.pictures=all", "experiment_name='.. <b onclick=alert(1)> [red]'",
    )  # fmt: skip
    user.written = (
        set(user.files()) - user.before
    )  # before other tests write more, in whatever order they run
    user.classes, user.swept = classes, files
    return user


def made(user, suffix):
    return [Path(path) for path in set(user.files()) - user.before if path.endswith(suffix)]


@pytest.mark.slow
def test_nothing_is_written_outside_the_store(user):
    assert all(Path(path).is_relative_to(user.home / "mlruns") for path in user.written)
    assert len(user.runs()) == 5


@pytest.mark.slow
def test_pictures_hold_names_as_text(user):
    pictures = made(user, ".svg")
    drawn = {"confusion_matrix", "gradient_flow", "histograms", "learning_curves", "loss_surface"}
    drawn |= {"network", "update_ratios", "calibration", "greatest_losses", "precision_recall", "roc_curves"}
    drawn |= {"importances", "partial_dependence"}
    drawn |= {"by_parameter", "importance", "mean_curves"}  # of the sweep
    assert {path.stem for path in pictures} == drawn
    for path in pictures:
        words = check_svg(path.read_text())
        if path.name == "confusion_matrix.svg":
            assert "../../evil" in words
            assert "<script>alert(" in words


@pytest.mark.slow
def test_the_walkthrough_holds_names_as_text(user):
    pages = made(user, "walkthrough.html")
    assert len(pages) == 4
    for path in pages:
        text = path.read_text()
        assert "img src=x onerror" in text or "$x$" in text  # the run's name
        assert not [tag for tag in ("<img", "<b onclick", "<script>alert") if tag in text]


@pytest.mark.slow
def test_the_report_holds_names_as_text(user):
    (report,) = made(user, "report.html")
    words = Page(report.read_text()).words
    check_markdown((report.parent / "report.md").read_text())
    for name in user.swept:
        assert name in words
    again = user.run("compare", "sweep=latest", f"report={user.folder}/report", "output=table.html")
    assert printable(again.stdout.replace("\n", "")) == again.stdout.replace("\n", "")
    for path in (user.folder / "report" / "report.html", user.folder / "table.html"):
        Page(path.read_text())


@pytest.mark.slow
def test_the_terminal_gets_no_escapes(user):
    for text in (user.done.stdout, user.done.stderr):
        assert printable(text.replace("\n", "")) == text.replace("\n", "")
    assert user.swept[0] in user.done.stdout


@pytest.mark.slow
def test_a_name_is_no_markup_on_a_terminal(user):
    """With a terminal as stderr there is a bar, drawn by rich, which reads markup."""
    (user.folder / "[bold]x[').csv".replace("'", "")).write_bytes((user.folder / user.swept[1]).read_bytes())
    ours, theirs = pty.openpty()
    command = [sys.executable, str(ROOT / "pipelines" / "train.py"), "data=csv", "data.path='[bold]x[).csv'"]
    process = subprocess.Popen(
        # Named after its file alone: a longer name is cut, for the bar stays on one line.
        [*command, "data.target=kind", "training.num_epochs=2", "tracking=disabled", "run.name='[bold]x[).csv'"],
        cwd=user.folder, env={**user.environment, "COLUMNS": "200", "TERM": "xterm"},
        stdout=subprocess.PIPE, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # how a terminal says that nobody is at its other end any more
        pass
    process.communicate()
    os.close(ours)
    assert process.returncode == 0
    assert b"[bold]x[).csv" in shown


def test_a_hostile_id_makes_no_path(tmp_path):
    for name in HOSTILE:
        for run_id in ("/../../x", "../..", "0123456789abcdef"):
            folder = report_folder(tmp_path, name, run_id)
            assert folder.parent == tmp_path / "mlruns" / "reports"
            assert folder.resolve() == folder


def test_pictures_of_predictions_escape():
    labels = np.arange(40) % len(HOSTILE)
    for names, classes in ((HOSTILE, len(HOSTILE)), (HOSTILE[:2], 2)):
        logits = random_logits(labels % classes, classes, strength=0.5)
        run = scored_run({"val": (logits, labels % classes)}, names, title=HOSTILE[1])
        for entry in (RocCurves, PrecisionRecall, Calibration, GreatestLosses):
            assert "<script>alert(1)</script>" in check_svg(not_none(entry().draw(run)).text)


def test_all_pictures_and_pages_escape():
    counts = np.eye(len(HOSTILE), dtype=int)
    counts[0, 1] = 2
    words = check_svg(draw_confusion_matrix(counts, class_names=HOSTILE, title=HOSTILE[1]).text)
    assert "<script>alert(1)</script>" in words
    for name in HOSTILE:
        check_svg(draw_learning_curves({"train/loss": [1.0, 2.0]}, title=name).text)
        check_svg(draw_svg(Variable(2.0, name=name) * 3.0))
        frame = pd.DataFrame({"run_id": [name], name: [name], "value": [1.0]})
        picture = Picture(
            b"<svg xmlns='http://www.w3.org/2000/svg'/>", name, "image/svg+xml", "figures/a.svg"
        )
        section = Section(name, [Paragraph(name), Table(frame, ["run_id"]), picture])
        document = Document(name, name, [section])
        Page(page(document))
        check_markdown(markdown(document))


@pytest.mark.parametrize("suffix", ["html", "md", "csv"])
def test_tables_in_files_escape(tmp_path, suffix):
    frame = pd.DataFrame({"run_name": HOSTILE, "<i>": ["[x](javascript:alert(1))"] * len(HOSTILE)})
    path = tmp_path / f"table.{suffix}"
    write_table(frame, path)
    text = path.read_text()
    if suffix == "html":
        words = Page(text).words
        for name in ("<i>", *HOSTILE):
            assert printable(name) in words or name in words
    if suffix == "md":
        assert "<" not in text
        assert "](" not in text
        assert len(text.splitlines()) == len(HOSTILE) + 2
    if suffix == "csv":  # for programs: every value comes back as it was
        assert list(pd.read_csv(path, lineterminator="\n")["run_name"]) == HOSTILE


def test_tables_on_a_terminal_escape(capsys):
    frame = pd.DataFrame({"run_name": HOSTILE, HOSTILE[8]: range(len(HOSTILE))})
    print_table(frame, HOSTILE[8])
    shown = capsys.readouterr().out
    assert printable(shown.replace("\n", "")) == shown.replace("\n", "")
    assert "[bold red]not bold[/]" in shown
    assert "[link=http://evil.example]here[/link]" in shown
    assert "\\x1b[31mred" in shown


def test_printable_leaves_words_of_all_languages_as_they_are():
    for text in ("naïve", "学习率 0.1", "a\u00a0b\u3000c", "学习 × μ ± 🙂"):
        assert printable(text) == text
    assert printable("a\nb\x1b[0m\u2028\u202e\udcff\x85") == "a\\nb\\x1b[0m\\u2028\\u202e\\udcff\\x85"
