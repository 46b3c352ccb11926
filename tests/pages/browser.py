"""Open a page in headless Chromium and return what became of it."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

__all__ = ["open_page", "save_screenshot"]

_SECONDS = 60
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1100,1000",
    "--virtual-time-budget=3000",
)


def open_page(url: str) -> str:
    """Return the document after everything on it that can run has run."""
    return _run(url, "--dump-dom")


def save_screenshot(url: str, path: Path) -> None:
    """Keep a picture of the page, for people to look at."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _run(url, f"--screenshot={path}")


def _run(url: str, action: str) -> str:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.fail("the tests of pages need chromium: install the package chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [program, *_OPTIONS, f"--user-data-dir={profile}", action, url]
        ended = subprocess.run(
            command,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
            env={**os.environ, "HOME": profile},
        )
    return ended.stdout.decode()
