"""
Makes the modules of mutants importable beside the tests.
"""

from __future__ import annotations

import sys
from pathlib import Path


sys.path.append(str(Path(__file__).parent))
