"""
Sphinx configuration of the manual.
"""

from __future__ import annotations

import sys
from pathlib import Path


sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "warpbeam"
author = "the warpbeam contributors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "states"]
html_theme = "furo"
exclude_patterns = ["_build"]
default_role = "code"
autodoc_typehints = "none"
