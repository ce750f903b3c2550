"""Opens a csv or xlsx file that somebody else made, and gives its rows; size is checked before anything is read."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl

MOST_BYTES = 50 * 1024 * 1024
MOST_ROWS = 500_000
MOST_UNPACKED_BYTES = 400 * 1024 * 1024
"""A workbook of 500,000 order lines unpacks to less; one that claims more is a zip bomb."""
MOST_COLUMNS = 100
EXCEL_ROWS = 1_048_576

_OLE = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"
_BOM_16 = (b"\xff\xfe", b"\xfe\xff")

Row = tuple[int, Sequence[Any]]


class UnreadableFile(Exception):
    """The file as a whole cannot be taken. The text says why, and what to do."""


def read_rows(path: Path) -> Iterator[Row]:
    """The rows that hold something, with the numbers a spreadsheet shows beside them; the header is row 1.

    The kind is told from the content, not from the name. Raises ``UnreadableFile``, also while iterating.
    """
    content = _content(path)
    if content.startswith(_OLE):
        raise UnreadableFile("this is an old .xls or a protected workbook; save it as .xlsx without a password")
    rows = _xlsx_rows(content) if content.startswith(_ZIP) else _csv_rows(content)
    count = 0
    for number, cells in rows:
        if all(cell is None or cell == "" for cell in cells) or str(cells[0]).startswith("#"):
            continue  # empty, or a comment
        count += 1
        if count > MOST_ROWS + 1:
            raise UnreadableFile(f"more than {MOST_ROWS:,} rows; split the file")
        yield number, cells


def _content(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise UnreadableFile("there is no such file" if not path.exists() else "this is not a file")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UnreadableFile(f"the file cannot be opened ({error.strerror})") from error
    if len(content) > MOST_BYTES:
        raise UnreadableFile(f"larger than {MOST_BYTES // 1024 // 1024} MB; split the file")
    if not content.strip():
        raise UnreadableFile("the file is empty")
    return content


def _csv_rows(content: bytes) -> Iterator[Row]:
    words = _decoded(content)
    header = next((line for line in words[:10_000].splitlines() if not line.startswith(("#", '"#'))), "")
    delimiter = max(",\t;", key=header.count)
    try:
        yield from enumerate(csv.reader(io.StringIO(words, newline=""), delimiter=delimiter), 1)
    except csv.Error as error:
        raise UnreadableFile(f"not a csv file that can be read ({error}); export it again") from error


def _decoded(content: bytes) -> str:
    """Excel in China saves csv as gb18030, as utf-8 with a mark, or as "Unicode text" in utf-16."""
    encodings = ("utf-16",) if content.startswith(_BOM_16) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            words = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in words:
            return words
    raise UnreadableFile("neither csv nor xlsx; export the table again as one of the two")


def _xlsx_rows(content: bytes) -> Iterator[Row]:
    try:
        _refuse_bomb(content)
        sheet = _first_sheet(content)
        # The size that the file states may be a lie; the limits here bound the work.
        rows = sheet.iter_rows(min_row=1, max_row=EXCEL_ROWS, min_col=1, max_col=MOST_COLUMNS, values_only=True)
        yield from _numbered(rows)
    except UnreadableFile:
        raise
    except Exception as error:  # the parser raises whatever a broken workbook makes it stumble over
        raise UnreadableFile("not an xlsx workbook that can be read; save it again as .xlsx or csv") from error


def _first_sheet(content: bytes) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it remarks on styles, which do not matter here
        # Formulas are never run: what the spreadsheet computed last stands in the cell.
        workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    return workbook.worksheets[0]


def _numbered(rows: Iterator[Sequence[Any]]) -> Iterator[Row]:
    for number, cells in enumerate(rows, 1):
        if cells:
            yield number, cells


def _refuse_bomb(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > MOST_UNPACKED_BYTES:
        raise UnreadableFile(f"unpacks to more than {MOST_UNPACKED_BYTES // 1024 // 1024} MB; split the file")
