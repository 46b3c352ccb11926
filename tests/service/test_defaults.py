"""What a part of the program takes by itself is what a configuration gives it."""

import msgspec
import pytest

from beats_signer.config import LimitsConfig, SealingConfig
from beats_signer.receive.patience import Patience
from beats_signer.sign.pace import Pace
from lumberjack import Limits


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        (SealingConfig(), Pace()),
        (LimitsConfig(), Patience()),
        (LimitsConfig(), Limits()),
    ],
    ids=["pace", "patience", "limits"],
)
def test_the_defaults_of_a_part_are_those_of_the_configuration(
    settings: msgspec.Struct, part: object
) -> None:
    assert msgspec.convert(settings, type(part), from_attributes=True) == part
