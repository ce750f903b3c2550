"""The knowledge changes while a composed bot runs: no restart, and nothing half."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import create_app
from bot.storage.migrate import upgrade
from compose import Bot, compose
from config.errors import ConfigError
from config.settings import Settings
from faq.tables import knowledge_additions
from playground import demo_data

OWN = "- {{id: parking, question: 有停车位吗, variants: [哪里停车, 车停哪], answer: {answer}, group: {answer}}}\n"
LEAN_POLICY = "automatic_up_to: 20\nlimits: {leader: 50, agent: 500}\n"


@pytest.fixture
def bot(tmp_path: Path, valkey_url: str) -> Iterator[Bot]:
    demo = demo_data.prepare(tmp_path, "http://127.0.0.1:8101")
    own = {"QUNDA_DATA_DIR": str(tmp_path), "QUNDA_REDIS_URL": valkey_url, "QUNDA_LOG_LEVEL": "CRITICAL"}
    settings = Settings.load({**demo, **own}, make_secret=True)
    write(settings.config_dir, "门口")
    upgrade(settings.database_url)
    composed = compose(settings)
    yield composed
    composed.close()


def write(config_dir: Path, answer: str) -> None:
    (config_dir / "faq").mkdir(exist_ok=True)
    (config_dir / "faq/own.yaml").write_text(OWN.format(answer=answer), encoding="utf-8")


def renewed(bot: Bot) -> bool:
    """Looks twice, as the watch does within seconds: what has just changed has settled by then."""
    return [bot.snapshots.renew(), bot.snapshots.renew()][1]


def said(bot: Bot) -> str | None:
    return bot.snapshots.current.knowledge["parking"].answer


def test_an_edited_file_is_in_use_without_a_restart(bot: Bot) -> None:
    assert said(bot) == "门口"
    assert not renewed(bot)
    write(bot.ground.settings.config_dir, "后门停车场")
    assert renewed(bot)
    assert said(bot) == "后门停车场"


def test_a_file_that_cannot_be_read_leaves_the_old_answers_and_the_metrics_say_so(bot: Bot) -> None:
    version = bot.snapshots.current.knowledge.version
    write(bot.ground.settings.config_dir, "'{nowhere}'")
    assert not renewed(bot)
    assert said(bot) == "门口"
    metrics = create_app(bot).test_client().get("/metrics").text
    assert f'qunda_knowledge_entries{{version="{version}"}} 1.0' in metrics
    assert "qunda_knowledge_refused 1.0" in metrics


@pytest.mark.parametrize(
    ("says", "problem"),
    [
        ("answer: '停{late_coupon}'", "parking: it names {late_coupon}, which policy.yaml does not hold"),
        ("answer: 停, group: '在{pickup_point}'", "parking: it names {pickup_point}, which policy.yaml does not hold"),
        ("skill: magic", "parking: there is no skill magic"),
    ],
)
def test_what_could_not_be_said_is_refused_while_it_runs_and_at_the_start(bot: Bot, says: str, problem: str) -> None:
    settings = bot.ground.settings
    (settings.config_dir / "policy.yaml").write_text(LEAN_POLICY, encoding="utf-8")
    running = compose(settings)
    (settings.config_dir / "faq/own.yaml").write_text(
        f"\n- {{id: parking, question: 停哪, {says}}}\n", encoding="utf-8"
    )
    assert not renewed(running)
    assert said(running) == "门口"
    assert f"own.yaml:2: {problem}" in str(running.snapshots.refused)
    running.close()
    with pytest.raises(ConfigError, match=r"own\.yaml:2"):
        compose(settings)


def test_a_figure_that_was_written_after_the_start_is_not_counted_on(bot: Bot) -> None:
    settings = bot.ground.settings
    (settings.config_dir / "policy.yaml").write_text(LEAN_POLICY, encoding="utf-8")
    running = compose(settings)
    (settings.config_dir / "policy.yaml").write_text(f"{LEAN_POLICY}figures: {{late_coupon: 5}}\n", encoding="utf-8")
    write(settings.config_dir, "'{late_coupon}'")
    assert not renewed(running)
    assert "start Qunda again" in str(running.snapshots.refused)
    running.close()
    compose(settings).close()


def test_what_is_approved_is_understood_within_two_looks(bot: Bot) -> None:
    row: dict[str, object] = {"entry_id": "parking", "phrasing": "电瓶车放哪儿", "answer": None, "communities": []}
    with bot.store.write() as connection:
        connection.execute(knowledge_additions.insert(), {**row, "added_at": datetime(2026, 11, 20, tzinfo=UTC)})
    assert renewed(bot)
    assert bot.snapshots.current.matcher.match("电瓶车放哪儿")[0].entry_id == "parking"
    assert "电瓶车放哪儿" in bot.snapshots.current.knowledge["parking"].phrasings
