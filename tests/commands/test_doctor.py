"""What the doctor says about an installation, against the playground's platforms and a real door."""

from __future__ import annotations

import re
import shutil
import sqlite3
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from wsgiref.simple_server import WSGIServer, make_server

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask, Response, request

from bot.channels.examination import Finding, Verification, examine_callback
from bot.clock import SystemClock
from bot.embedded_valkey import EmbeddedValkey
from bot.errors import ForgedCallback, MalformedCallback
from bot.redis_connection import connect
from bot.storage.migrate import upgrade
from commands import doctor
from commands.doctor import look_at_everything
from compose import open_channel
from config.channels import load_channels
from config.settings import ROOT, Settings
from playground.platform.server import Server
from playground.wechat import Cast, WeChat
from tests.bot.conftest import CREDENTIALS, KEY

PEOPLE = """\
communities:
  - {id: sunshine, name: 阳光花园, leader: zhang}
staff:
  - {id: zhang, name: 张团长, role: leader, accounts: {app: ZhangLeader}}
"""


class Installation:
    """A configured installation in a folder of the test's own, with a Qunda answering at its address."""

    def __init__(self, folder: Path, wechat: WeChat, database_url: str, redis_url: str) -> None:
        self.root, self.config, self.wechat = folder, folder / "config", wechat
        kept = ROOT / ".cache"  # what the shipped knowledge teaches; learning it anew would take each test ten seconds
        kept.mkdir(exist_ok=True)
        (folder / ".cache").symlink_to(kept)
        for name in ("texts", "faq", "words"):
            shutil.copytree(ROOT / "config" / name, self.config / name)
        for name in ("policy.yaml", "understanding.yaml"):
            shutil.copyfile(ROOT / "config" / name, self.config / name)
        self.secrets = {
            "oa_secret": CREDENTIALS.oa_secret,
            "oa_token": CREDENTIALS.oa_token,
            "app_secret": CREDENTIALS.app_secret,
        }
        self.write_channels()
        (self.config / "people.yaml").touch(0o600)
        (self.config / "people.yaml").write_text(PEOPLE, encoding="utf-8")
        self.door = Server(self._door(), 0)
        self.environ = {
            "QUNDA_SECRET_KEY": "k" * 64,
            "QUNDA_DATABASE_URL": database_url,
            "QUNDA_REDIS_URL": redis_url,
            "QUNDA_BASE_URL": self.door.url,
            "OA_SECRET": CREDENTIALS.oa_secret,
        }

    def write_channels(self, **changed: object) -> None:
        values = {
            "app_id": CREDENTIALS.oa_app_id,
            "oa_token": CREDENTIALS.oa_token,
            "agent_id": CREDENTIALS.agent_id,
            "app_secret": CREDENTIALS.app_secret,
            **changed,
        }
        lines = [
            "oa:",
            "  kind: official_account",
            f"  app_id: {values['app_id']}",
            "  secret: ${OA_SECRET}",
            f"  token: {values['oa_token']}",
            f"  aes_key: {KEY}",
            f"  api_base: {self.wechat.oa.server.url}",
            "app:",
            "  kind: wecom_app",
            f"  corp_id: {CREDENTIALS.corp_id}",
            f"  agent_id: {values['agent_id']}",
            f"  secret: {values['app_secret']}",
            f"  token: {CREDENTIALS.app_token}",
            f"  aes_key: {KEY}",
            f"  api_base: {self.wechat.wecom.server.url}",
        ]
        file = self.config / "channels.yaml"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        file.chmod(0o600)

    def add_doors(self, open_kfid: str = CREDENTIALS.open_kfid) -> None:
        """Every other kind of channel beside the two, and a Qunda that was started with them."""
        lines = [
            "kf:",
            "  kind: wecom_kf",
            f"  corp_id: {CREDENTIALS.corp_id}",
            f"  open_kfid: {open_kfid}",
            f"  secret: {CREDENTIALS.kf_secret}",
            f"  token: {CREDENTIALS.kf_token}",
            f"  aes_key: {CREDENTIALS.kf_aes_key}",
            f"  api_base: {self.wechat.kf.server.url}",
            "group-bot:",
            "  kind: wecom_aibot",
            f"  token: {CREDENTIALS.bot_token}",
            f"  aes_key: {CREDENTIALS.bot_aes_key}",
            "  bot_name: 群答",
            f"  api_base: {self.wechat.aibot.server.url}",
            "staff-room:",
            "  kind: group_webhook",
            f"  url: {self.wechat.staff_room.url}",
        ]
        file = self.config / "channels.yaml"
        file.write_text(file.read_text(encoding="utf-8") + "\n".join(lines) + "\n", encoding="utf-8")
        self.door.close()
        self.door = Server(self._door(), 0)
        self.environ["QUNDA_BASE_URL"] = self.door.url

    def _door(self) -> Flask:
        """The channels as they were configured when Qunda was started."""
        configs = load_channels(self.config / "channels.yaml", {"OA_SECRET": CREDENTIALS.oa_secret})
        clock = SystemClock()
        channels = {config.name: open_channel(config, connect("redis://unused"), clock) for config in configs}
        app = Flask("door")

        @app.get("/callback/<name>")
        def verify(name: str) -> Response:
            if name not in channels:
                return Response("unknown channel", 404)
            try:
                return Response(channels[name].verify(request.args, clock.now()))
            except ForgedCallback as error:
                return Response(error.code, 403)
            except MalformedCallback as error:
                return Response(error.code, 400)

        return app

    def findings(self, **environ: str) -> dict[str, list[Finding]]:
        told: dict[str, list[Finding]] = {}
        for part, finding in look_at_everything({**self.environ, **environ}, self.root):
            told.setdefault(part, []).append(finding)
        return told

    def look(self, part: str, **environ: str) -> list[Finding]:
        """One part alone."""
        settings, wrong = doctor.read_settings({**self.environ, **environ}, self.root)
        if part == "settings":
            return wrong
        assert settings is not None
        checks = dict(doctor.parts_of(settings, self.root))
        return list(doctor.guarded(checks[part]))

    def mended(self, part: str, **environ: str) -> str:
        """What is not in order in one part, with the remedy; every such finding has one."""
        wrong = [finding for finding in self.look(part, **environ) if finding.level != "ok"]
        assert all(finding.remedy for finding in wrong)
        return "\n".join(f"{finding.level} {finding.what} → {finding.remedy}" for finding in wrong)


@pytest.fixture
def installation(tmp_path: Path, sqlite_template: Path, valkey_url: str) -> Iterator[Installation]:
    platforms = WeChat(CREDENTIALS, Cast({"alice": "oAlice"}, {"zhang": ("leader", "ZhangLeader")}))
    platforms.open()
    (tmp_path / "var").mkdir(mode=0o700)
    database = tmp_path / "var" / "qunda.db"
    shutil.copyfile(sqlite_template, database)
    made = Installation(tmp_path, platforms, f"sqlite:///{database}", valkey_url)
    yield made
    made.door.close()
    platforms.close()


def test_an_installation_in_order_has_nothing_to_mend_but_its_loopback_address(installation: Installation) -> None:
    told = installation.findings()
    wrong = {part: finding for part, findings in told.items() for finding in findings if finding.level != "ok"}
    assert list(wrong) == ["address"]
    assert [finding.what for finding in told["channel oa"]][:2] == [
        "the platform takes id and secret",
        "customer messages are allowed",
    ]
    assert "answers rightly" in told["channel oa"][2].what
    assert "answers rightly" in told["channel app"][2].what
    assert installation.wechat.oa.calls("message/custom/send") == 0


def test_every_other_door_is_looked_at_and_nothing_is_said_there(installation: Installation) -> None:
    installation.add_doors()

    told = installation.findings()

    wrong = {part: finding for part, findings in told.items() for finding in findings if finding.level != "ok"}
    assert list(wrong) == ["address", "channel staff-room"]
    assert wrong["channel staff-room"].level == "unknown"
    assert wrong["channel staff-room"].remedy
    assert "customer-service account is there" in told["channel kf"][1].what
    for name in ("kf", "group-bot"):
        assert f"/callback/{name} answers rightly" in told[f"channel {name}"][-1].what
    assert installation.wechat.room.chat() == []
    words = repr(told)
    for secret in (CREDENTIALS.kf_secret, CREDENTIALS.bot_token, CREDENTIALS.room_key):
        assert secret not in words


def test_the_ids_of_the_accounts_are_told_when_none_of_them_is_meant(installation: Installation) -> None:
    installation.add_doors(open_kfid="wkOfSomebodyElse")
    told = installation.mended("channel kf")
    assert "fail the app knows no account with this open_kfid" in told
    assert CREDENTIALS.open_kfid in told


def test_no_finding_ever_holds_a_secret(installation: Installation) -> None:
    installation.wechat.oa.faults.answer(40001, times=None)
    installation.wechat.wecom.server.refuse()
    installation.door.refuse()
    url = "postgresql+psycopg://qunda:pa55word-of-mine@127.0.0.1:1/none"
    words = repr(installation.findings(QUNDA_DATABASE_URL=url, QUNDA_REDIS_URL="redis://:pa55word-of-mine@127.0.0.1:1"))
    for secret in (*installation.secrets.values(), KEY, "pa55word-of-mine", "k" * 64, "signature="):
        assert secret not in words


# --- each channel


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (40001, "AppSecret is not that of this AppID"),
        (40125, "AppSecret is not that of this AppID"),
        (40013, "no such AppID"),
        (40164, "this machine's address (203.0.113.7) is not in the IP allowlist"),
        (50007, "frozen"),
        (99999, "no token could be had: platform error 99999"),
    ],
)
def test_a_refused_token_of_the_official_account_is_explained(installation: Installation, code: int, told: str) -> None:
    installation.wechat.oa.faults.answer(code, to="stable_token")
    told_by_doctor = installation.mended("channel oa")
    assert told_by_doctor.startswith("fail ")
    assert told in told_by_doctor


@pytest.mark.parametrize(
    ("code", "path", "told"),
    [
        (40001, "gettoken", "fail the Secret is not that of an app of this corporation"),
        (40013, "gettoken", "fail the platform knows no such CorpID"),
        (60020, "agent/get", "fail this machine's address (203.0.113.7) is not among the trusted ones"),
        (60011, "agent/get", "fail the secret has no right over this AgentId"),
        (99999, "agent/get", "unknown the account's rights are not known: platform error 99999"),
        (-1, "agent/get", "warn the account's rights are not known: platform error -1"),
    ],
)
def test_a_refusal_of_the_wecom_app_is_explained(installation: Installation, code: int, path: str, told: str) -> None:
    installation.wechat.wecom.faults.answer(code, to=path)
    assert told in installation.mended("channel app")


def test_a_wrong_secret_is_found_by_asking_the_platform(installation: Installation) -> None:
    assert "the AppSecret is not that of this AppID (code 40001)" in installation.mended(
        "channel oa", OA_SECRET="wrong"
    )


def test_a_wrong_agent_id_is_found(installation: Installation) -> None:
    installation.write_channels(agent_id=1000009)
    assert "(code 301002)" in installation.mended("channel app")


def test_a_missing_right_is_told(installation: Installation) -> None:
    installation.wechat.oa.faults.answer(48001, to="message/custom/typing")
    assert "no right to send customer messages (code 48001)" in installation.mended("channel oa")


def test_tokens_that_ended_early_are_no_finding_because_a_new_one_is_asked_for(installation: Installation) -> None:
    installation.look("channel oa")
    installation.look("channel app")
    installation.wechat.oa.expire_tokens()
    installation.wechat.wecom.expire_tokens()
    assert installation.mended("channel oa") == installation.mended("channel app") == ""


def test_an_app_that_nobody_sees_is_told(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation.wechat.wecom, "_members", frozenset())
    assert "can be seen by nobody" in installation.mended("channel app")


def test_a_platform_that_refuses_the_connection_is_told(installation: Installation) -> None:
    installation.wechat.oa.server.refuse()
    assert "the platform refused the connection" in installation.mended("channel oa")


def test_an_address_that_is_no_platform_is_told(installation: Installation) -> None:
    text = (installation.config / "channels.yaml").read_text()
    (installation.config / "channels.yaml").write_text(
        text.replace(installation.wechat.oa.server.url, installation.door.url)
    )
    assert "fail no token could be had: platform error 404" in installation.mended("channel oa")


# --- the callback


def test_a_door_that_nobody_opens_is_told(installation: Installation) -> None:
    installation.door.refuse()
    assert f"nobody listens at {installation.door.url}/callback/oa → start Qunda" in installation.mended("channel oa")


def test_a_changed_token_asks_for_a_restart(installation: Installation) -> None:
    installation.write_channels(oa_token="another-token")
    assert "status 403: it works with another Token" in installation.mended("channel oa")
    assert "restart Qunda" in installation.mended("channel oa")


def test_a_new_channel_that_the_running_qunda_does_not_know_asks_for_a_restart(installation: Installation) -> None:
    text = (installation.config / "channels.yaml").read_text()
    (installation.config / "channels.yaml").write_text(text.replace("oa:\n", "oa-two:\n", 1))
    assert "it knows no such channel → restart Qunda" in installation.mended("channel oa-two")


VERIFICATION = Verification({"nonce": "77"}, echo="77")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (("<html>Welcome to nginx", 200), "answers with something else"),
        (("not found", 404), "status 404 → see whether the reverse proxy"),
        (("forbidden by firewall", 403), "status 403 → see whether the reverse proxy"),
        (("stale", 403), "the clocks differ"),
        (("bad gateway", 502), "the proxy does not reach Qunda"),
        (("", 301), "it sends the caller elsewhere"),
    ],
)
def test_what_stands_in_between_is_told(answer: tuple[str, int], told: str) -> None:
    app = Flask("between")
    app.add_url_rule("/callback/oa", "between", lambda: answer)
    server = Server(app, 0)
    finding = examine_callback(f"{server.url}/callback/oa", VERIFICATION)
    server.close()
    assert finding.level == "fail"
    assert told in f"{finding.what} → {finding.remedy}"


def test_a_slow_door_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Flask("slow")
    app.add_url_rule("/callback/oa", "slow", lambda: "77")
    server = Server(app, 0)
    moments = iter([100.0, 101.5])
    monkeypatch.setattr("bot.channels.examination.time.monotonic", lambda: next(moments, 101.5))
    finding = examine_callback(f"{server.url}/callback/oa", VERIFICATION)
    monkeypatch.undo()
    server.close()
    assert (finding.level, "after 1.5 s" in finding.what) == ("warn", True)


def test_a_certificate_that_nobody_signed_is_told(tmp_path: Path) -> None:
    with self_signed(tmp_path) as port:
        finding = examine_callback(f"https://127.0.0.1:{port}/callback/oa", VERIFICATION)
    assert finding.level == "fail"
    assert "no certificate that can be trusted" in finding.what


def test_a_name_that_nobody_knows_is_told() -> None:
    finding = examine_callback("http://nowhere.invalid/callback/oa", VERIFICATION)
    assert finding.level == "fail"
    assert "nowhere.invalid" in finding.what


class self_signed:
    """An https server on loopback with a certificate of its own making; gives the port."""

    def __init__(self, folder: Path) -> None:
        self._server: WSGIServer = make_server("127.0.0.1", 0, lambda environ, start: [])
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificate(folder))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.handle_request)

    def __enter__(self) -> int:
        self._thread.start()
        return self._server.server_port

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._server.server_close()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file


# --- settings, servers and files


def test_every_wrong_setting_is_named_and_the_rest_is_looked_at_all_the_same(installation: Installation) -> None:
    nonsense = {
        "QUNDA_TIMEZONE": "Moon/Base",
        "QUNDA_LOG_LEVEL": "LOUD",
        "QUNDA_BASE_URL": "x",
        "QUNDA_DATABSE_URL": "x",
    }
    wrong = installation.mended("settings", **nonsense)
    assert all(name in wrong for name in nonsense)
    assert "did you mean QUNDA_DATABASE_URL?" in wrong
    assert installation.look("database", **nonsense)[0].level == "ok"


def test_a_missing_key_is_told_and_none_is_made(installation: Installation) -> None:
    del installation.environ["QUNDA_SECRET_KEY"]
    assert "there is no secret key" in installation.mended("settings")
    assert not (installation.root / "var" / "secret.key").exists()
    assert installation.look("database")[0].level == "ok"


def test_a_broken_env_file_is_told_with_its_line(installation: Installation) -> None:
    (installation.root / ".env").write_text("OA_ID=1\nthis is nothing\n")
    assert re.search(r"\.env:2: this line is not an assignment", installation.mended("settings"))


def test_files_with_secrets_that_everybody_may_read_are_told(installation: Installation) -> None:
    (installation.config / "channels.yaml").chmod(0o644)
    assert "chmod 600" in installation.mended("secrets")
    (installation.root / "var").chmod(0o755)
    assert "chmod 700" in installation.mended("secrets")


def test_a_database_that_is_missing_old_new_or_gone_is_told(installation: Installation, tmp_path: Path) -> None:
    nothing = f"sqlite:///{tmp_path}/none.db"
    assert "warn there is no" in installation.mended("database", QUNDA_DATABASE_URL=nothing)
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "empty.db").touch()
    assert "./qunda migrate" in installation.mended("database", QUNDA_DATABASE_URL=f"sqlite:///{tmp_path}/empty.db")
    newer = tmp_path / "newer.db"
    upgrade(f"sqlite:///{newer}")
    with sqlite3.connect(newer) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert "git pull" in installation.mended("database", QUNDA_DATABASE_URL=f"sqlite:///{newer}")
    gone = "postgresql+psycopg://qunda@127.0.0.1:1/none"
    assert "cannot be used" in installation.mended("database", QUNDA_DATABASE_URL=gone)


def test_a_postgresql_in_order_is_told_so(installation: Installation, postgres_template: str) -> None:
    assert "has no tables yet" in installation.mended("database", QUNDA_DATABASE_URL=postgres_template)


def test_a_redis_that_does_not_answer_is_told(installation: Installation) -> None:
    assert "does not answer" in installation.mended("redis", QUNDA_REDIS_URL="redis://127.0.0.1:1")


def test_the_embedded_valkey_is_found_while_it_runs(installation: Installation) -> None:
    valkey = EmbeddedValkey(installation.root / "var")
    valkey.start()
    told = installation.look("redis", QUNDA_REDIS_URL="")[0].what
    valkey.stop()
    assert "embedded Valkey" in told
    assert "version" in told


def test_little_space_is_told(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LITTLE_SPACE", 10**18)
    assert "warn" in installation.mended("disk")
    monkeypatch.setattr(doctor, "NO_SPACE", 10**18)
    assert "fail" in installation.mended("disk")


def test_a_sentence_model_that_does_not_work_is_a_warning(installation: Installation) -> None:
    with (installation.config / "understanding.yaml").open("a", encoding="utf-8") as file:
        file.write("\nsentence_model: nowhere\n")
    assert "warn" in installation.mended("knowledge")


# --- people


def test_people_on_unknown_channels_leaderless_communities_and_staff_without_account_are_warnings(
    installation: Installation,
) -> None:
    (installation.config / "people.yaml").write_text(
        """\
communities:
  - {id: sunshine, name: 阳光花园, leader: zhang, chats: [{channel: group-bot, id: wrk1}]}
  - {id: riverside, name: 滨江苑}
staff:
  - {id: zhang, name: 张团长, role: leader, accounts: {kf: ZhangLeader}}
""",
        encoding="utf-8",
    )
    told = installation.mended("people")
    assert "warn people.yaml names the channel group-bot 1 times" in told
    assert "warn people.yaml names the channel kf 1 times" in told
    assert "warn the community riverside has no leader" in told
    assert "warn zhang (leader) has no account on app" in told


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:8000", "no platform can reach it"),
        ("http://192.168.1.5", "no platform can reach it"),
        ("http://bot.example.com", "ports 80 and 443"),
        ("https://bot.example.com:8443", "ports 80 and 443"),
    ],
)
def test_an_address_that_no_platform_reaches_is_a_warning(installation: Installation, url: str, told: str) -> None:
    (installation.config / "people.yaml").unlink()
    settings = Settings.load({**installation.environ, "QUNDA_BASE_URL": url}, root=installation.root, make_secret=False)
    configs = load_channels(installation.config / "channels.yaml", settings.environ)
    (finding,) = doctor._address(settings, configs)
    assert (finding.level, told in finding.what) == ("warn", True)


def test_without_channels_and_people_the_doctor_points_to_the_setup(installation: Installation) -> None:
    for name in ("channels.yaml", "people.yaml"):
        (installation.config / name).unlink()
    assert "./qunda setup" in installation.mended("channels")
    assert "./qunda setup" in installation.mended("people")


# --- the exit code


def test_a_failure_is_exit_code_one_and_one_line_with_an_arrow(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "look_at_everything", lambda environ: [("disk", Finding("fail", "full", "make space"))])
    assert doctor.run() == 1
    assert "fail  disk: full → make space\n" in capsys.readouterr().out
    monkeypatch.setattr(doctor, "look_at_everything", lambda environ: [("disk", Finding("warn", "nearly", "look"))])
    assert doctor.run() == 0
