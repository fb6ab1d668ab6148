"""tests/mutants: each mutant still has its place, and the runner tells which ones no test catches."""

import pytest

from tests.mutants import MUTANTS
from tests.mutants.__main__ import all_caught
from tests.mutants.mutant import Mutant, misplaced

FILE, OLD = "app/schemas/loading.py", "if name not in beside] if bodies else []"
NEW = "if name not in beside]"  # an IndexError where no bodies come
TESTS = ("tests/schemas/test_loading.py::test_no_users_and_no_events_are_loaded_as_none",)


def test_every_mutant_has_one_place_and_a_name_of_its_own():
    assert [fault for mutant in MUTANTS if (fault := misplaced(mutant))] == []
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert all(mutant.old != mutant.new for mutant in MUTANTS)


@pytest.mark.parametrize(("old", "times"), [("no such text", 0), ("uids", 2)])
def test_a_mutant_without_one_place_fails_the_run(capsys, old, times):
    assert not all_caught([Mutant("moved", FILE, old, "", TESTS)])
    assert f"moved: the old text occurs {times} times" in capsys.readouterr().out


def test_a_surviving_mutant_fails_the_run(capsys):  # slow: three runs of pytest
    caught, survivor = Mutant("no guard", FILE, OLD, NEW, TESTS), Mutant("unchanged", FILE, OLD, f"{OLD} + []", TESTS)
    assert not all_caught([caught, survivor])
    assert capsys.readouterr().out == "caught    no guard\nsurvived  unchanged\n1 of 2 caught\n"


def test_tests_that_do_not_run_fail_the_run(capsys):
    assert not all_caught([Mutant("no guard", FILE, OLD, NEW, ("tests/missing.py",))])
    assert "the tests did not run" in capsys.readouterr().out
