"""A bounded dict keeps its newest entries, whoever writes."""

import threading

from app.bounded import BoundedDict


def test_a_new_entry_takes_the_place_of_the_oldest():
    kept = BoundedDict(2)
    kept["a"], kept["b"], kept["a"], kept["c"] = 1, 2, 3, 4
    assert kept == {"b": 2, "c": 4}


def test_threads_that_write_at_once_leave_it_bounded():
    kept = BoundedDict(50)

    def write(thread):
        for number in range(5_000):
            kept[thread, number] = number

    threads = [threading.Thread(target=write, args=(one,)) for one in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert 50 <= len(kept) <= 54
