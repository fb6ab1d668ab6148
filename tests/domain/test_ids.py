"""app/domain/ids.py: ids that sort by time."""

from concurrent.futures import ThreadPoolExecutor

from app import clock
from app.domain import ids


def test_ids_are_24_hex_digits_and_grow():
    made = [ids.new() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert all(ids.is_id(one) for one in made)


def test_ids_follow_the_clock_and_never_go_back_with_it(monkeypatch):
    monkeypatch.setattr(ids, "_last", (0, 0))  # another test may have moved the clock ahead
    early = ids.new()
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + 5_000)
    late = ids.new()
    assert int(late[:12], 16) == now + 5_000 and late > early
    monkeypatch.setattr(clock, "now", lambda: now - 5_000)
    assert ids.new() > late


def test_several_ids_are_as_those_made_one_by_one(monkeypatch):
    made = [ids.new(), *ids.several(1000), ids.new()]
    assert made == sorted(set(made)) and all(map(ids.is_id, made))
    monkeypatch.setattr(ids, "_last", (clock.now() + 9_000, 2**48 - 2))
    made = [ids.new(), *ids.several(3), ids.new()]
    assert made == sorted(set(made)) and all(map(ids.is_id, made))


def test_threads_never_make_the_same_id():
    with ThreadPoolExecutor(8) as pool:
        made = [one for some in pool.map(lambda _: [ids.new() for _ in range(500)], range(8)) for one in some]
    assert len(set(made)) == len(made)


def test_what_is_no_id():
    assert not any(ids.is_id(text) for text in ["", "a" * 23, "a" * 25, "A" * 24, "g" * 24, "a" * 24 + "\n"])
