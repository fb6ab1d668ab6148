"""Index statistics for SQLite's planner.

It counts nothing by itself, and takes an index whose columns are all given, but that is not unique, for no better than
the primary key by the workspace alone. Then it reads a workspace from one end to the other for one user's devices.
"""

from app.models.database import db

_ROWS = 1_000_000  # in a table
_ROWS_OF_FIRST = 100_000  # that have the same first column, which is the workspace in all our keys
_ROWS_OF_PREFIX = 10  # that also have the same second column, or second and third, ...


def write() -> None:
    """Tell SQLite how many rows an index finds, the same for all; on Postgres, which counts, do nothing.

    Call it after every change of tables or indexes. ANALYZE would measure a workspace that is empty at the first start.
    https://sqlite.org/fileformat2.html#stat1tab describes the table.
    """
    if db.dialect.name != "sqlite":
        return
    db.execute_sql("ANALYZE sqlite_schema")  # makes the table, and counts nothing
    db.execute_sql("DELETE FROM sqlite_stat1")
    for table, index, columns, finds_one in db.execute_sql(_INDEXES).fetchall():
        db.execute_sql(
            "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", (table, index, _stat(columns, finds_one))
        )
    db.execute_sql("ANALYZE sqlite_schema")  # makes this connection read them; others read them when they open


# The primary key of a table WITHOUT ROWID goes by the name of the table. With all of its columns given an index finds
# one row if it is unique, and hardly more if it is partial: so it is taken before a longer one that holds all rows.
_INDEXES = """
    SELECT t.name, CASE WHEN t.wr AND i.origin = 'pk' THEN t.name ELSE i.name END,
           (SELECT count(*) FROM pragma_index_info(i.name)), i."unique" OR i.partial
    FROM pragma_table_list AS t, pragma_index_list(t.name) AS i
    WHERE t.schema = 'main' AND t.type = 'table'
"""


def _stat(columns: int, finds_one: bool) -> str:
    rows = [_ROWS_OF_FIRST] + [_ROWS_OF_PREFIX] * (columns - 1)
    if finds_one:
        rows[-1] = 1
    return " ".join(map(str, [_ROWS, *rows]))
