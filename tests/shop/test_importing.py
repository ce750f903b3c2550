from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from bot.storage.store import Store
from shop import sheets
from shop.directory import Community, Directory, ListedResident
from shop.importing import BATCH, ImportReport, import_orders, import_people
from shop.order_file import OrderFile
from shop.orders import OrderLine, recent_lines
from shop.residents import bind, find_by_account
from shop.sheets import UnreadableFile
from shop.source import Refusal
from shop.tables import order_lines, residents
from tests.shop.conftest import ALICE_PHONE, BOB_PHONE, NOW, Write

SHANGHAI = ZoneInfo("Asia/Shanghai")
EXAMPLES = Path(__file__).resolve().parents[2] / "config"

ROW: dict[str, Any] = {
    "订单号": "A1", "收货人": "王桂兰", "手机号": ALICE_PHONE, "社区": "阳光花园", "商品": "红富士苹果",
    "规格": "5斤装", "批次": "B1", "数量": "1", "金额": "22.80", "状态": "已到自提点", "取货码": "A012",
    "下单时间": "2026-11-18 20:15", "预计到达": "2026-11-19 16:00", "到达时间": "", "微信标识": "",
}  # fmt: skip
HEADER = tuple(ROW)

Import = Callable[..., ImportReport]


def row(**changes: Any) -> tuple[Any, ...]:
    return tuple({**ROW, **changes}.values())


@pytest.fixture
def take(store: Store, directory: Directory) -> Import:
    def run(path: Path, *, dry_run: bool = False, now: datetime = NOW) -> ImportReport:
        return import_orders(store, path, directory=directory, timezone=SHANGHAI, now=now, dry_run=dry_run)

    return run


@pytest.fixture
def take_people(store: Store, directory: Directory) -> Import:
    def run(path: Path, *, dry_run: bool = False) -> ImportReport:
        return import_people(store, path, directory=directory, now=NOW, dry_run=dry_run)

    return run


def lines_of(store: Store, phone: str = ALICE_PHONE) -> tuple[OrderLine, ...]:
    with store.read() as connection:
        resident: int = connection.execute(select(residents.c.id).where(residents.c.phone == phone)).scalar_one()
        return recent_lines(connection, resident, now=NOW, days=3650, limit=100)


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    return report.total, report.new, report.changed, report.unchanged, report.written


def test_a_file_goes_in_and_the_same_file_again_changes_nothing(store: Store, take: Import, write_csv: Write) -> None:
    path = write_csv(HEADER, row(), row(订单号="A2", 微信标识="oa:alice"))
    assert counts(take(path)) == (2, 2, 0, 0, 2)
    before = lines_of(store)
    assert counts(take(path, now=NOW + timedelta(days=1))) == (2, 0, 0, 2, 0)
    assert lines_of(store) == before
    line = before[0]
    assert (line.product, line.amount_fen, line.community_id) == ("红富士苹果", 2280, "sunshine")
    assert line.ordered_at == datetime(2026, 11, 18, 12, 15, tzinfo=UTC)
    with store.read() as connection:
        found = find_by_account(connection, "oa", "alice")
    assert found is not None
    assert (found.name, found.phone, found.community_id) == ("王桂兰", ALICE_PHONE, "sunshine")


def test_a_changed_row_updates_its_line(store: Store, take: Import, write_csv: Write) -> None:
    take(write_csv(HEADER, row(), row(订单号="A2")))
    report = take(write_csv(HEADER, row(状态="已取货", 到达时间="2026-11-19 15:40"), row(订单号="A2")))
    assert counts(report) == (2, 0, 1, 1, 1)
    changed = next(line for line in lines_of(store) if line.order_no == "A1")
    assert changed.status == "picked_up"
    assert changed.arrived_at == datetime(2026, 11, 19, 7, 40, tzinfo=UTC)


def test_a_file_without_a_column_leaves_that_column_alone(store: Store, take: Import, write_csv: Write) -> None:
    take(write_csv(HEADER, row()))
    columns = ("订单号", "手机号", "商品", "规格", "金额", "状态")
    report = take(write_csv(columns, [{**ROW, "状态": "已取货"}[column] for column in columns]))
    assert report.changed == 1
    line = lines_of(store)[0]
    assert (line.status, line.pickup_code, line.batch, line.community_id) == ("picked_up", "A012", "B1", "sunshine")


def test_a_dry_run_says_the_same_and_writes_nothing(store: Store, take: Import, write_csv: Write) -> None:
    path = write_csv(HEADER, row(), row(订单号="A2", 手机号="1"))
    report = take(path, dry_run=True)
    assert counts(report) == (2, 1, 0, 0, 0)
    assert [number for number, _ in report.refused] == [3]
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(residents)) == 0
        assert connection.scalar(select(func.count()).select_from(order_lines)) == 0


def test_english_headers_in_any_order_and_unknown_columns_become_notes(
    store: Store, take: Import, write_csv: Write
) -> None:
    path = write_csv(
        ("status", "Remark", "Order No", "product", "phone", "amount (yuan)", "备注"),
        ("arrived", "=1+1", "A1", "apples", ALICE_PHONE, "9.9", "放门口"),
    )
    assert counts(take(path)) == (1, 1, 0, 0, 1)
    line = lines_of(store)[0]
    assert line.notes == {"Remark": "'=1+1", "备注": "放门口"}
    assert (line.quantity, line.amount_fen, line.ordered_at) == (1, 990, NOW)
    assert counts(take(path, now=NOW + timedelta(days=1))) == (1, 0, 0, 1, 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_csv_is_read_in_the_encodings_that_spreadsheets_write(
    store: Store, take: Import, write_csv: Write, encoding: str
) -> None:
    assert take(write_csv(HEADER, row(), encoding=encoding)).new == 1
    assert lines_of(store)[0].product == "红富士苹果"


@pytest.mark.parametrize(
    ("encoding", "told"), [("utf-8", None), ("utf-8-sig", None), ("gb18030", "GB18030"), ("utf-16", "UTF-16")]
)
def test_a_report_says_when_a_file_was_not_read_as_utf_8(
    take: Import, take_people: Import, write_csv: Write, encoding: str, told: str | None
) -> None:
    assert take(write_csv(HEADER, row(), encoding=encoding)).encoding == told
    assert take_people(write_csv(("姓名", "手机号"), ("王桂兰", ALICE_PHONE), encoding=encoding)).encoding == told


def test_whole_books_in_gb18030_are_told_from_damaged_utf_8() -> None:
    for file in sorted((EXAMPLES / "faq").glob("*.yaml")):
        words = file.read_text(encoding="utf-8")
        assert sheets.decoded(words.encode("gb18030")) == (words, "GB18030")
        with pytest.raises(UnreadableFile, match="not whole UTF-8"):
            sheets.decoded(words.encode().replace("团".encode(), "团".encode()[:2]))


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_a_csv_may_be_divided_by_tabs_or_semicolons(take: Import, tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("\n".join(delimiter.join(line) for line in (HEADER, row())), encoding="utf-8")
    assert take(path).new == 1


def test_a_workbook_is_read_with_its_numbers_and_dates(store: Store, take: Import, write_xlsx: Write) -> None:
    evening = datetime(2026, 11, 18, 20, 15)
    path = write_xlsx(
        HEADER,
        row(手机号=int(ALICE_PHONE), 数量=2.5, 金额=22.8, 下单时间=evening, 预计到达=date(2026, 11, 19)),
        (),
        row(订单号=20261118001, 金额="=1+1"),
    )
    report = take(path)
    assert counts(report) == (2, 1, 0, 0, 1)
    assert [number for number, _ in report.refused] == [4]
    line = lines_of(store)[0]
    assert (line.quantity, line.amount_fen) == (2.5, 2280)
    assert line.ordered_at == datetime(2026, 11, 18, 12, 15, tzinfo=UTC)
    assert line.eta == datetime(2026, 11, 18, 16, 0, tzinfo=UTC)
    assert counts(take(path)) == (2, 0, 0, 1, 0)


def test_a_formula_without_a_saved_value_is_refused_by_row_and_column_and_an_empty_value_is_none(
    take: Import, write_xlsx: Write
) -> None:
    computed = {'<c r="L3"><f>D3</f><v /></c>': '<c r="L3" t="str"><f>D3</f><v></v></c>'}
    path = write_xlsx(HEADER, row(), row(订单号="A2", 下单时间="=D3"), row(订单号="A3", 到达时间="=D4", 批次="=D4"))
    rewrite(path, "xl/worksheets/sheet1.xml", computed)
    saved = "holds a formula whose value was not saved; open the file in a spreadsheet program and save it there"
    report = take(path)
    assert report.refused == ((4, f"批次 {saved}; 到达时间 {saved}"),)
    assert report.new == 2


def test_a_formula_without_a_saved_value_is_refused_in_the_header_and_beside_it(
    take: Import, write_xlsx: Write
) -> None:
    with pytest.raises(UnreadableFile, match="the header holds a formula whose value was not saved"):
        take(write_xlsx((*HEADER, "=A1"), row()))
    report = take(write_xlsx(HEADER, (*row(), "=A1")))
    assert "more cells than the header" in report.refused[0][1]


def rewrite(archive: Path, name: str, changes: dict[str, str]) -> None:
    """Replaces words in one file of a zip archive."""
    with zipfile.ZipFile(archive) as source:
        contents = {each: source.read(each) for each in source.namelist()}
    for old, new in changes.items():
        assert old.encode() in contents[name], contents[name]
        contents[name] = contents[name].replace(old.encode(), new.encode())
    with zipfile.ZipFile(archive, "w") as target:
        for each, content in contents.items():
            target.writestr(each, content)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"订单号": ""}, "订单号 is empty"),
        ({"商品": " "}, "商品 is empty"),
        ({"手机号": ""}, "手机号 is empty"),
        ({"手机号": "1380000"}, "手机号 is not a mobile number"),
        ({"社区": "月亮湾"}, "社区 is not a community of people.yaml"),
        ({"状态": "飞行中"}, "状态 is unknown; write one of 待发货"),
        ({"状态": ""}, "状态 is empty"),
        ({"金额": "-1"}, "金额 is negative"),
        ({"金额": "很贵"}, "金额 is not an amount"),
        ({"数量": "-1"}, "数量 is negative"),
        ({"数量": "一些"}, "数量 is not a number"),
        ({"下单时间": "昨天"}, "下单时间 is not a time"),
        ({"到达时间": "2026-02-30"}, "到达时间 is a date or time that does not exist"),
        ({"商品": "长" * 121}, "商品 has 121 characters, 120 at most"),
        ({"商品": "=HYPERLINK(1)"}, "商品 looks like a formula"),
        ({"微信标识": "alice"}, "微信标识 is not channel:id"),
        ({"订单号": "", "金额": "x"}, "订单号 is empty; 金额 is not an amount"),
    ],
)
def test_a_bad_row_is_named_with_its_reason(
    directory: Directory, write_csv: Write, changes: dict[str, str], reason: str
) -> None:
    path = write_csv(HEADER, row(订单号="good"), row(**changes))
    good, bad = OrderFile(path, directory=directory, timezone=SHANGHAI).lines()
    assert not isinstance(good, Refusal)
    assert isinstance(bad, Refusal)
    assert bad.row == 3
    assert bad.reason.startswith(reason)


def test_good_rows_go_in_beside_bad_ones(store: Store, take: Import, write_csv: Write) -> None:
    report = take(write_csv(HEADER, row(订单号=""), (), row(), row(手机号="1"), row(订单号="A3")))
    assert counts(report) == (4, 2, 0, 0, 2)
    assert [number for number, _ in report.refused] == [2, 5]
    assert {line.order_no for line in lines_of(store)} == {"A1", "A3"}


def test_a_line_that_stands_twice_is_taken_once(store: Store, take: Import, write_csv: Write) -> None:
    report = take(write_csv(HEADER, row(), row(规格="3斤装"), row(金额="1.00")))
    assert report.refused == ((4, "the same order line (order number, product, spec) stands in row 2"),)
    assert sorted(line.amount_fen for line in lines_of(store)) == [2280, 2280]


def test_a_row_with_more_cells_than_the_header_is_refused(take: Import, write_csv: Write) -> None:
    report = take(write_csv(HEADER, (*row(), "", "surplus")))
    assert "more cells than the header" in report.refused[0][1]


def test_reasons_hold_no_personal_data(take: Import, write_csv: Write) -> None:
    report = take(write_csv(HEADER, row(手机号="138000000019", 收货人="=王桂兰", 微信标识="王桂兰")))
    assert "王桂兰" not in report.refused[0][1]
    assert "1380000" not in report.refused[0][1]


def test_an_account_of_somebody_else_is_refused_and_stays_where_it_is(
    store: Store, take: Import, write_csv: Write
) -> None:
    take(write_csv(HEADER, row(微信标识="oa:alice")))
    report = take(write_csv(HEADER, row(), row(订单号="B1", 手机号=BOB_PHONE, 微信标识="oa:alice")))
    assert [number for number, _ in report.refused] == [3]
    assert "belongs to another resident" in report.refused[0][1]
    with store.read() as connection:
        found = find_by_account(connection, "oa", "alice")
        assert connection.scalar(select(func.count()).select_from(residents)) == 1
    assert found is not None
    assert found.phone == ALICE_PHONE


def test_one_account_with_two_phone_numbers_in_a_file_is_refused_the_second_time(
    take: Import, write_csv: Write
) -> None:
    path = write_csv(HEADER, row(微信标识="oa:x"), row(订单号="B1", 手机号=BOB_PHONE, 微信标识="oa:x"))
    assert take(path).refused == ((3, "the channel account stands with another phone number further up"),)


def test_an_imported_order_never_moves_a_proven_account(store: Store, take: Import, write_csv: Write) -> None:
    take(write_csv(HEADER, row(), row(订单号="B1", 手机号=BOB_PHONE)))
    with store.write() as connection:
        bob: int = connection.execute(select(residents.c.id).where(residents.c.phone == BOB_PHONE)).scalar_one()
        bind(connection, bob, "oa", "x", "proof", NOW)
    report = take(write_csv(HEADER, row(微信标识="oa:x")))
    assert len(report.refused) == 1


def test_residents_keep_what_a_file_does_not_say_and_the_last_row_wins(
    store: Store, take: Import, write_csv: Write
) -> None:
    rows = [row(订单号=f"A{number}", 收货人="老王") for number in range(BATCH)]
    path = write_csv(HEADER, row(), *rows, row(订单号="B", 收货人="王大妈"), row(订单号="C", 收货人="", 社区=""))
    assert take(path).refused == ((3 + 1, "the same order line (order number, product, spec) stands in row 2"),)
    assert take(path).changed == 0
    with store.read() as connection:
        found = connection.execute(select(residents)).one()
    assert (found.name, found.community_id) == ("王大妈", "sunshine")


def test_what_people_yaml_says_of_a_resident_wins_over_an_order(store: Store, write_csv: Write) -> None:
    directory = Directory(
        [Community("sunshine", "阳光花园"), Community("riverside", "滨江苑")],
        residents=[ListedResident("王桂兰", ALICE_PHONE, "riverside", elder=True)],
    )
    path = write_csv(HEADER, row(收货人="代收人"))
    import_orders(store, path, directory=directory, timezone=SHANGHAI, now=NOW, dry_run=False)
    with store.read() as connection:
        found = connection.execute(select(residents)).one()
    assert (found.name, found.community_id, found.elder) == ("王桂兰", "riverside", True)


def test_thousands_of_rows_go_in_over_several_transactions(store: Store, take: Import, write_csv: Write) -> None:
    which = [{"订单号": f"A{number}", "手机号": f"138{number // 4:08d}"} for number in range(2 * BATCH + 500)]
    path = write_csv(HEADER, *[row(**one) for one in which])
    assert counts(take(path)) == (2500, 2500, 0, 0, 2500)
    assert counts(take(path)) == (2500, 0, 0, 2500, 0)
    cheaper = write_csv(HEADER, *[row(**one, 金额="1.00") for one in which])
    assert counts(take(cheaper)) == (2500, 0, 2500, 0, 2500)


# Files that cannot be taken as a whole. No database is needed to say so.


def read_all(path: Path) -> list[object]:
    return list(OrderFile(path, directory=Directory(), timezone=SHANGHAI).lines())


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"  \n\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "neither csv nor xlsx"),
        (bytes(range(256)) * 8, "neither csv nor xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512, "old .xls"),
        (b"PK\x03\x04 but no archive", "not an xlsx workbook"),
        ('订单号,手机号,商品,金额,状态\n1,2,3,4,5\n"6,7,8,9,0\n1,2,3,4,5'.encode(), "row 3: a quotation mark"),
        ('订单号,手机号,商品,金额,状态\n"1\n2",2,3,4,5\n1,2,"红"富士,4,5\n'.encode(), "row 3: a quotation mark"),
        ("订单号,手机号,商品,金额,状态\n1,2,3,4,待发货\n1,2,苹果".encode()[:-1], "line 3: .*not whole UTF-8"),
        (b"\xef\xbb\xbf" + "订单号,手机号,商品,金额,状态".encode("gb18030"), "line 1: .*not whole UTF-8"),
        (b"hello world", "no column"),
        ("订单号,手机号,商品,金额,状态\n".encode(), "no rows below the header"),
        ("订单号,手机号,商品,金额\n1,2,3,4".encode(), "no column 状态"),
        ("订单号,单号,手机号,商品,金额,状态\n1,2,3,4,5,6".encode(), "mean the same"),
        ('订单号,手机号,商品,金额,状态\n"'.encode() + b"x" * 200_000, "row 2: a quotation mark"),
        ((",".join(["订单号,手机号,商品,金额,状态", *map(str, range(50))]) + "\n1").encode(), "more than 40 columns"),
    ],
)
def test_a_file_that_is_no_order_file_is_refused_as_a_whole(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=problem):
        read_all(path)


def test_a_file_that_is_absent_or_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no such file"):
        read_all(tmp_path / "absent.csv")
    with pytest.raises(UnreadableFile, match="not a file"):
        read_all(tmp_path)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    with path.open("wb") as file:
        file.write(b"a")
        file.truncate(sheets.MOST_BYTES + 1)
    with pytest.raises(UnreadableFile, match="larger than 50 MB"):
        read_all(path)


def test_more_rows_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch, write_csv: Write) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    assert len(read_all(write_csv(HEADER, *[row()] * 3))) == 3
    with pytest.raises(UnreadableFile, match="more than 3 rows"):
        read_all(write_csv(HEADER, *[row()] * 4))


def test_a_zip_bomb_is_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as entry:
            zeros = b"0" * 1024 * 1024
            for _ in range(sheets.MOST_UNPACKED_BYTES // len(zeros) + 1):
                entry.write(zeros)
    with pytest.raises(UnreadableFile, match="unpacks to more than 400 MB"):
        read_all(path)


def test_a_cell_far_below_costs_no_more_than_the_rows_of_a_sheet(
    monkeypatch: pytest.MonkeyPatch, write_xlsx: Write
) -> None:
    monkeypatch.setattr(sheets, "EXCEL_ROWS", 1000)
    path = write_xlsx(HEADER, row())
    far = path.with_name("far.xlsx")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(far, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                cell = b'<row r="999999999"><c r="XFD999999999" t="inlineStr"><is><t>x</t></is></c></row>'
                data = data.replace(b"</sheetData>", cell + b"</sheetData>")
            target.writestr(entry, data)
    assert len(read_all(far)) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(max_size=200).map(lambda text: (",".join(HEADER) + "\n" + text).encode("utf-8", "ignore")),
        st.lists(st.lists(st.text(max_size=12), max_size=18), max_size=6).map(
            lambda rows: "\n".join([",".join(HEADER), *(",".join(cells) for cells in rows)]).encode("utf-8", "ignore")
        ),
        st.binary(max_size=200).map(lambda rest: b"PK\x03\x04" + rest),
    )
)
def test_garbage_is_refused_and_never_breaks_the_import(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "garbage.csv"
    path.write_bytes(content)
    try:
        assert all(line for line in read_all(path))
    except UnreadableFile as error:
        assert str(error)  # noqa: PT017


# Residents


def test_people_are_made_changed_and_left_alone(store: Store, take_people: Import, write_csv: Write) -> None:
    header = ("姓名", "手机号", "社区", "长辈", "微信标识")
    bob_row = ("刘建国", BOB_PHONE, "riverside", "", "")
    path = write_csv(header, ("王桂兰", ALICE_PHONE, "阳光花园", "是", "oa:alice"), bob_row)
    assert counts(take_people(path, dry_run=True)) == (2, 2, 0, 0, 0)
    assert counts(take_people(path)) == (2, 2, 0, 0, 2)
    assert counts(take_people(path)) == (2, 0, 0, 2, 0)
    changed = write_csv(header, ("王桂兰", ALICE_PHONE, "", "否", ""), ("刘建国", BOB_PHONE, "", "", "oa:bob"))
    assert counts(take_people(changed)) == (2, 0, 2, 0, 2)
    with store.read() as connection:
        alice, bob = (find_by_account(connection, "oa", account) for account in ("alice", "bob"))
    assert alice is not None
    assert bob is not None
    assert (alice.name, alice.community_id, alice.elder) == ("王桂兰", "sunshine", False)
    assert (bob.name, bob.community_id) == ("刘建国", "riverside")


def test_bad_people_are_named(take_people: Import, write_csv: Write) -> None:
    report = take_people(
        write_csv(
            ("name", "phone", "elder", "channel_account"),
            ("", ALICE_PHONE, "", ""),
            ("王桂兰", "1", "", ""),
            ("王桂兰", ALICE_PHONE, "maybe", ""),
            ("王桂兰", ALICE_PHONE, "是", "oa:x"),
            ("王桂兰", ALICE_PHONE, "是", ""),
            ("刘建国", BOB_PHONE, "", "oa:x"),
        )
    )
    assert [number for number, _ in report.refused] == [2, 3, 4, 6, 7]
    assert report.written == 1


def test_a_resident_of_people_yaml_is_changed_there_only(store: Store, write_csv: Write) -> None:
    directory = Directory(residents=[ListedResident("王桂兰", ALICE_PHONE)])
    path = write_csv(("姓名", "手机号"), ("王阿姨", ALICE_PHONE), ("刘建国", BOB_PHONE))
    report = import_people(store, path, directory=directory, now=NOW)
    assert report.refused == ((2, "people.yaml says otherwise about this phone number; change it there"),)


def test_the_shipped_example_goes_in_whole(store: Store) -> None:
    directory = Directory.load(EXAMPLES / "people.example.yaml", {})
    report = import_orders(
        store, EXAMPLES / "orders.example.csv", directory=directory, timezone=SHANGHAI, now=NOW, dry_run=False
    )
    assert report.refused == ()
    assert report.new == report.total == report.written > 0


def test_lines_that_begin_with_a_hash_are_comments_and_keep_the_numbers_of_the_rest(
    take: Import, tmp_path: Path
) -> None:
    file = tmp_path / "orders.csv"
    rows = [
        "# 说明，带逗号",
        ",".join(HEADER),
        "# 又一行说明",
        ",".join(row()),
        ",".join(row(订单号="A2", 手机号="12")),
    ]
    file.write_text("\n".join(rows), encoding="utf-8")
    report = take(file)
    assert report.written == 1
    assert [number for number, _ in report.refused] == [5]
