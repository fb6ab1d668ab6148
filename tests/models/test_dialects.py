"""SQL is written once, with `?`; each driver gets its own form."""

from app.models.dialects import POSTGRES, SQLITE


def test_sqlite_takes_sql_as_it_is_written():
    assert SQLITE.driver_text("SELECT '100%' WHERE a = ?2") == "SELECT '100%' WHERE a = ?2"


def test_psycopg_gets_its_placeholders_and_doubled_percent_signs():
    assert (
        POSTGRES.driver_text("SELECT a % 2 WHERE b = ? AND c = ?::jsonb")
        == "SELECT a %% 2 WHERE b = %s AND c = %s::jsonb"
    )


def test_a_question_mark_in_a_literal_is_none_of_the_parameters():
    assert POSTGRES.driver_text("SELECT '^a?''%' WHERE b = ?") == "SELECT '^a?''%%' WHERE b = %s"
