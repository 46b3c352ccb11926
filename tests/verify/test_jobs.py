"""Several processes verify, and none of them can make the answer a wrong one."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from beats_signer.errors import SourceError
from beats_signer.verify.division import Division
from beats_signer.verify.readable import Readable
from beats_signer.verify.report import Report
from beats_signer.verify.run import Verification
from beats_signer.verify.source import open_source
from beats_signer.verify.workers import Opener, Workers
from tests.elasticsearch.fake import Fake
from tests.verify.archives import store
from tests.verify.command import Shell
from tests.verify.damage import whole_world
from tests.verify.dividing import same
from tests.verify.signer import World, events
from tests.verify.stored import Stored
from tests.verify.verifying import NOW, verify_folder

ROOT = Path(__file__).parents[2]
JOBS = 2
SEALS, EACH = 11, 400
"""Of a chain that is worth more than one process."""


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell."""
    return Shell(capsys)


def long_world(tenant: str = "acme") -> World:
    """Return a world of one long chain."""
    world = World(tenant=tenant)
    chain = world.chain()
    for at in range(SEALS):
        chain.events(events(EACH * at, EACH))
    world.head(chain)
    return world


def found(shell: Shell, *arguments: object) -> tuple[object, dict[str, object], str]:
    """Return exit code, report without what time tells, and standard error."""
    ended = shell.run("verify", "--json", *arguments)
    report = json.loads(ended.out)
    del report["time"], report["seconds"]
    return ended.code, report, ended.err


def test_an_archive_is_verified_by_several_processes(
    shell: Shell, tmp_path: Path
) -> None:
    world = long_world()
    archive = store(world, tmp_path / "archive.db")
    arguments = (archive, "--trust", world.trust)

    code, report, err = found(shell, *arguments, "--jobs", JOBS)

    assert (code, err) == (0, "")
    assert report["entries"] == SEALS * EACH
    assert (code, report, err) == found(shell, *arguments)


def test_a_cluster_is_verified_by_several_processes(shell: Shell, fake: Fake) -> None:
    with fake.access.connect() as client:
        stored = Stored(fake.access, client, long_world("t1"))
        stored.set_up()
        stored.store()
        document = stored.find(stored.chain, 1000)
        stored.change(document, lambda source: source.update(message="?"))
    arguments = (fake.access.url, "--trust", stored.world.trust)

    code, report, err = found(shell, *arguments, "--jobs", JOBS)

    assert (code, err) == (1, "")
    assert report["compared"] == SEALS * EACH
    assert (code, report, err) == found(shell, *arguments)


@pytest.mark.parametrize("jobs", ["auto", "0", "1", "2"])
def test_a_folder_is_verified_with_any_number_of_jobs(
    shell: Shell, tmp_path: Path, jobs: str
) -> None:
    world = whole_world()
    world.write(tmp_path)

    assert (
        shell.run("verify", tmp_path, "--trust", world.trust, "--jobs", jobs).code == 0
    )


@pytest.mark.parametrize("jobs", ["-1", "two", "1.5", "257", "\u0664"])
def test_what_is_no_number_of_jobs_is_refused(shell: Shell, jobs: str) -> None:
    ended = shell.run("verify", "x", "--jobs", jobs)

    assert ended.code == 64
    assert f"{jobs!r} is neither auto nor a number up to 256" in ended.err


def die() -> Readable:
    """Die, as a process does that is killed for want of memory."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("it is dead")


def fail() -> Readable:
    """Find that nothing can be read."""
    raise SourceError("it cannot be read")


@contextmanager
def working(
    archive: Path, opener: Opener, deaths: list[str]
) -> Iterator[tuple[Readable, Division]]:
    """Open an archive that workers look at, too."""
    workers = Workers(opener, JOBS, lambda: deaths.append("died"))
    with (
        closing(open_source(archive)) as source,
        closing(Division(source, workers, 2 * JOBS, 6)) as division,
    ):
        yield source, division


@pytest.mark.parametrize(
    ("opener", "deaths"), [(die, ["died"]), (fail, [])], ids=["killed", "failing"]
)
def test_what_workers_do_not_tell_is_found_without_them(
    tmp_path: Path, opener: Opener, deaths: list[str]
) -> None:
    world = whole_world()
    archive = store(world, tmp_path / "archive.db")
    report, told = Report(str(archive), NOW), list[str]()

    with working(archive, opener, told) as (source, division):
        Verification(source, world.trust, report, now=NOW, division=division).run()

    assert told == deaths
    same(verify_folder(archive, world.trust), report)


@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGINT, "interrupted\n"), (signal.SIGKILL, "")],
    ids=["interrupted", "killed"],
)
def test_no_worker_outlives_who_judges(number: signal.Signals, said: str) -> None:
    """Whoever of them lives keeps the pipes open, and the end does not come.

    Ctrl-C reaches all of them; a kill only the one that judges.
    """
    judge = subprocess.Popen(
        [sys.executable, "-m", "tests.verify.workers"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    assert judge.stdout is not None
    begun = [judge.stdout.readline() for _ in range(JOBS)]

    if number is signal.SIGINT:
        os.killpg(judge.pid, number)
    else:
        judge.kill()
    out, err = judge.communicate(timeout=60)

    assert begun == ["begun\n"] * JOBS
    assert out == said
    assert "Traceback" not in err
