"""Races are run once in CI and again and again in a soak: the machine deals out their chances."""

from tests.trust import size


def pytest_generate_tests(metafunc):
    if metafunc.module.__name__.endswith("_races") and (times := size(1, 100)) > 1:
        metafunc.fixturenames.append("time_and_again")
        metafunc.parametrize("time_and_again", range(times))
