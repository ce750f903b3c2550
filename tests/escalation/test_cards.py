from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from bot.channels.template_card import template_card
from bot.errors import PlatformUnreachable
from bot.storage.tables import outbox
from escalation.tables import ticket_events
from tests.escalation.scene import Scene


def events(scene: Scene, kind: str) -> int:
    with scene.store.read() as connection:
        query = select(ticket_events.c.id).where(ticket_events.c.kind == kind)
        return len(connection.execute(query).all())


def codes_used(scene: Scene) -> list[str]:
    with scene.store.read() as connection:
        rows = connection.execute(select(outbox).where(outbox.c.kind == "card_update").order_by(outbox.c.id)).all()
    return [row.payload["code"] for row in rows]


def test_a_new_ticket_is_a_card_whose_buttons_are_the_commands(scene: Scene) -> None:
    scene.says("alice", "我要找人工")
    (card,) = scene.doors["app"].cards["ZhangLeader"]
    assert (card["title"], card["description"]) == ("【工单 0001】P2 一般", "阳光花园 王**")
    assert card["buttons"] == [["接单 0001", "接单"], ["看 0001", "查看"], ["解决 0001", "解决"]]


def test_a_claim_can_be_decided_on_its_card(scene: Scene) -> None:
    scene.says("alice", "报损")
    assert scene.buttons("zhang") == ["同意", "拒绝", "接单", "查看"]


def test_a_tap_does_what_typing_does_and_the_card_goes_on_with_what_comes_next(scene: Scene) -> None:
    scene.says("alice", "人工")
    assert "归您了" in scene.taps("zhang", "接单 0001", code="fresh")
    assert scene.ticket(1).owner == "zhang"
    assert scene.buttons("zhang") == ["查看", "解决", "机器人开"]
    assert codes_used(scene) == ["fresh"]


def test_a_repeated_tap_is_one_tap(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.taps("zhang", "接单 0001", number=7, code="fresh")
    assert scene.taps("zhang", "接单 0001", number=7, code="fresh") == ""
    assert (events(scene, "taken"), codes_used(scene)) == (1, ["fresh"])


def test_typed_commands_change_the_cards_of_everybody_once(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.says("alice", "没有")
    scene.says("zhang", "解决 0001")
    (change,) = scene.doors["app"].changed["ZhangLeader"]
    assert (change["code"], change["card"]["replaced"]) == ("code-ZhangLeader-1", "张团长处理好了")
    scene.says("zhang", "看 0001")
    assert len(scene.doors["app"].changed["ZhangLeader"]) == 1


def test_the_others_cards_say_who_has_it(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.says("zhang", "解决 0001")
    scene.says("alice", "没有解决")
    scene.taps("wu", "接单 0001")
    assert scene.doors["app"].changed["ZhangLeader"][-1]["card"]["replaced"] == "吴主管接单了"
    assert scene.buttons("wu") == ["查看", "解决", "机器人开"]


def test_a_refusal_needs_a_reason_and_the_tap_says_how(scene: Scene) -> None:
    scene.says("alice", "报损")
    assert "拒绝 0001" in scene.taps("zhang", "拒绝 0001")
    assert scene.buttons("zhang") == ["同意", "拒绝", "接单", "查看"]


def test_looking_leaves_the_cards_of_others_alone(scene: Scene) -> None:
    scene.says("alice", "报损")
    scene.taps("zhang", "看 0001", code="fresh")
    assert codes_used(scene) == ["fresh"]


def test_a_decided_claim_offers_no_second_decision(scene: Scene) -> None:
    scene.says("alice", "报损")
    scene.taps("zhang", "接单 0001")
    scene.taps("zhang", "同意 0001")
    assert scene.buttons("zhang") == ["查看", "解决", "机器人开"]
    assert "已经" in scene.taps("zhang", "同意 0001")
    assert events(scene, "approved") == 1


def test_a_tap_by_somebody_who_may_not_see_it_changes_nothing(scene: Scene) -> None:
    scene.says("alice", "报损")
    assert "没有" in scene.taps("li", "同意 0001")
    assert (events(scene, "approved"), codes_used(scene)) == (0, [])


def test_a_card_that_still_waits_when_a_colleague_takes_the_ticket_is_not_sent(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.says("zhang", "解决 0001")
    scene.doors["app"].refused["ZhangLeader"] = PlatformUnreachable("no route")
    scene.says("alice", "没有解决")
    scene.taps("wu", "接单 0001")
    scene.doors["app"].refused.clear()
    scene.clock.advance(minutes=10)
    scene.deliver()
    assert len(scene.doors["app"].cards["ZhangLeader"]) == 1
    assert "吴主管接单了" in scene.reads("zhang")


def test_a_card_that_is_on_its_way_when_a_colleague_takes_the_ticket_catches_up(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.says("zhang", "解决 0001")
    scene.doors["app"].meanwhile["ZhangLeader"] = lambda: scene.taps("wu", "接单 0001")
    scene.says("alice", "没有解决")
    changed = scene.doors["app"].changed["ZhangLeader"][-1]
    assert (changed["code"], changed["card"]["replaced"]) == ("code-ZhangLeader-2", "吴主管接单了")


def test_a_card_that_says_what_is_so_is_not_changed(scene: Scene) -> None:
    scene.says("alice", "人工")
    assert codes_used(scene) == []


def test_codes_that_begin_alike_are_two(scene: Scene) -> None:
    scene.says("alice", "人工")
    codes = [f"{'x' * 150}{number}" for number in range(2)]
    for code in codes:
        scene.taps("zhang", "看 0001", code=code)
    assert codes_used(scene) == codes


def test_a_card_with_words_for_its_buttons_is_one_that_the_platform_takes(scene: Scene) -> None:
    scene.says("alice", "人工")
    scene.says("zhang", "解决 0001")
    body = template_card(scene.doors["app"].changed["ZhangLeader"][-1]["card"])
    assert body["replace_text"] == "张团长处理好了"
    assert body["button_list"]


def test_of_two_who_tap_at_the_same_moment_one_has_it(scene: Scene) -> None:
    scene.says("alice", "人工")
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda who: scene.taps(who, "接单 0001"), ["zhang", "wu"]))
    assert scene.ticket(1).owner in ("zhang", "wu")
    assert events(scene, "taken") == 1 or scene.ticket(1).owner == "wu"
