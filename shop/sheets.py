"""Opens a csv or xlsx file that somebody else made, and gives its rows; size is checked before anything is read."""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

MOST_BYTES = 50 * 1024 * 1024
MOST_ROWS = 500_000
MOST_UNPACKED_BYTES = 400 * 1024 * 1024
"""A workbook of 500,000 order lines unpacks to less; one that claims more is a zip bomb."""
MOST_COLUMNS = 100
EXCEL_ROWS = 1_048_576

_OLE = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"
_BOM_16 = (b"\xff\xfe", b"\xfe\xff")
_LOST = "\ufffd"
"""What stands for bytes that mean nothing."""
_LONG_IN_UTF_8 = re.compile("[\u0800-\ufffc\U00010000-\U0010ffff]")
"""Chinese among them; text in GB18030 hardly ever looks so by chance."""

Row = tuple[int, Sequence[Any]]


class Formula(str):
    """Stands in a cell for a formula whose value was not saved: it is not empty, and nobody knows what it holds."""

    __slots__ = ()


_NO_VALUE = Formula("=")


class UnreadableFile(Exception):
    """The file as a whole cannot be taken. The text says why, and what to do."""


class Rows(Iterator[Row]):
    """The rows of a file that hold something. ``encoding``: that of a csv which is not in UTF-8, else None."""

    def __init__(self, rows: Iterator[Row], encoding: str | None = None) -> None:
        self._rows = _filled(rows)
        self.encoding = encoding

    def __next__(self) -> Row:
        return next(self._rows)


def read_rows(path: Path) -> Rows:
    """The rows that hold something, with the numbers a spreadsheet shows beside them; the header is row 1.

    The kind is told from the content, not from the name. Raises ``UnreadableFile``, also while iterating.
    """
    content = _content(path)
    if content.startswith(_OLE):
        raise UnreadableFile("this is an old .xls or a protected workbook; save it as .xlsx without a password")
    if content.startswith(_ZIP):
        return Rows(_xlsx_rows(content))
    words, encoding = decoded(content)
    return Rows(_csv_rows(words), encoding)


def read_as(encoding: str) -> str:
    """What is told about a csv that is not in UTF-8."""
    return f"The file is not in UTF-8; it was read as {encoding}."


def _filled(rows: Iterator[Row]) -> Iterator[Row]:
    count = 0
    for number, cells in rows:
        if all(cell is None or cell == "" for cell in cells) or str(cells[0]).startswith("#"):
            continue  # empty, or a comment
        count += 1
        if count > MOST_ROWS + 1:
            raise UnreadableFile(f"more than {MOST_ROWS:,} rows; split the file")
        yield number, cells


def refuse_missing(path: Path) -> None:
    """Raises ``UnreadableFile`` where there is no file."""
    if not path.exists():
        raise UnreadableFile("there is no such file; look at its name, and at the folder you are in")
    if not path.is_file():
        raise UnreadableFile("this is not a file")


def _content(path: Path) -> bytes:
    try:
        refuse_missing(path)
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UnreadableFile(f"the file cannot be opened ({error.strerror})") from error
    if len(content) > MOST_BYTES:
        raise UnreadableFile(f"larger than {MOST_BYTES // 1024 // 1024} MB; split the file")
    if not content.strip():
        raise UnreadableFile("the file is empty")
    return content


def _csv_rows(words: str) -> Iterator[Row]:
    header = next((line for line in words[:10_000].splitlines() if not line.startswith(("#", '"#'))), "")
    delimiter = max(",\t;", key=header.count)
    number = 0
    try:
        # Not strict, the reader would take all that follows an open quotation mark for one cell.
        for number, cells in enumerate(csv.reader(io.StringIO(words, newline=""), delimiter=delimiter, strict=True), 1):
            yield number, cells
    except csv.Error as error:
        raise UnreadableFile(
            f"row {number + 1}: a quotation mark is opened and not closed, or more follows where it is closed; "
            'write one inside of a cell twice (""), or export the file again'
        ) from error


def decoded(content: bytes) -> tuple[str, str | None]:
    """The words of a csv, and the name of their encoding when it is not UTF-8.

    Excel in China saves csv as gb18030, as utf-8 with a mark, or as "Unicode text" in utf-16. Raises ``UnreadableFile``
    for what is neither, and for UTF-8 of which bytes are lost: in gb18030 almost any bytes mean something.
    """
    if content.startswith(_BOM_16):
        return _words_in(content, "utf-16"), "UTF-16"
    try:
        return _refuse_binary(content.decode("utf-8-sig")), None
    except UnicodeDecodeError as error:
        if content.startswith(codecs.BOM_UTF8) or _is_mostly_utf_8(content):
            line = content.count(b"\n", 0, error.start) + 1
            raise UnreadableFile(f"line {line}: the text is not whole UTF-8; export the table again") from None
    return _words_in(content, "gb18030"), "GB18030"


def _words_in(content: bytes, encoding: str) -> str:
    try:
        return _refuse_binary(content.decode(encoding))
    except UnicodeDecodeError:
        raise UnreadableFile(_NO_TABLE) from None


def _refuse_binary(words: str) -> str:
    if "\0" in words:
        raise UnreadableFile(_NO_TABLE)
    return words


def _is_mostly_utf_8(content: bytes) -> bool:
    words = content.decode("utf-8", "replace")
    whole = len(_LONG_IN_UTF_8.findall(words))
    return whole > 0 and whole >= words.count(_LOST)


_NO_TABLE = "neither csv nor xlsx; export the table again as one of the two"


def _xlsx_rows(content: bytes) -> Iterator[Row]:
    try:
        _refuse_bomb(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it remarks on styles, which do not matter here
            workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        yield from _sheet_rows(workbook, workbook.worksheets[0])
    except UnreadableFile:
        raise
    except Exception as error:  # the parser raises whatever a broken workbook makes it stumble over
        raise UnreadableFile("not an xlsx workbook that can be read; save it again as .xlsx or csv") from error


class _Cells(WorkSheetParser):
    """Reads cells as the library does, but tells a formula without a value from an empty cell."""

    def parse_cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        # "str" with no letters is a value: the formula came to an empty text.
        if cell["value"] is None and element.get("t") != "str" and element.find(FORMULA_TAG) is not None:
            cell["value"] = _NO_VALUE
        return cell


def _sheet_rows(workbook: Any, sheet: Any) -> Iterator[Row]:
    """Formulas are never run: what the spreadsheet computed last stands in the cell."""
    with workbook._archive.open(sheet._worksheet_path) as source:
        parser = _Cells(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=workbook.epoch,
            date_formats=workbook._date_formats,
            timedelta_formats=workbook._timedelta_formats,
        )
        for number, cells in parser.parse():
            if number > EXCEL_ROWS:
                break
            near = {cell["column"]: cell["value"] for cell in cells if cell["column"] <= MOST_COLUMNS}
            if near:
                yield number, [near.get(column) for column in range(1, max(near) + 1)]


def _refuse_bomb(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > MOST_UNPACKED_BYTES:
        raise UnreadableFile(f"unpacks to more than {MOST_UNPACKED_BYTES // 1024 // 1024} MB; split the file")
