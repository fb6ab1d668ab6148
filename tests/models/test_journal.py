"""The file of the journal of erasures."""

import os

from app.models.erasures import journal
from app.models.erasures.journal import Entry

FIRST, SECOND = Entry(1, "a" * 64, 1_700_000_000_000), Entry(2, "b" * 64, 1_700_000_000_001)


def test_what_was_added_is_read_in_order(tmp_path):
    path = str(tmp_path / "journal")
    journal.append(path, [FIRST])
    journal.append(path, [SECOND, FIRST])
    assert list(journal.read(path)) == [FIRST, SECOND, FIRST]
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_no_file_is_no_entries(tmp_path):
    assert list(journal.read(str(tmp_path / "journal"))) == []


def test_a_line_that_a_crash_cut_short_costs_no_other_line(tmp_path):
    path = tmp_path / "journal"
    journal.append(str(path), [FIRST])
    path.write_text(path.read_text() + "2 bbbbbb")
    journal.append(str(path), [SECOND])
    assert list(journal.read(str(path))) == [FIRST, SECOND]
