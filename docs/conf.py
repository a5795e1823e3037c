"""
Sphinx configuration of the manual.
"""

from __future__ import annotations


project = "warpbeam"
author = "the warpbeam contributors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
exclude_patterns = ["_build"]
default_role = "code"
autodoc_typehints = "none"
