"""Files that change: what is read, when, and what is not."""

import os
from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture

from beats_signer.errors import ConfigError
from beats_signer.receive.watched import Watched

CHANGED = "changed files are in use"
KEPT = "changed files cannot be used, what was read before stays in use"


class Reading:
    """A file of text, of which the word ``bad`` cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reads = 0
        self._log = LogCapture()
        self.logger = structlog.wrap_logger(None, processors=[self._log])
        path.write_text("one")
        self.watched = Watched([path], self._read)

    def _read(self) -> str:
        self.reads += 1
        try:
            text = self.path.read_text()
        except OSError as error:
            raise ConfigError(f"cannot read {self.path.name}") from error
        if text == "bad":
            raise ConfigError("it is bad", hint="Make it good.")
        return text

    async def look(self) -> bool:
        return await self.watched.look(self.logger)

    @property
    def lines(self) -> list[str]:
        return [line["event"] for line in self._log.entries]


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    return Reading(tmp_path / "file")


async def test_what_does_not_change_is_read_once(reading: Reading) -> None:
    assert [await reading.look() for _ in range(3)] == [False] * 3

    assert (reading.watched.value, reading.reads) == ("one", 1)


async def test_a_change_is_read_when_it_stays_as_it_is(reading: Reading) -> None:
    reading.path.write_text("two")

    assert not await reading.look()
    assert reading.watched.value == "one"
    assert await reading.look()
    assert reading.watched.value == "two"
    assert not await reading.look()
    assert reading.lines == [CHANGED]


async def test_what_is_still_being_written_is_not_read(reading: Reading) -> None:
    for size in range(1, 6):
        reading.path.write_text("x" * size)
        assert not await reading.look()
    assert reading.reads == 1

    assert await reading.look()
    assert reading.watched.value == "xxxxx"


async def test_a_file_that_takes_the_place_of_another_is_a_change(
    reading: Reading, tmp_path: Path
) -> None:
    before = reading.path.stat()
    other = tmp_path / "other"
    other.write_text("new")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(reading.path)

    await reading.look()
    assert await reading.look()
    assert reading.watched.value == "new"


async def test_a_link_that_points_elsewhere_is_a_change(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    second.write_text("second")
    link = tmp_path / "link"
    link.symlink_to(first)
    reading = Reading(link)
    link.unlink()
    link.symlink_to(second)

    await reading.look()
    assert await reading.look()
    assert reading.watched.value == "second"


async def test_what_cannot_be_used_is_told_once_for_each_change(
    reading: Reading,
) -> None:
    reading.path.write_text("bad")
    for _ in range(5):
        assert not await reading.look()

    assert reading.lines == [KEPT]
    assert (reading.watched.value, reading.reads) == ("one", 2)
    problem = reading.watched.problem
    assert problem is not None
    assert problem.symptom == "changed files cannot be used: it is bad"

    reading.path.touch()
    reading.path.write_text("bad")
    for _ in range(5):
        await reading.look()
    assert reading.lines == [KEPT, KEPT]


async def test_a_file_that_is_gone_keeps_its_value(reading: Reading) -> None:
    reading.path.unlink()
    for _ in range(3):
        assert not await reading.look()

    assert reading.watched.value == "one"
    assert reading.lines == [KEPT]


async def test_a_file_that_is_good_again_is_no_problem_any_more(
    reading: Reading,
) -> None:
    reading.path.write_text("bad")
    await reading.look()
    await reading.look()
    reading.path.write_text("good")
    await reading.look()

    assert await reading.look()
    assert reading.watched.problem is None
    assert reading.watched.value == "good"


def test_what_cannot_be_used_at_the_start_is_an_error(tmp_path: Path) -> None:
    def read() -> str:
        raise ConfigError("it is bad")

    with pytest.raises(ConfigError, match="it is bad"):
        Watched([tmp_path / "file"], read)
