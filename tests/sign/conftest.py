"""The world that most of these tests happen in."""

from pathlib import Path

import pytest

from tests.sign.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)
