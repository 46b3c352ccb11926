"""A signer of its own for each real client, and the mark ``peers`` on its tests."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.senders.conftest import founded, signer

__all__ = ["founded", "pytest_collection_modifyitems", "signer"]

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark what is here: it needs other programs."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.peers)
