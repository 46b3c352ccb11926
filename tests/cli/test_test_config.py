"""``test config``: what a start would find, told before it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from beats_signer.cli import program
from beats_signer.receive.authority import Authority as Issuer
from tests.receive.issuing import DAY, NOW, Authority


def run(*arguments: object) -> Result:
    return CliRunner().invoke(program, [*map(str, arguments)])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return the configuration of a new signer with TLS."""
    assert run("init", tmp_path, "--signer", "audit-1", "--tls").exit_code == 0
    return tmp_path / "beats-signer.yml"


def append(config: Path, text: str) -> None:
    config.write_text(config.read_text() + text)


def secret(config: Path, name: str) -> Path:
    path = config.parent / name
    path.write_text("secret")
    path.chmod(0o600)
    return path


def listen(config: Path, text: str) -> None:
    """Add lines to the TLS of the listener."""
    before = "      key: tls/server.key\n"
    config.write_text(config.read_text().replace(before, before + text))


def revoke(config: Path, ends: datetime) -> None:
    """Trust another authority too, and give it a list that ends then."""
    authority = Authority(config.parent / "ca")
    path = authority.revoke(ends=ends)
    listen(config, f"      certificate_revocation_lists: [{path}]\n")
    text = config.read_text()
    config.write_text(text.replace("[tls/ca.crt]", f"[tls/ca.crt, {authority.path}]"))


def replace_server(config: Path, begin: datetime, days: int) -> None:
    """Give the listener another certificate."""
    issued = Issuer.throwaway(now=begin, days=days).issue_server(["localhost"])
    (config.parent / "tls" / "server.crt").write_bytes(issued.certificate)
    (config.parent / "tls" / "server.key").write_bytes(issued.key)


def test_what_init_made_is_in_order(config: Path) -> None:
    result = run("test", "config", "--config", config)

    assert result.exit_code == 0, result.output
    folder = config.parent
    assert [line.split()[:3] for line in result.stdout.splitlines()] == [
        ["ok", "settings:", f"{config}:"],
        ["ok", "listener:", "0.0.0.0:5044:"],
        ["ok", "certificate:", f"{folder}/tls/server.crt:"],
        ["ok", "secret:", f"{folder}/tls/server.key:"],
        ["ok", "state:", f"{folder}/state:"],
        ["ok", "archive:", f"{folder}/archive.db:"],
    ]


def test_drop_in_files_and_the_command_line_count(config: Path) -> None:
    (config.parent / "conf.d").mkdir()
    (config.parent / "conf.d" / "a.yml").write_text(
        "listeners: [{address: '127.0.0.1:5045'}]"
    )

    result = run("test", "config", "--config", config, "-E", "state=/nowhere")

    assert result.exit_code == 78
    assert f"ok       settings: {config.parent}/conf.d/a.yml: valid" in result.stdout
    assert "ok       listener: 127.0.0.1:5045: plain text" in result.stdout
    assert "broken   state: /nowhere: /nowhere: No such file" in result.stdout


def test_a_setting_that_is_wrong_is_told_like_everywhere(config: Path) -> None:
    result = run("test", "config", "--config", config, "-E", "sealing.max_entrys=1")

    assert result.exit_code == 78
    assert "-E: there is no setting sealing.max_entrys" in result.stderr


def test_elasticsearch_is_not_asked(config: Path) -> None:
    secret(config, "es.key")
    append(
        config, "elasticsearch: {hosts: ['https://es.invalid'], api_key_file: es.key}"
    )

    result = run("test", "config", "--config", config)

    assert result.exit_code == 0, result.output
    assert "ok       elasticsearch: https://es.invalid: its files" in result.stdout
    assert "archive:" not in result.stdout


def lose_the_key(config: Path) -> None:
    (config.parent / "tls" / "server.key").unlink()


def open_the_key(config: Path) -> None:
    (config.parent / "tls" / "server.key").chmod(0o644)


def open_the_passphrase(config: Path) -> None:
    secret(config, "key.pw").chmod(0o644)
    listen(config, "      key_passphrase_file: key.pw\n")


def outlive_the_list(config: Path) -> None:
    revoke(config, NOW - DAY)


def open_the_api_key(config: Path) -> None:
    secret(config, "es.key").chmod(0o644)
    append(config, "elasticsearch: {hosts: ['https://es'], api_key_file: es.key}")


def lose_the_password(config: Path) -> None:
    append(
        config,
        "elasticsearch: {hosts: ['https://es'], username: u, password_file: no.pw}",
    )


def open_the_state(config: Path) -> None:
    (config.parent / "state").chmod(0o755)


def open_a_key_file(config: Path) -> None:
    (path,) = (config.parent / "state" / "keys").iterdir()
    path.chmod(0o640)


def expire(config: Path) -> None:
    replace_server(config, datetime(2020, 1, 1, tzinfo=UTC), 30)


def misplace_the_archive(config: Path) -> None:
    text = config.read_text()
    config.write_text(text.replace("archive: archive.db", "archive: no/archive.db"))


def break_the_list(config: Path) -> None:
    (config.parent / "allowed.yml").write_text("- {nam: web-*}\n")
    append(config, "senders.allow_file: allowed.yml")


@pytest.mark.parametrize(
    ("harm", "line", "hint"),
    [
        (lose_the_key, "listener: 0.0.0.0:5044: cannot read", "Correct the path"),
        (open_the_key, "secret: {}/tls/server.key: has mode 0644", "chown it"),
        (open_the_passphrase, "secret: {}/key.pw: has mode 0644", "chown it"),
        (outlive_the_list, "revocations: {}/ca/revoked.crl: ended on", "Fetch"),
        (open_the_api_key, "secret: {}/es.key: has mode 0644", "chown it"),
        (lose_the_password, "elasticsearch: https://es: cannot read", "Put the key"),
        (open_the_state, "state: {0}/state: {0}/state has mode 0755", "If that"),
        (open_a_key_file, "state: {}/state/keys/", "If that cannot be"),
        (expire, "certificate: {}/tls/server.crt: ended on 2020-01-31", "Get a new"),
        (misplace_the_archive, "archive: {}/no/archive.db: its folder", "Correct"),
        (break_the_list, "senders: {0}/allowed.yml: {0}/allowed.yml:1: ", "Did you"),
    ],
)
def test_what_would_stop_a_start_is_broken_and_says_what_to_do(
    config: Path, harm: Callable[[Path], None], line: str, hint: str
) -> None:
    harm(config)

    result = run("test", "config", "--config", config)

    assert result.exit_code == 78
    broken = f"broken   {line.format(config.parent)}"
    lines = result.stdout.splitlines()
    (place,) = [at for at, text in enumerate(lines) if text.startswith(broken)]
    assert lines[place + 1].startswith(f"         {hint}")


def test_a_certificate_that_ends_soon_is_a_notice(config: Path) -> None:
    replace_server(config, datetime.now(UTC) - timedelta(days=1), 8)

    result = run("test", "config", "--config", config)

    assert result.exit_code == 0
    assert "notice   certificate:" in result.stdout
    assert "server.crt: ends on" in result.stdout


@pytest.mark.parametrize(
    ("ends", "more"),
    [(NOW + 3 * DAY, ""), (NOW - DAY, "      expired_revocation_lists: accept\n")],
    ids=["ends soon", "has ended and counts all the same"],
)
def test_an_end_that_keeps_nobody_out_yet_is_a_notice(
    config: Path, ends: datetime, more: str
) -> None:
    revoke(config, ends)
    listen(config, more)

    result = run("test", "config", "--config", config)

    assert result.exit_code == 0, result.stdout
    assert f"notice   revocations: {config.parent}/ca/revoked.crl: end" in (
        result.stdout
    )


def test_a_configuration_that_others_can_change_is_a_notice(config: Path) -> None:
    config.chmod(0o666)

    result = run("test", "config", "--config", config)

    assert result.exit_code == 0
    assert f"notice   settings: {config}: has mode 0666" in result.stdout


def test_a_folder_that_others_can_add_files_to_is_a_notice(config: Path) -> None:
    folder = config.parent / "conf.d"
    folder.mkdir()
    (folder / "a.yml").touch()
    folder.chmod(0o777)

    result = run("test", "config", "--config", config)

    assert result.exit_code == 0
    assert f"notice   settings: {folder}: has mode 0777" in result.stdout


def test_serve_refuses_a_key_that_others_can_read(config: Path) -> None:
    open_the_key(config)

    result = run("serve", "--config", config)

    assert result.exit_code == 78
    assert "server.key has mode 0644: every user of this host" in result.stderr
