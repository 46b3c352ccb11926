"""docs/configuration.md: every setting, as it is declared."""

from beats_signer.config import Config
from tests.config.test_config import setting_names
from tools.reference import PAGE, render_reference


def test_the_page_is_that_of_the_declarations() -> None:
    assert PAGE.read_text() == render_reference(), "run tools/update_readme.py"


def test_every_setting_is_on_it() -> None:
    text = render_reference()
    missing = {
        name
        for name in setting_names(Config)
        if f".{name}`" not in text
        and f"`{name}`" not in text
        and f"{name}\n" not in text
    }

    assert missing == set()
