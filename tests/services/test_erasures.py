"""The journal of erasures: whoever was erased stays so, whatever a restored database holds."""

from pathlib import Path

import pytest

from app import errors
from app.models.database import db
from app.models.erasures import journal
from app.services import erasures, events, merges, storage, users
from app.services.audit import SHELL
from tests.factories import fresh


@pytest.fixture
def file(app, tmp_path):
    """The file of the journal of this test alone."""
    path = str(tmp_path / "journal")
    erasures.open_journal(path)
    yield path
    erasures.open_journal("")


@pytest.fixture
def make(workspace):
    """Make a user with an event and return uid and id."""

    def make(uid=None):
        uid = uid or fresh()
        events.record(workspace, uid, "e")
        return uid, users.retrieve(workspace, uid).id

    return make


@pytest.fixture
def bring_back(workspace):
    """Do as a restored backup does: the user is there with its old id, and the table knows nothing of an erasure."""

    def bring_back(uid, id):
        db.execute_sql(f"DELETE FROM erasures WHERE workspace_id = {workspace}")
        db.execute_sql(
            f"INSERT INTO users (workspace_id, id, uid, created_at) VALUES ({workspace}, '{id}', '{uid}', 0)"
        )

    return bring_back


def test_an_erasure_is_in_the_table_and_in_the_file_when_it_is_acknowledged(workspace, file, make):
    uid, id = make()
    users.delete(workspace, uid, SHELL)
    [entry] = journal.read(file)
    assert entry in erasures.known() and entry.workspace == workspace
    assert id not in entry.user_hash and uid not in Path(file).read_text()


def test_who_comes_back_with_a_backup_is_erased_again_and_nobody_else(workspace, file, make, bring_back, count):
    (uid, id), (other, _) = make(), make()
    users.delete(workspace, uid, SHELL)
    bring_back(uid, id)
    assert erasures.catch_up() == 1
    with pytest.raises(errors.UserNotFound):
        users.retrieve(workspace, uid)
    assert users.retrieve(workspace, other) and count("erasures", workspace) == 1
    assert erasures.catch_up() == 0


def test_somebody_new_with_the_same_uid_stays(workspace, file, make, bring_back):
    uid, id = make()
    users.delete(workspace, uid, SHELL)
    users.update(workspace, uid, {}, full=True)
    db.execute_sql(f"DELETE FROM erasures WHERE workspace_id = {workspace}")
    assert erasures.catch_up() == 0 and users.retrieve(workspace, uid).id != id


def test_the_same_id_in_another_workspace_stays(workspace, file, make, other_api, bring_back):
    uid, id = make()
    users.delete(workspace, uid, SHELL)
    other = storage.workspaces.find(other_api.keys.workspace)
    db.execute_sql(f"DELETE FROM erasures WHERE workspace_id = {workspace}")
    db.execute_sql(f"INSERT INTO users (workspace_id, id, uid, created_at) VALUES ({other}, '{id}', '{uid}', 0)")
    assert erasures.catch_up() == 0 and users.retrieve(other, uid).id == id


def test_whoever_was_merged_into_the_erased_is_erased_too(workspace, file, make, bring_back):
    names = [make() for _ in range(3)]
    for (source, _), (destination, _) in zip(names, names[1:], strict=False):
        merges.merge(workspace, source, destination, full=True, caller=SHELL)
    users.delete(workspace, names[-1][0], SHELL)
    for uid, id in names:
        bring_back(uid, id)
    assert erasures.catch_up() == 3


def test_a_merge_alone_erases_nobody(workspace, file, make, bring_back):
    (source, id), (destination, _) = make(), make()
    merges.merge(workspace, source, destination, full=True, caller=SHELL)
    bring_back(source, id)
    assert erasures.catch_up() == 0 and users.retrieve(workspace, source).id == id


def test_what_the_file_lacks_is_copied_from_the_table(workspace, file, make, tmp_path):
    uid, _ = make()
    users.delete(workspace, uid, SHELL)
    before = list(journal.read(file))
    (tmp_path / "journal").unlink()
    erasures.catch_up()
    assert set(before) <= set(journal.read(file))


def test_a_journal_that_takes_nothing_is_no_acknowledgement_and_is_made_up_for(workspace, make, tmp_path):
    uid, _ = make()
    erasures.open_journal(str(tmp_path / "missing" / "journal"))
    with pytest.raises(errors.StorageUnavailable):
        users.delete(workspace, uid, SHELL)
    erasures.open_journal(str(tmp_path / "journal"))
    erasures.catch_up()
    assert [one for one in journal.read(str(tmp_path / "journal")) if one.workspace == workspace]
    erasures.open_journal("")


def test_a_delete_that_is_undone_leaves_no_line(workspace, file, monkeypatch):
    with pytest.raises(errors.UserNotFound):
        users.delete(workspace, fresh(), SHELL)
    assert list(journal.read(file)) == []
