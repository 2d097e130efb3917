"""How Sphinx makes the pages of README.md, CHANGELOG.md and docs/: `make docs`.

The pages are Markdown, and read on GitHub as well.
"""

import re
import sys
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

sys.path.insert(0, str(Path(__file__).parent))

project = "micrograde"
html_title = "micrograde"
html_theme = "furo"
html_show_copyright = False
html_copy_source = False

root_doc = "docs/index"
include_patterns = ["README.md", "CHANGELOG.md", "docs/**.md"]
exclude_patterns = [".*", "build", "mlruns", "docs/_build", "src", "tests"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say what a thing is, in words
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style"), ("Columns", "params_style")]

html_math_renderer = "mathml"


def inline(translator: HTML5Translator, node: nodes.Element) -> None:
    """A formula as browsers draw it themselves: no script, no fonts, no network."""
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def block(translator: HTML5Translator, node: nodes.Element) -> None:
    """The same on a line of its own, with the equation's number at its end."""
    formula, *number = re.split(r"\\tag\{(.*?)\}", node.astext().rstrip())
    tag = f'<span class="eqno">({number[0]})</span>' if number else ""
    math = convert(formula, display="block")
    translator.body.append(f'<div class="math" style="padding: 0.5em 0">{tag}{math}</div>')
    raise nodes.SkipNode


def write_entries(app: Sphinx, page: str, source: list[str]) -> None:  # noqa: ARG001 (Sphinx's form)
    """Put the tables of keys and of entries into their page."""
    if page == "docs/reference/keys":
        from entries import entries_page, keys_page

        tables = {"<!-- keys -->": keys_page(), "<!-- entries -->": entries_page()}
        for mark, table in tables.items():
            source[0] = source[0].replace(mark, table)


def setup(app: Sphinx) -> None:
    """Formulas as MathML; a diagram of Mermaid's as its text, which GitHub draws."""
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(block, None))
    app.add_lexer("mermaid", TextLexer)
    app.connect("source-read", write_entries)
