"""How a configuration is read again, without a process around it."""

import asyncio
from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture

from beats_signer.config import Config, load
from beats_signer.errors import ConfigError
from beats_signer.reloading import Reloader
from tests.config.files import BASE, write


class Case:
    """A reloader, the file that it reads, and what it was told to adopt."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._capture = LogCapture()
        self.adopted: list[Config] = []
        self.refusal: ConfigError | None = None
        self.write("")
        log = structlog.wrap_logger(
            None,
            processors=[self._capture],
            wrapper_class=structlog.make_filtering_bound_logger("debug"),
        )
        self.reloader = Reloader(self._read(), self._read, self._adopt, log)

    def write(self, text: str) -> None:
        self._path = write(self._folder, BASE + text)

    def log(self) -> list[tuple[str, str]]:
        return [(line["log_level"], line["event"]) for line in self._capture.entries]

    def symptoms(self) -> list[str]:
        return [problem.symptom for problem in self.reloader.problems()]

    def _read(self) -> Config:
        return load(self._path)

    async def _adopt(self, old: Config, new: Config) -> None:
        assert old is self.reloader.config
        await asyncio.sleep(0)
        if self.refusal is not None:
            raise self.refusal
        self.adopted.append(new)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


async def test_what_has_changed_is_adopted_and_named(case: Case) -> None:
    case.write("drain_seconds: 1\n")

    outcome = await case.reloader.reload()

    assert outcome["ok"]
    assert outcome["changed"] == ("drain_seconds",)
    assert [one.drain_seconds for one in case.adopted] == [1]
    assert case.reloader.config.drain_seconds == 1
    assert case.reloader.counts == {"ok": 1, "failed": 0}
    assert case.log() == [("info", "the configuration was read again")]


async def test_without_a_change_nothing_is_adopted(case: Case) -> None:
    outcome = await case.reloader.reload()

    assert (outcome["ok"], outcome["changed"], case.adopted) == (True, (), [])


async def test_a_wrong_file_changes_nothing_and_is_a_problem_until_it_is_right(
    case: Case,
) -> None:
    case.write("drain_seconds: 1\nkibana: 1\n")

    outcome = await case.reloader.reload()

    assert not outcome["ok"]
    assert "signer.yml:5: there is no setting kibana" in outcome["error"]
    assert "Known here" in outcome["hint"]
    assert case.adopted == []
    assert case.reloader.counts == {"ok": 0, "failed": 1}
    assert case.log() == [
        ("error", "the changed configuration cannot be used, the old one stays")
    ]
    (problem,) = case.reloader.problems()
    assert "there is no setting kibana" in problem.symptom
    assert "Known here" in problem.action

    case.write("")
    await case.reloader.reload()
    assert case.symptoms() == []
    assert case.reloader.counts == {"ok": 1, "failed": 1}


async def test_what_cannot_be_adopted_changes_nothing(case: Case) -> None:
    case.write("drain_seconds: 1\n")
    case.refusal = ConfigError("no such list", hint="Name another.")
    before = case.reloader.config

    outcome = await case.reloader.reload()

    assert (outcome["error"], outcome["hint"]) == ("no such list", "Name another.")
    assert case.reloader.config is before
    assert len(case.symptoms()) == 1


async def test_what_needs_a_restart_is_named_until_it_is_taken_back(
    case: Case,
) -> None:
    case.write("drain_seconds: 1\nhttp.address: 127.0.0.1:1\n")

    first = await case.reloader.reload()
    second = await case.reloader.reload()

    assert (first["changed"], second["changed"]) == (("drain_seconds",), ())
    assert first["needs_restart"] == second["needs_restart"] == ("http.address",)
    assert case.symptoms() == ["changed settings need a restart: http.address"]
    assert ("warning", "changed settings need a restart") in case.log()

    case.write("drain_seconds: 1\n")
    await case.reloader.reload()
    assert case.symptoms() == []


async def test_two_at_once_take_turns(case: Case) -> None:
    case.write("drain_seconds: 1\n")

    outcomes = await asyncio.gather(case.reloader.reload(), case.reloader.reload())

    assert [one["changed"] for one in outcomes] == [("drain_seconds",), ()]
    assert len(case.adopted) == 1
