"""When a cluster is due: told before anything runs, by a rule with numbers (docs/scale.md)."""

import pytest

from shuke.engine.insight.port_estimate import Machine, Size, outlook

GB = 1 << 30
SMALL = Machine(cores=2, memory=GB // 2, free_disk=60 * GB, window=4 * 3600, spill=8 * GB)


def shop(orders: int) -> Size:
    return Size(orders=orders, lines=orders * 5 // 2, members=orders // 8)


@pytest.mark.parametrize("orders", [0, 150_000, 8_000_000, 100_000_000])
def test_one_machine_is_enough_for_nearly_everybody(orders):
    assert not outlook(shop(orders), SMALL).hand_over


def test_temporary_files_beyond_half_of_the_free_disk_ask_for_another_engine():
    size = shop(100_000_000)
    assert outlook(size, SMALL._replace(free_disk=8 * GB)).reasons == ("temp",)
    assert outlook(size, SMALL._replace(spill=GB)).reasons == ("temp",)
    assert outlook(size, SMALL._replace(free_disk=8 * GB, memory=8 * GB)).reasons == ()


def test_a_night_longer_than_its_window_asks_for_another_engine_and_more_cores_may_do():
    size = shop(3_000_000_000)
    assert outlook(size, SMALL._replace(memory=400 * GB)).reasons == ("time",)
    assert outlook(size, SMALL._replace(memory=400 * GB, cores=64)).reasons == ()


def test_nights_of_many_shops_follow_one_another_and_have_to_fit_into_one_night():
    size, machine = shop(100_000_000), SMALL._replace(memory=400 * GB)
    assert outlook(size, machine, [size] * 5).reasons == ()
    told = outlook(size, machine, [size] * 40)
    assert told.reasons == ("queue",)
    assert told.all_seconds == pytest.approx(41 * told.seconds)
    assert outlook(size, machine._replace(cores=64), [size] * 40).reasons == ()


def test_the_first_night_reads_everything_and_costs_more():
    size = shop(8_000_000)
    assert outlook(size._replace(fresh=True), SMALL).seconds > 2 * outlook(size, SMALL).seconds


def test_cost_grows_with_every_part():
    base = outlook(shop(1_000_000), SMALL)
    for more in (shop(1_000_000)._replace(orders=2_000_000), shop(1_000_000)._replace(members=2_000_000)):
        assert outlook(more, SMALL).cpu_seconds > base.cpu_seconds
