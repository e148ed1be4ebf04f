"""A memory for those who only look."""

from shuke.kit import once


def count(calls):
    calls.append(1)
    return len(calls)


def test_it_is_read_once_while_looking_and_anew_otherwise():
    calls = []
    assert [once.read("a", lambda: count(calls)) for _ in range(2)] == [1, 2]
    with once.looking():
        assert [once.read("a", lambda: count(calls)) for _ in range(2)] == [3, 3]
        assert once.read("b", lambda: count(calls)) == 4
        with once.looking():  # a look within a look has a memory of its own
            assert once.read("a", lambda: count(calls)) == 5
        assert once.read("a", lambda: count(calls)) == 3
    assert once.read("a", lambda: count(calls)) == 6


def test_what_failed_is_not_remembered():
    with once.looking():
        for _ in range(2):
            try:
                once.read("a", lambda: 1 // 0)
            except ZeroDivisionError:
                continue
            raise AssertionError
        assert once.read("a", lambda: 7) == 7
