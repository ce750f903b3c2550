from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.channels import OfficialAccountConfig, WecomAppConfig, load_channels
from config.errors import ConfigError
from config.settings import ROOT

WEBHOOK = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=s3cret"
AES_KEY = "6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt"
GOOD = f"""\
oa:
  kind: official_account
  app_id: wx1
  secret: s3cret
  token: t0ken
  aes_key: {AES_KEY}
app:
  kind: wecom_app
  corp_id: ww1
  agent_id: 1000002
  secret: s3cret
  token: t0ken
  aes_key: {AES_KEY}
  api_base: http://127.0.0.1:9000/
"""


def load(tmp_path: Path, text: str) -> tuple[object, ...]:
    file = tmp_path / "channels.yaml"
    file.write_text(text, encoding="utf-8")
    return load_channels(file, {"ID": "1000003"})


def test_channels_are_read_with_the_platforms_own_address_as_default(tmp_path: Path) -> None:
    oa, app = load(tmp_path, GOOD)
    assert oa == OfficialAccountConfig("oa", "wx1", "s3cret", "t0ken", AES_KEY, "https://api.weixin.qq.com")
    assert app == WecomAppConfig("app", "ww1", 1000002, "s3cret", "t0ken", AES_KEY, "http://127.0.0.1:9000")


def test_the_agent_id_may_come_from_the_environment(tmp_path: Path) -> None:
    app = load(tmp_path, GOOD.replace("1000002", "${ID}"))[1]
    assert isinstance(app, WecomAppConfig)
    assert app.agent_id == 1000003


def test_no_secret_is_in_the_repr(tmp_path: Path) -> None:
    shown = repr(load(tmp_path, GOOD))
    assert not [secret for secret in ("s3cret", "t0ken", AES_KEY) if secret in shown]


def test_the_shipped_example_is_read_when_its_variables_are_set() -> None:
    example = ROOT / "config/channels.example.yaml"
    names = set(re.findall(r"\$\{([A-Z_]+)\}", example.read_text(encoding="utf-8"))) - {"VAR"}
    environ = {name: AES_KEY if name.endswith("AES_KEY") else "x" for name in names} | {"STAFF_ROOM_WEBHOOK": WEBHOOK}
    channels = load_channels(example, environ)
    assert [channel.name for channel in channels] == ["oa", "app", "kf", "group-bot", "staff-room"]


def test_the_key_of_a_group_robot_is_in_no_error(tmp_path: Path) -> None:
    text = "staff-room:\n  kind: group_webhook\n  url: https://qyapi.weixin.qq.com/elsewhere?key=s3cret\n"
    with pytest.raises(ConfigError, match="not the address of a group robot") as caught:
        load(tmp_path, text)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("kind: official_account", "kind: official_acount", 2, "did you mean official_account"),
        ("kind: official_account", "kind: wecom_kf", 3, "'app_id' is not a setting of this kind"),
        ("  app_id: wx1", "  app_id: wx1\n  verified: maybe", 4, "write verified: true or verified: false"),
        ("  kind: official_account\n", "", 1, "has no kind"),
        ("  token: t0ken\n", "", 1, "lacks token"),
        ("app_id: wx1", "app_id: wx1\n  tokn: x", 4, "did you mean token"),
        ("app_id: wx1", "app_id: wx1\n  name: x", 4, "'name' is not a setting"),
        ("token: t0ken", "token: ''", 5, "token is empty"),
        ("token: t0ken", "token:", 5, "token is empty"),
        ("token: t0ken", "token: 123", 5, "in quotes"),
        ("token: t0ken", "token: ' t0ken'", 5, "blanks around"),
        ("secret: s3cret", "secret: ''", 4, "secret is empty"),
        (f"aes_key: {AES_KEY}", "aes_key: ''", 6, "aes_key is empty"),
        (f"aes_key: {AES_KEY}", f"aes_key: {AES_KEY}=", 6, "44 characters instead of 43"),
        (f"aes_key: {AES_KEY}", f"aes_key: {'_' * 43}", 6, "cannot be in it"),
        ("agent_id: 1000002", "agent_id: one", 10, "not a number"),
        ("http://127.0.0.1:9000/", "ftp://127.0.0.1", 14, "not a bare web address"),
        ("http://127.0.0.1:9000/", "http://127.0.0.1/cgi-bin", 14, "not a bare web address"),
        ("http://127.0.0.1:9000/", "http://127.0.0.1?a=b", 14, "not a bare web address"),
        ("http://127.0.0.1:9000/", "http://127.0.0.1:port", 14, "not a bare web address"),
        ("oa:", "Shop_1:", 1, "cannot be a channel's name"),
        ("oa:", f"{'a' * 33}:", 1, "cannot be a channel's name"),
        ("oa:", "1:", 1, "cannot be a channel's name"),
        ("oa:", "empty:\noa:", 1, "has no settings"),
    ],
)
def test_a_mistake_is_refused_with_line_and_remedy(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert raised.value.line == line
    assert words in str(raised.value)
    assert raised.value.remedy
    assert not [secret for secret in ("s3cret", "t0ken", AES_KEY) if secret in str(raised.value)]


@pytest.mark.parametrize("text", ["", "# nothing\n", "- oa\n", "{}\n"])
def test_a_file_without_channels_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="no channel is named"):
        load(tmp_path, text)
