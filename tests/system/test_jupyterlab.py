"""The tutorial's notebook in JupyterLab, as a user opens and runs it: `make check-release ARGS=jupyterlab`.

JupyterLab is installed there alone, and the file is left out where it is missing. Pictures of what was seen are
kept in the folder that MICROGRADE_SCREENSHOTS names.
"""

import json
import os
import shutil
import sys
import urllib.request

import pytest
from benchmarks.servers import free_port
from playwright.sync_api import expect
from tests.conftest import ROOT
from tests.system.conftest import running

NOTEBOOK = ROOT / "docs" / "tutorial" / "notebook.ipynb"
CELLS = 5  # that hold code
MILLISECONDS = 120_000  # until all have run
THEMES = ("JupyterLab Light", "JupyterLab Dark")

# Of each cell the most progress bars that stood in it at a time, and all that was said beside them.
WATCH = """() => {
    window.seen = {};
    new MutationObserver(() => {
        document.querySelectorAll(".jp-CodeCell").forEach((cell, number) => {
            const bars = [...cell.querySelectorAll(".micrograde-progress")];
            const seen = window.seen[number] ??= {most: 0, said: []};
            seen.most = Math.max(seen.most, bars.length);
            for (const bar of bars)
                if (!seen.said.includes(bar.innerText)) seen.said.push(bar.innerText);
        });
    }).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""
# What is written in outputs, and the contrast with what is behind it, as WCAG 2 defines it: from 1 to 21.
CONTRASTS = """() => {
    const parts = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((each) => each / 255)
        .map((each) => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
        .reduce((sum, each, place) => sum + each * [0.2126, 0.7152, 0.0722][place], 0);
    const behind = (element) => {
        for (; element; element = element.parentElement) {
            const found = parts(getComputedStyle(element).backgroundColor);
            if (found.length === 3 || found[3] === 1) return found;
        }
        return [255, 255, 255];
    };
    const found = [];
    for (const element of document.querySelectorAll(".jp-OutputArea-output *")) {
        const text = [...element.childNodes].filter((each) => each.nodeType === 3)
            .map((each) => each.textContent.trim()).join("");
        if (!text || element.closest("svg")) continue;
        const [high, low] = [light(parts(getComputedStyle(element).color)), light(behind(element))]
            .sort((a, b) => b - a);
        found.push([text, (high + 0.05) / (low + 0.05)]);
    }
    return found;
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of the notebook in a JupyterLab that keeps everything in one folder, and its settings."""
    folder = tmp_path_factory.mktemp("jupyterlab")
    shutil.copy(NOTEBOOK, folder / "notebook.ipynb")
    settings = folder / "settings" / "@jupyterlab"
    for name, values in {
        "apputils-extension/notification": {"fetchNews": "false"},
        "notebook-extension/tracker": {"windowingMode": "none"},  # cells out of sight are there, too
    }.items():
        path = settings / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    port, token = free_port(), "of-this-test"
    address = f"http://127.0.0.1:{port}"
    kept = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR", "LAB_WORKSPACES_DIR")
    with running(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"),
            *("--ip=127.0.0.1", f"--IdentityProvider.token={token}", "--notebook-dir=."),
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ],
        folder / "log",
        lambda: urllib.request.urlopen(f"{address}/api?token={token}", timeout=5),
        cwd=folder,
        env={
            **os.environ,
            **{f"JUPYTER{'' if name.startswith('LAB') else '_'}{name}": str(folder / name) for name in kept},
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "MICROGRADE_HOME": str(folder),
        },
    ):
        yield f"{address}/lab/tree/notebook.ipynb?reset&token={token}", settings


def opened(browser, lab, theme):
    """The notebook in a page so high that all of it is seen."""
    address, settings = lab
    path = settings / "apputils-extension" / "themes.jupyterlab-settings"
    path.write_text(json.dumps({"theme": theme}))
    page = browser.new_page(viewport={"width": 1280, "height": 5200})
    page.set_default_timeout(MILLISECONDS)
    page.goto(address)
    expect(page.locator(".jp-CodeCell")).to_have_count(CELLS, timeout=MILLISECONDS)
    expect(page.locator(f'body[data-jp-theme-name="{theme}"]')).to_have_count(1, timeout=MILLISECONDS)
    return page


def check_readable(page, theme):
    found = page.evaluate(CONTRASTS)
    assert len(found) > 100
    pale = [(text, round(contrast, 1)) for text, contrast in found if contrast < 4.5]
    assert not pale, theme
    if folder := os.environ.get("MICROGRADE_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{theme.lower().replace(' ', '-')}.png")


def test_the_tutorial_runs_in_jupyterlab_and_is_readable_in_both_themes(browser, lab):
    page = opened(browser, lab, THEMES[0])
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=MILLISECONDS)
    page.evaluate(WATCH)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    cells = page.locator(".jp-CodeCell")
    for number in range(CELLS):
        prompt = cells.nth(number).locator(".jp-InputPrompt")
        expect(prompt).to_have_text(f"[{number + 1}]:", timeout=MILLISECONDS)
    for wrong in ("stderr", "error"):
        assert page.locator(f'[data-mime-type="application/vnd.jupyter.{wrong}"]').all_inner_texts() == []

    seen = page.evaluate("() => window.seen")
    progress = [seen[str(number)] for number in range(CELLS) if seen[str(number)]["most"]]
    assert [each["most"] for each in progress] == [1, 1]  # the run's and the sweep's
    run, sweep = (each["said"] for each in progress)
    assert "epoch 20/20" in run[-1]
    assert "FINISHED" in run[-1]
    assert not any("FINISHED" in each for each in run[:-1])
    assert len(run) > 1
    assert "done 4/4" in sweep[-1]

    _, of_run, of_sweep, of_comparison, of_prediction = (cells.nth(number) for number in range(CELLS))
    for shown in (of_run, of_sweep):
        expect(shown.locator("li").first).to_be_visible()  # a finding
        expect(shown.locator("table").first).to_be_visible()
        expect(shown.locator('img[alt="learning_curves"]')).to_have_count(1)
        expect(shown.locator('img[alt="learning curves"]')).to_have_count(0)  # they were left to it
    expect(of_comparison.locator("svg").first).to_be_visible()
    expect(of_prediction.get_by_text("probability_setosa")).to_be_visible()
    widths = page.locator(".jp-OutputArea-output img").evaluate_all(
        "all => all.map(each => each.naturalWidth)"
    )
    assert len(widths) >= 4
    assert all(widths)
    check_readable(page, THEMES[0])

    page.keyboard.press("Control+s")
    expect(page.locator(".jp-mod-dirty")).to_have_count(0, timeout=MILLISECONDS)
    page.close()
    page = opened(browser, lab, THEMES[1])
    expect(page.locator(".micrograde-progress").first).to_be_visible(timeout=MILLISECONDS)
    check_readable(page, THEMES[1])
    page.close()
