from __future__ import annotations

import io
import json

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.logs import PROCESSORS
from bot.storage.store import Store

PHONE = "13800001111"


def logged_after(action) -> dict:
    """The line that an exception of this action leaves in the log."""
    stream = io.StringIO()
    log = structlog.wrap_logger(structlog.PrintLogger(stream), processors=PROCESSORS)
    try:
        action()
    except Exception:
        log.exception("failed", conversation=7)
    return json.loads(stream.getvalue())


def test_an_exception_is_logged_by_its_type_and_place_without_its_text() -> None:
    def fails() -> None:
        raise ValueError(f"the resident wrote {PHONE}")

    line = logged_after(fails)
    assert line["exception"] == "ValueError"
    assert "fails" in line["places"][-1]
    assert PHONE not in json.dumps(line)


def test_a_database_error_does_not_quote_the_rows(store: Store) -> None:
    def fails() -> None:
        with store.write() as connection:
            connection.execute(text("INSERT INTO no_such_table VALUES (:words)"), {"words": PHONE})

    assert PHONE not in json.dumps(logged_after(fails))
    with pytest.raises(SQLAlchemyError) as caught:
        fails()
    assert PHONE not in str(caught.value)
