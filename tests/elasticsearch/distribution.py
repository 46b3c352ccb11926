"""Bring a real Elasticsearch to this machine: Maven fetches it, Java runs it.

The smallest published distribution holds the server without its modules. A plugin of
our own (``plugin/``) adds what the tests need of them. Everything lies in one folder
that is kept between runs; the server's licence does not allow to hand it on.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Distribution", "MissingProgramError", "fetch", "folder"]

_MAVEN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
_ARTIFACT = "org.elasticsearch.distribution.integ-test-zip:elasticsearch:{}:zip"
_PLUGIN = Path(__file__).parent / "plugin" / "TestKit.java.in"
_FEATURES = "META-INF/services/org.elasticsearch.features.FeatureSpecification"
_REST_8 = (
    "Settings s, NamedWriteableRegistry w, RestController c, ClusterSettings k,"
    " IndexScopedSettings i, SettingsFilter f, IndexNameExpressionResolver r,"
    " Supplier<DiscoveryNodes> n, Predicate<NodeFeature> p"
)
_REST_9 = (
    "ActionPlugin.RestHandlersServices s,"
    " Supplier<DiscoveryNodes> n, Predicate<NodeFeature> p"
)


class MissingProgramError(Exception):
    """A program that the real server needs is not on this machine."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """A server that is unpacked and complete."""

    home: Path
    java: Path
    """Home of a Java that it runs on."""


def folder() -> Path:
    """Return the folder that keeps downloads and servers between runs.

    The server refuses to run as root, so its own user has to get in: a folder
    below root's home would not do.
    """
    named = os.environ.get("ELASTICSEARCH_CACHE")
    path = Path(named or f"/var/tmp/beats-signer-elasticsearch-{os.getuid()}")
    path.mkdir(parents=True, exist_ok=True)
    if path.stat().st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to another user")
    path.chmod(0o755)
    return path


def fetch(version: str) -> Distribution:
    """Return the unpacked server of a version, after fetching what is not there.

    Raises:
        MissingProgramError: Maven or a fitting Java is not on this machine.
    """
    major = int(version.partition(".")[0])
    java = _java_home(21 if major >= 9 else 17)
    source = _PLUGIN.read_text()
    mark = hashlib.sha256(f"{source}{java}".encode()).hexdigest()[:12]
    home = folder() / f"elasticsearch-{version}-{mark}"
    with _alone():
        if not home.exists():
            with tempfile.TemporaryDirectory(dir=folder()) as scratch:
                unpacked = Path(scratch) / f"elasticsearch-{version}"
                _unpack(_download(version), unpacked.parent)
                _add_plugin(unpacked, java, version, source)
                unpacked.rename(home)
    return Distribution(home, java)


@contextmanager
def _alone() -> Iterator[None]:
    with (folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _download(version: str) -> Path:
    path = folder() / f"elasticsearch-{version}.zip"
    if not path.exists():
        maven = shutil.which("mvn")
        if maven is None:
            raise MissingProgramError("Maven (mvn) is not installed")
        with tempfile.TemporaryDirectory(dir=folder()) as scratch:
            artifact = f"-Dartifact={_ARTIFACT.format(version)}"
            _run(maven, "-B", "-q", _MAVEN, artifact, f"-DoutputDirectory={scratch}")
            (Path(scratch) / path.name).rename(path)
    return path


def _unpack(archive: Path, into: Path) -> None:
    """Unpack with the rights that another user needs to run what is in it."""
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(into)
    into.chmod(0o755)
    for path in into.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)


def _add_plugin(home: Path, java: Path, version: str, source: str) -> None:
    nine = not version.startswith("8.")
    release = "21" if nine else "17"
    source = source.replace("@PROJECT@", ", project" if nine else "")
    source = source.replace("@REST@", _REST_9 if nine else _REST_8)
    plugin = home / "plugins" / "testkit"
    plugin.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        classes = Path(scratch) / "classes"
        file = Path(scratch) / "TestKit.java"
        file.write_text(source)
        service = classes / _FEATURES
        service.parent.mkdir(parents=True)
        service.write_text("testkit.TestKit$Features\n")
        options = ["-nowarn", "-proc:none", "--release", release]
        options += ["-cp", f"{home}/lib/*", "-d", str(classes)]
        _run(java / "bin/javac", *options, file)
        jar = plugin / "testkit.jar"
        _run(java / "bin/jar", "--create", "--file", jar, "-C", classes, ".")
        jar.chmod(0o644)
    (plugin / "plugin-descriptor.properties").write_text(
        "name=testkit\ndescription=what the tests need\nversion=1\n"
        f"classname=testkit.TestKit\njava.version={release}\n"
        f"elasticsearch.version={version}\n"
    )


def _java_home(major: int) -> Path:
    """Return the oldest Java development kit of at least this major."""
    named = [os.environ.get("ES_JAVA_HOME"), os.environ.get("JAVA_HOME")]
    homes = [Path(one) for one in named if one]
    if compiler := shutil.which("javac"):
        homes.append(Path(compiler).resolve().parents[1])
    homes += Path("/usr/lib/jvm").glob("*")
    fitting = []
    for home in homes:
        if (home / "bin/javac").exists() and (home / "release").exists():
            release = (home / "release").read_text()
            found = re.search(r'^JAVA_VERSION="(\d+)', release, re.M)
            if found and int(found[1]) >= major:
                fitting.append((int(found[1]), home.resolve()))
    if not fitting:
        raise MissingProgramError(
            f"a Java development kit (javac) of version {major} or newer is missing"
        )
    return min(fitting)[1]


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    try:
        print(fetch(sys.argv[1]).home)
    except MissingProgramError as error:
        sys.exit(f"Elasticsearch {sys.argv[1]} cannot run here: {error}")
