"""The MLflow UI as a user sees it: a run, its charts and files, a sweep with its runs, three runs compared.

Pictures of what was seen are kept in the folder that MICROGRADE_SCREENSHOTS names; docs/ has some of them.
"""

import getpass
import os
import re
import sys
import urllib.request
from pathlib import Path

import pytest
from benchmarks.servers import free_port
from playwright.sync_api import Locator, Page, expect
from tests.conftest import ROOT, User
from tests.system.conftest import running

from micrograde.cli.commands.ui import address_of
from micrograde.store import tags

UI = ROOT / "pipelines" / "ui.py"
MILLISECONDS = 60_000  # until what has not appeared is given up
expect.set_options(timeout=MILLISECONDS)


class Store:
    """The UI on a store with a run and a sweep of four."""

    def __init__(self, user: User, address: str) -> None:
        self.address = address
        # What `make ui` opens in a browser.
        self.shown = address_of("127.0.0.1", int(address.rpartition(":")[2]))
        runs = user.runs()
        self.experiment = runs[0].info.experiment_id
        (self.sweep,) = [run for run in runs if tags.SWEEP_DIGEST in run.data.tags]
        self.children = [run for run in runs if run.data.tags.get(tags.PARENT) == self.sweep.info.run_id]
        (self.run,) = [run for run in runs if run not in [self.sweep, *self.children]]


@pytest.fixture(scope="module")
def store(make_user, tmp_path_factory):
    user = make_user("ui")
    user.run("train", "model.batch_norm=false", "model.initial_scale=5", "run.name=defaults")
    user.run("train", "-m", "optimizer.learning_rate=0.1,0.3", "seed=0,1", "training.num_epochs=10")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with running(
        [sys.executable, str(UI), "--port", str(port)],
        tmp_path_factory.mktemp("ui-log") / "log",
        lambda: urllib.request.urlopen(f"{address}/health", timeout=5),
        env={**os.environ, "MICROGRADE_HOME": str(user.home)},
    ):
        yield Store(user, address)


@pytest.fixture
def page(browser, store):
    """The list of experiments, at the address that `make ui` prints, in a browser that was never there."""
    context = browser.new_context(viewport={"width": 1360, "height": 860})
    context.set_default_timeout(MILLISECONDS)
    page = context.new_page()
    page.goto(store.shown)
    page.get_by_role("link", name="Model registry").wait_for()  # which the pages for language models lack
    yield page
    context.close()


def show(page: Page, name: str) -> None:
    """Keep a picture of what is seen, if somebody wants it, without what is of this machine alone."""
    if folder := os.environ.get("MICROGRADE_SCREENSHOTS"):
        page.wait_for_timeout(1500)  # charts move into their places
        own = [page.get_by_text("Path: file:"), page.get_by_text("micrograde.host").locator("xpath=../..")]
        own.append(page.get_by_role("link", name=getpass.getuser(), exact=True))
        page.screenshot(path=Path(folder) / f"{name}.png", mask=own, mask_color="#ffffff")


def open_experiment(page: Page) -> None:
    page.get_by_role("link", name="digits").first.click()
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    page.get_by_role("button", name="Close").click()  # the assistant


def open_run(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def group(page: Page, name: str) -> Locator:
    """The head of a group of charts."""
    return page.get_by_role("button").filter(has=page.get_by_text(name, exact=True))


def unfold(page: Page, sweep: str) -> None:
    """Show a sweep's runs beneath it."""
    page.get_by_role("gridcell", name=sweep).get_by_role("button").first.click()


def test_a_sweep_unfolds_into_its_runs(page, store):
    open_experiment(page)
    expect(page.get_by_role("link", name="defaults", exact=True)).to_be_visible()
    children = [child.info.run_name for child in store.children]
    assert len(set(children)) == 4
    for name in children:
        expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)
    unfold(page, store.sweep.info.run_name)
    for name in children:
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    show(page, "mlflow-sweep")


def test_a_sweep_says_its_best_setting_and_has_its_report(page, store):
    open_experiment(page)
    open_run(page, store.sweep.info.run_name)
    expect(page.get_by_text("mean of 2 runs").first).to_be_visible()
    expect(page.get_by_text("in the middle with").first).to_be_visible()
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("report.html", exact=True).click()
    report = page.frame_locator("iframe")
    for heading in ("The question", "The best setting", "What to try next"):
        expect(report.get_by_role("heading", name=re.compile(heading)).first).to_be_attached()
    show(page, "mlflow-report")


@pytest.mark.usefixtures("store")
def test_a_run_says_what_stands_out_and_has_its_charts_in_groups(page):
    open_experiment(page)
    open_run(page, "defaults")
    expect(page.get_by_text("the initial scale is too large").first).to_be_visible()
    show(page, "mlflow-run")
    page.get_by_role("tab", name="Model metrics").click()
    expect(group(page, "test")).to_be_visible()
    show(page, "mlflow-charts")
    diagnostics = ("activation", "gradient", "gradient_check", "gradient_norm", "update_ratio")
    names = ["kept/val", "test", "train", "val", *(f"within/{name}" for name in diagnostics)]
    places = []
    for name in names:
        expect(group(page, name)).to_have_attribute("aria-expanded", "true")
        group(page, name).click()
        expect(group(page, name)).to_have_attribute("aria-expanded", "false")
    for name in names:
        places.append(group(page, name).bounding_box()["y"])
    assert places == sorted(places)


@pytest.mark.usefixtures("store")
def test_a_run_has_its_drawn_network_and_its_walkthrough(page):
    open_experiment(page)
    open_run(page, "defaults")
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("graph", exact=True).click()
    page.get_by_text("network.svg", exact=True).click()
    picture = page.get_by_role("img", name="graph/network.svg")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 500
    page.get_by_text("walkthrough.html", exact=True).click()
    walkthrough = page.frame_locator("iframe")
    slider = walkthrough.get_by_role("slider").first
    expect(slider).to_be_visible()
    before = slider.input_value()
    walkthrough.get_by_role("button", name=re.compile("forward|next", re.IGNORECASE)).first.click()
    expect(slider).not_to_have_value(before)
    show(page, "mlflow-walkthrough")


def test_the_models_of_the_run_and_of_the_sweeps_best_are_listed(page, store):
    open_experiment(page)
    page.get_by_role("link", name="Models", exact=True).click()
    models = page.get_by_role("link", name="classifier", exact=True)
    expect(models).to_have_count(2)
    expect(page.get_by_text("Ready", exact=True)).to_have_count(2)
    best = store.sweep.data.tags[tags.BEST_RUN_ID]
    expect(page.locator(f'a[href*="/runs/{best}"]').first).to_be_visible()
    models.first.click()
    expect(page.get_by_text("test/accuracy").first).to_be_visible()


def test_three_runs_of_a_sweep_are_compared(page, store):
    open_experiment(page)
    unfold(page, store.sweep.info.run_name)
    names = [child.info.run_name for child in store.children[:3]]
    for name in names:
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))
        row.get_by_role("checkbox", name="row selection").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="Comparing 3 Runs")).to_be_visible()
    expect(page.get_by_text("val/loss", exact=True).first).to_be_visible()  # in the picture it opens with
    for name in names:
        expect(page.get_by_role("cell", name=name, exact=True)).to_be_visible()
    for parameter in ("optimizer.learning_rate", "seed"):
        expect(page.get_by_role("rowheader", name=parameter, exact=True)).to_be_visible()
    show(page, "mlflow-compare")
