"""How a test runs the program as a process of its own."""

import os
import sys
from pathlib import Path

__all__ = ["COMMAND", "ENVIRONMENT"]

_ROOT = Path(__file__).parents[2]

COMMAND = [sys.executable, "-m", "beats_signer"]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": f"{_ROOT}{os.pathsep}{_ROOT / 'protocol'}",
}
"""Runs from the checkout, installed or not."""
