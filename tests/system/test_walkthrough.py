"""The walkthrough in a real browser: it plays, says what the engine says, and needs no mouse and no network."""

import re
from html import escape
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import expect

from micrograde.autograd import Variable
from micrograde.drawing import draw_walkthrough, walk_through_network
from micrograde.drawing.walkthrough.page import LIMIT
from micrograde.drawing.walkthrough.steps import walk
from micrograde.gradcheck.comparison import trace_first_sample, trace_replica
from micrograde.nn import MLP
from micrograde.training import Samples


def samples(sizes):
    random = np.random.default_rng(3)
    labels = random.integers(sizes[-1], size=16)
    return Samples(random.normal(size=(16, sizes[0])), np.eye(sizes[-1])[labels], labels)


def network(*sizes):
    return MLP(sizes[0], sizes[1:-1], sizes[-1], generators=[np.random.default_rng(0)])


class Shown:
    """A page that is open, and the graph that it shows; `problems` must stay empty."""

    def __init__(self, page, graph, problems):
        self.page, self.graph, self.problems = page, graph, problems

    def box(self, number):
        return self.page.locator(f'[data-node="{number}"]')

    def number_of(self, name):
        (number,) = [node.number for node in self.graph.nodes if node.name == name]
        return number

    @property
    def where(self):
        return self.page.locator("#where").inner_text()


def small(folder):
    sizes = (3, 5, 2)
    model, batch = network(*sizes), samples(sizes)
    trace = trace_first_sample(model, 0, batch.features, batch.targets)
    walk_through_network(model, batch, title="the notebook's network").save(folder / "walkthrough.html")
    return trace


def digits(folder):
    sizes = (64, 32, 10)
    model, batch = network(*sizes), samples(sizes)
    rows = batch.first(8)
    trace = trace_replica(model, 0, rows.features, rows.targets)
    walk_through_network(model, batch, title="digits").save(folder / "walkthrough.html")
    return trace


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a network's page from disk; when the test ends nothing must have been said on the console."""
    contexts, problems = [], []

    def is_asked_for(request):
        if not request.url.startswith("file:"):
            problems.append(request.url)

    def open_page(make=small, address="file://{}", **options):
        trace = make(tmp_path)
        trace.loss.backward()
        path = tmp_path / "walkthrough.html"
        context = browser.new_context(**{"reduced_motion": "reduce", **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        page.on("request", is_asked_for)
        page.goto(address.format(path))
        return Shown(page, walk(trace.loss, LIMIT), problems)

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def exact(shown, function, number):
    """A value or a gradient as the page's scripts have it, in the engine's shape."""
    got = shown.page.evaluate(f"window.micrograde.{function}({number})")
    return np.array(got["entries"]).reshape(got["shape"]) if isinstance(got, dict) else got


@pytest.mark.parametrize("make", [small, digits])
def test_the_values_on_the_page_are_the_engines(opened, make):
    shown = opened(make)
    shown.page.keyboard.press("End")
    for node in shown.graph.nodes:
        assert np.array_equal(exact(shown, "value", node.number), node.value)
        text = shown.box(node.number).locator(".value").text_content()
        if node.shape:
            assert text == " × ".join(map(str, node.shape))
        else:
            assert float(text) == float(f"{node.value:.3e}")
        if node.gradient is None:
            assert exact(shown, "gradient", node.number) is None
        else:
            assert np.array_equal(exact(shown, "gradient", node.number), node.gradient)
            grad = float(shown.box(node.number).locator(".gradient").text_content().split()[-1])
            assert grad == pytest.approx(
                np.linalg.norm(node.gradient) if node.shape else node.gradient, rel=5e-4
            )


def test_the_terms_of_every_gradient_are_read_on_the_page(opened):
    shown = opened()
    page = shown.page
    forward = 1 + sum(way == "forward" for way, _ in shown.graph.steps)
    looked_at = shown.graph.steps[forward::7]
    assert len(looked_at) > 10
    for _, number in looked_at:
        node = shown.graph.nodes[number]
        shown.box(number).dispatch_event("click")
        products = page.locator("#panel .multiplied")
        shares = [
            (user.gradient, share.local, share.value)
            for user in shown.graph.nodes
            for operand, share in zip(user.operands, user.shares, strict=True)
            if operand == number
        ]
        assert products.count() == len(shares)
        for at, numbers in enumerate(shares):
            read = products.nth(at).locator("data")
            assert [float(each.get_attribute("value")) for each in read.all()] == list(numbers)
            assert [float(each) for each in read.all_inner_texts()] == [
                float(f"{each:.4e}") for each in numbers
            ]
        if len(shares) > 1:
            total = page.locator("#panel .total data").last
            assert float(total.get_attribute("value")) == node.gradient
            assert sum(each[2] for each in shares) == pytest.approx(node.gradient, rel=1e-12)


def test_play_goes_from_the_first_step_to_the_last(opened):
    shown = opened(digits)
    page, steps = shown.page, len(shown.graph.steps)
    page.get_by_label("Speed").select_option("20 steps a second")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator("#where")).to_have_text(
        re.compile(rf"step {steps} of {steps}, backward: "), timeout=60_000
    )
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert page.locator(".box.pending").count() == 0
    page.get_by_role("button", name="First").click()
    assert shown.where == f"step 1 of {steps}, what is given"
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Pause").click()


def test_every_step_is_reached_by_the_arrow_keys_and_explains_itself(opened):
    shown = opened(digits)
    page, steps = shown.page, shown.graph.steps
    for at, (way, number) in enumerate(steps):
        label = shown.box(number).get_attribute("aria-label").split(", value ")[0]
        text = f"step {at + 1} of {len(steps)}, " + ("what is given" if way == "given" else f"{way}: {label}")
        assert shown.where == text
        assert page.get_by_role("heading", level=2).nth(1).inner_text() == text[0].upper() + text[1:]
        assert page.locator("#announcement").inner_text().startswith(text)
        assert page.get_by_role("slider", name="Step").get_attribute("aria-valuetext") == text
        if way != "given":
            assert page.locator(".box.current").get_attribute("data-node") == str(number)
            heading = "Local derivative" if way == "forward" else "Where its gradient comes from"
            expect(page.get_by_role("heading", name=heading)).to_be_visible()
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert shown.where.startswith(f"step {len(steps) - 1} of")
    page.keyboard.press("Home")
    assert shown.where.startswith("step 1 of")


def test_what_is_not_yet_computed_is_not_told(opened):
    shown = opened()
    end = shown.box(len(shown.graph.nodes) - 1)
    assert end.get_attribute("aria-label").endswith("value not yet computed")
    assert end.locator(".value").text_content() == "…"
    shown.page.keyboard.press("End")
    assert re.search(r"value [\d.]+, gradient 1$", end.get_attribute("aria-label"))


def test_the_slider_goes_to_a_step(opened):
    shown = opened()
    slider = shown.page.get_by_role("slider", name="Step")
    slider.fill("30")
    assert shown.where.startswith("step 30 of")
    slider.press("ArrowRight")
    assert shown.where.startswith("step 31 of")


def test_a_keyboard_is_enough(opened):
    shown = opened()
    page = shown.page

    def focused():
        return page.evaluate("document.activeElement.id || document.activeElement.dataset.node || ''")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the step")).to_be_focused()
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(focused())
    for control in (
        "play",
        "forward",
        "last",
        "slider",
        "speed",
        "zoom-in",
        "zoom-out",
        "zoom-fit",
        "0",
        "1",
    ):
        assert control in reached
    expect(page.locator(".box:focus")).to_be_in_viewport()
    number = int(focused())
    page.keyboard.press("Enter")
    label = shown.graph.nodes[number].label
    expect(page.get_by_role("heading", name=f"Node {label}", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Where its gradient comes from")).to_be_visible()
    link = page.locator("#panel button.node").first
    to = link.inner_text()
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Node {to}", exact=True)).to_be_focused()
    page.keyboard.press("ArrowRight")
    assert shown.where.startswith("step 2 of")
    page.get_by_role("button", name="Play").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_focused()


def test_a_heat_map_is_read_entry_by_entry(opened):
    shown = opened(digits)
    page = shown.page
    number = shown.number_of("layer2.weights")
    shown.box(number).focus()
    page.keyboard.press("Enter")
    value = shown.graph.nodes[number].value
    picture = page.get_by_role("application", name=re.compile("^value: 32 × 10, min "))
    picture.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        picture.press(key)
    said = page.locator("#panel figure", has=picture).locator("output")
    expect(said).to_have_text(re.compile(r"^\[2, 1\] = "))
    assert float(said.locator("data").get_attribute("value")) == value[2, 1]
    assert shown.where.startswith("step 1 of")  # the keys did not step


def test_everything_that_can_be_used_has_a_name(opened):
    for make in (small, digits):
        shown = opened(make)
        page = shown.page
        assert page.locator("html").get_attribute("lang") == "en"
        for key in ("Home", "ArrowRight", "End"):
            page.keyboard.press(key)
            for role in ("button", "slider", "combobox", "application", "link"):
                everything = page.get_by_role(role)
                assert everything.count() == page.get_by_role(role, name=re.compile(r"\S")).count()
            levels = page.evaluate(
                "[...document.querySelectorAll('h1,h2,h3')].map(each => Number(each.tagName[1]))"
            )
            assert levels[0] == 1
            assert all(after - before <= 1 for before, after in pairwise(levels))
        node = shown.graph.nodes[shown.number_of("layer1.weights" if make is digits else "x[0]")]
        assert (
            page.get_by_role(
                "button", name=re.compile(rf"^{re.escape(node.label)}, value .*, gradient ")
            ).count()
            == 1
        )


CONTRAST = """() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    context.clearRect(0, 0, 1, 1); context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => {
    const parts = colour.slice(0, 3).map((each) => each / 255)
      .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const ground = (element) => {
    if (element.closest(".box")) return rgb(getComputedStyle(element.closest(".box").querySelector("rect")).fill);
    for (let each = element; each; each = each.parentElement) {
      const colour = rgb(getComputedStyle(each).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  return [...document.querySelectorAll("h1, h2, h3, p, li, button, label, data, select, summary, figcaption, text")]
    .filter((each) => each.getClientRects().length)
    .map((each) => {
      const style = getComputedStyle(each);
      const a = light(rgb(each.tagName === "text" ? style.fill : style.color)), b = light(ground(each));
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), each.outerHTML.slice(0, 80)];
    }).filter(([contrast]) => contrast < 4.5);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(opened, scheme):
    shown = opened(digits, color_scheme=scheme)
    paper = shown.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 24, 27)"}[scheme]
    for step in ("1", "8", "40"):
        shown.page.get_by_role("slider", name="Step").fill(step)
        assert shown.page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("size", [(320, 640), (683, 384), (1366, 768)])
def test_the_page_fits_a_narrow_screen_and_a_large_zoom(opened, size):
    shown = opened(digits, viewport={"width": size[0], "height": size[1]})
    for step in ("2", "20", "50"):
        shown.page.get_by_role("slider", name="Step").fill(step)
        width = shown.page.evaluate("document.documentElement.scrollWidth")
        assert width <= size[0]


def test_it_runs_in_the_frame_that_mlflow_shows_it_in(tmp_path, opened):
    shown = opened()
    text = (tmp_path / "walkthrough.html").read_text(encoding="utf-8")
    outer = tmp_path / "outer.html"
    outer.write_text(
        f'<!DOCTYPE html><iframe sandbox="allow-scripts" srcdoc="{escape(text)}" width=1200 height=700>'
    )
    shown.page.goto(f"file://{outer}")
    frame = shown.page.frame_locator("iframe")
    frame.get_by_role("button", name="Last").click()
    steps = len(shown.graph.steps)
    expect(frame.locator("#where")).to_have_text(re.compile(f"^step {steps} of {steps}"))
    frame.locator('[data-node="0"]').focus()
    frame.locator('[data-node="0"]').press("Enter")
    expect(frame.get_by_role("heading", name="Where its gradient comes from")).to_be_visible()


def test_hostile_names_and_values_that_are_not_finite_are_only_text(browser, tmp_path):
    name = "</script><img src=x onerror=alert(1)><script>throw 1</script>"
    x = Variable(np.array([1.0, np.nan, np.inf]), name=name)
    with np.errstate(all="ignore"):
        root = (x * Variable(-np.inf, name=name)).sum()
        root.backward()
        draw_walkthrough(root, title=name, subtitle=name).save(tmp_path / "page.html")
    context = browser.new_context()
    page = context.new_page()
    problems = []

    def is_opened(dialog):
        problems.append(dialog.message)
        dialog.dismiss()

    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", is_opened)
    page.on("console", lambda message: problems.append(message.text))
    page.goto(f"file://{tmp_path / 'page.html'}")
    assert page.get_by_role("heading", level=1).inner_text() == name
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    assert page.locator("img").count() == 0
    assert page.locator(".box .odd").count() > 0
    assert page.locator("#panel .odd").count() > 0 or "not finite" in page.locator("#panel").inner_text()
    assert problems == []
    context.close()
