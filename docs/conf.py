"""Sphinx's settings. The build asks nothing of the network and runs no notebook."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "kernels"), str(HERE / "extensions")]

import minidl  # noqa: E402

project = "minidl"
author = "minidl contributors"
copyright = "minidl contributors; MIT licence"
release = version = minidl.__version__

extensions = [
    "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "myst_nb",
    "public_names", "plain_docstrings", "mathml",
]  # fmt: skip
exclude_patterns = ["extensions", "jupyter_execute"]

html_theme = "furo"
html_title = f"minidl {release}"
html_show_sphinx = False

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the outputs that are in the notebooks; a test runs them

autodoc_default_options = {"members": True}
autodoc_inherit_docstrings = False
autodoc_typehints = "none"  # docstrings say what arguments are; the hints stand in the source, one click away
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_use_rtype = False
napoleon_use_ivar = True
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

nitpicky = True  # a name that leads nowhere is an error
nitpick_ignore_regex = [  # of Python, NumPy and Pillow; and what only reports hold
    ("py:exc", r"(PIL\.)?[A-Z]\w+(Error|Warning)"),
    ("py:class", r"(collections|numpy|pathlib)\..*|minidl\.checking\.diagnosis\.report\.Wrong"),
]
