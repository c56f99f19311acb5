# SPDX-License-Identifier: ISC
"""The oracle's modules, and those that the system tests share."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "system")]
