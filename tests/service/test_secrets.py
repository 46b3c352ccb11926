"""What must not leave the process: payloads, passwords, passphrases and keys.

A signer with secrets of every sort takes events and meets trouble of every sort;
then everything that it says is searched for them.
"""

import base64
import json
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from beats_signer.sign.lock import StateLock
from lumberjack import KEEPALIVE_V2, Sender
from tests.cli.process import COMMAND, ENVIRONMENT
from tests.elasticsearch.bulk import Action
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Outcome
from tests.senders.running import HOST, RunningSigner, command

PAYLOAD = "marker-of-a-payload"
PASSPHRASE = "marker-of-a-passphrase"
PASSWORD = "marker-of-a-password"
API_KEY = "marker-of-an-id:marker-of-an-api-key"
MARKERS = (
    PAYLOAD,
    PASSPHRASE,
    PASSWORD,
    "marker-of-an-api-key",
    base64.b64encode(API_KEY.encode()).decode(),
    base64.b64encode(f"signer:{PASSWORD}".encode()).decode(),
)
PAGES = ("/", "/status", "/metrics", "/livez", "/readyz", "/healthz?verbose")

PREVIEW = (
    "failed to parse field [code] of type [long] in document with id 'x'. "
    f"Preview of field's value: '{PAYLOAD}'"
)
CREDENTIALS: dict[str, dict[str, str]] = {
    "api key": {"api_key_file": "api-key"},
    "password": {"username": "signer", "password_file": "password"},
}


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake(refreshing=True) as server:
        yield server


@pytest.fixture(params=CREDENTIALS)
def secretive(
    request: pytest.FixtureRequest, founded: Path, tmp_path: Path, fake: Fake
) -> Iterator[RunningSigner]:
    """Serve with a secret of every sort, and a log that says all it can."""
    elasticsearch: dict[str, Any] = {"hosts": [fake.url], "grace_seconds": 0}
    one = RunningSigner(
        founded,
        tmp_path / "signer",
        {
            "elasticsearch": elasticsearch | CREDENTIALS[request.param],
            "logging": {"level": "debug"},
        },
    )
    write_secrets(one)
    setup = command("setup", "--config", str(one.configuration))
    subprocess.run(setup, check=True, capture_output=True)
    try:
        one.start()
        yield one
    finally:
        one.close()


def write_secrets(signer: RunningSigner) -> None:
    """Put the secrets into files, and encrypt the listener's key."""
    secrets = {"api-key": API_KEY, "password": PASSWORD, "passphrase": PASSPHRASE}
    for name, secret in secrets.items():
        path = signer.folder / name
        path.write_text(f"{secret}\n")
        path.chmod(0o600)
    key = signer.tls / "server.key"
    encrypted = load_pem_private_key(key.read_bytes(), None).private_bytes(
        Encoding.PEM,
        PrivateFormat.PKCS8,
        BestAvailableEncryption(PASSPHRASE.encode()),
    )
    key.write_bytes(encrypted)
    settings = json.loads(signer.configuration.read_text())
    for listener in settings["listeners"]:
        if "ssl" in listener:
            listener["ssl"]["key_passphrase_file"] = "passphrase"
    signer.configuration.write_text(json.dumps(settings))


def private_keys(signer: RunningSigner) -> set[str]:
    """Return every private key in the state directory, as it could be spelt."""
    state = signer.folder / "state"
    pem = (state / "identity.pem").read_bytes()
    raw = [load_pem_private_key(pem, None).private_bytes_raw()]  # type: ignore[union-attr]
    for path in (state / "keys").iterdir():
        data = path.read_bytes()
        raw += [data[48:80], data[4096 + 48 : 4096 + 80]]
    spelt = {key.hex() for key in raw} | {base64.b64encode(key).decode() for key in raw}
    return spelt | {pem.decode().splitlines()[1]}


def connect(signer: RunningSigner) -> socket.socket:
    return socket.create_connection((HOST, signer.plain_port), 20)


def send(signer: RunningSigner, *payloads: bytes) -> bytes:
    """Send a window and return what is answered, without signs of life."""
    with connect(signer) as connection:
        connection.sendall(Sender().send(list(payloads)))
        answer = KEEPALIVE_V2
        while answer == KEEPALIVE_V2:
            answer = connection.recv(6, socket.MSG_WAITALL)
    return answer


def break_the_protocol(signer: RunningSigner) -> None:
    with connect(signer) as connection:
        connection.sendall(b"2W\0\0\0\1" + PAYLOAD.encode())
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass


def break_the_handshake(signer: RunningSigner) -> None:
    with socket.create_connection((HOST, signer.tls_port), 20) as connection:
        connection.sendall(PAYLOAD.encode() * 10)
        while connection.recv(4096):
            pass


def event(**fields: str) -> bytes:
    return json.dumps({"message": PAYLOAD, **fields}).encode()


def is_poison(action: Action) -> bool:
    return b"poison" in action.source


def provoke(signer: RunningSigner, fake: Fake) -> None:
    """Meet trouble of every sort."""
    break_the_protocol(signer)
    break_the_handshake(signer)
    send(signer, event(), PAYLOAD.encode(), event(beats_signer=PAYLOAD))
    refused = Outcome(400, "document_parsing_exception", reason=PREVIEW)
    fake.judge(refused, when=is_poison, times=1)
    send(signer, event(kind="poison"))  # it is stored without its fields
    fake.judge(refused, when=is_poison, times=None)
    with connect(signer) as connection:
        connection.sendall(Sender().send([event(kind="poison again")]))
        signer.wait_for("the store did not confirm a seal, it is sent again")
        fetch_all(signer)
    fake.mend()


def fetch_all(signer: RunningSigner) -> str:
    """Return everything that can be asked for."""
    address = StateLock.read(signer.folder / "state")["http"]
    texts = []
    for page in PAGES:
        try:
            with urlopen(f"http://{address}{page}", timeout=20) as answer:
                texts.append(answer.read().decode())
        except OSError as error:  # 503 is an answer, too
            texts.append(error.read().decode())  # type: ignore[attr-defined]
    return "\n".join(texts)


def ask(*arguments: object) -> str:
    """Return all that a command writes, with everything that it could show."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        env=ENVIRONMENT | {"BEATS_SIGNER_DEBUG": "1"},
        text=True,
        timeout=60,
    )
    return done.stdout + done.stderr


def leaks(said: str, secrets: set[str]) -> set[str]:
    return {secret for secret in secrets if secret in said}


def test_no_secret_and_no_payload_is_said_anywhere(
    secretive: RunningSigner, fake: Fake
) -> None:
    secrets = set(MARKERS) | private_keys(secretive)
    provoke(secretive, fake)
    secrets |= private_keys(secretive)
    of_process = Path(f"/proc/{secretive.pid}")

    said = {
        "pages": fetch_all(secretive),
        "environment": (of_process / "environ").read_bytes().decode(),
        "command line": (of_process / "cmdline").read_bytes().decode(),
        "config show": ask("config", "show", "--config", secretive.configuration),
        "test config": ask("test", "config", "--config", secretive.configuration),
        "status": ask("status", "--config", secretive.configuration, "--json"),
    }
    assert secretive.end() == 0
    said["log"] = "".join(secretive.log.lines)

    assert "marker" not in said["environment"]
    found = {where: leaks(text, secrets) for where, text in said.items()}
    assert {where: leaked for where, leaked in found.items() if leaked} == {}
    assert len(said["log"]) > 1000
    assert "beats_signer_" in said["pages"]


@pytest.mark.parametrize("name", ["passphrase", "password", "api-key"])
def test_a_secret_that_is_wrong_is_not_in_the_error(
    founded: Path, tmp_path: Path, fake: Fake, name: str
) -> None:
    one = RunningSigner(
        founded,
        tmp_path / "signer",
        {"elasticsearch": {"hosts": [fake.url], **credential_of(name)}},
    )
    write_secrets(one)
    wrong = "marker-that-is-wrong\0\x7f\u00e9"
    (one.folder / name).write_text(wrong)

    said = ask("test", "config", "--config", one.configuration)
    said += ask("serve", "--config", one.configuration) if "passphrase" in name else ""

    assert "marker" not in said
    assert said


def credential_of(name: str) -> dict[str, str]:
    return CREDENTIALS["password" if name == "password" else "api key"]


def test_a_traceback_that_was_asked_for_shows_no_values(
    founded: Path, tmp_path: Path
) -> None:
    one = RunningSigner(founded, tmp_path / "signer")
    secrets = private_keys(one)
    damaged = next((one.folder / "state" / "keys").iterdir())
    damaged.write_bytes(damaged.read_bytes()[:4096])
    identity = one.folder / "state" / "identity.pem"
    identity.write_text(identity.read_text().replace("PRIVATE", "PUBLIC"))

    said = ask("serve", "--config", one.configuration)

    assert "Traceback" in said
    assert leaks(said, secrets) == set()


# The memory of the process.

_AS_NOBODY = """
import ctypes, os, sys
import beats_signer.cli
libc = ctypes.CDLL(None, use_errno=True)
if os.getuid() == 0:  # who may do everything, which proves nothing
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    libc.prctl(4, 1, 0, 0, 0)  # as a process is that has always been this user's
"""
_HELD = f"""{_AS_NOBODY}
if sys.argv[1] == "protected":
    beats_signer.cli.program.main = lambda: None  # a command that does nothing
    beats_signer.cli.main()
os.listdir("/proc/self/fd")  # as the metrics of the process do
for name in ("stat", "limits"):
    open("/proc/self/" + name, "rb").read()
print("ready", flush=True)
sys.stdin.read()
"""
_PROBE = f"""{_AS_NOBODY}
pid = int(sys.argv[1])
for name in ("mem", "environ", "maps"):
    try:
        os.close(os.open(f"/proc/{{pid}}/{{name}}", os.O_RDONLY))
        print(name, "can be opened")
    except PermissionError:
        print(name, "is refused")
attached = libc.ptrace(0x4206, pid, 0, 0)  # PTRACE_SEIZE
is_refused = attached == -1 and ctypes.get_errno() == 1
print("ptrace", "is refused" if is_refused else "works")
"""


def probe(protection: str) -> list[str]:
    """Return what a process of the same user can do with another one."""
    with subprocess.Popen(
        [sys.executable, "-c", _HELD, protection],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    ) as held:
        assert held.stdout is not None
        assert held.stdout.readline() == "ready\n"
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, str(held.pid)],
            capture_output=True,
            env=ENVIRONMENT,
            text=True,
            check=True,
        )
        held.kill()
    said: str = done.stdout
    return said.splitlines()


def test_no_process_of_the_same_user_reads_the_memory_or_attaches() -> None:
    assert "environ can be opened" in probe("open")  # else this proves nothing
    assert probe("protected") == [
        "mem is refused",
        "environ is refused",
        "maps is refused",
        "ptrace is refused",
    ]


def test_a_signer_that_serves_writes_no_core_dump(
    secretive: RunningSigner,
) -> None:
    limits = resource.prlimit(secretive.pid, resource.RLIMIT_CORE)
    assert limits == (0, 0)
