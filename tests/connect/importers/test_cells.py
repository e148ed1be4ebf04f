"""Single cells: phones, addresses, birthdays, the laws of money and moments."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.connect.importers.cells import (
    Amounts,
    Moments,
    Notes,
    RowError,
    address,
    email,
    is_mobile,
    number_id,
    own_country,
    phone,
    plain,
    quantity,
)
from shuke.connect.importers.plain import birthday, gender
from shuke.engine.facts import Address, Birthday, Phone

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("18600000001", Phone("+8618600000001")),
        ("'18600000001\t", Phone("+8618600000001")),
        ("+86 186-0000-0001", Phone("+8618600000001")),
        ("86 18600000001", Phone("+8618600000001")),
        ("008618600000001", Phone("+8618600000001")),
        ("１８６０００００００１", Phone("+8618600000001")),
        ("18600000001.0", Phone("+8618600000001")),
        ("0571-88880000", Phone("+8657188880000")),
        ("(010)88880000", Phone("+861088880000")),
        ("+44 20 7946 0000", Phone("+442079460000")),
        ("18400000001-7576", Phone("18400000001-7576", virtual=True)),
        ("18400000001转7576", Phone("18400000001-7576", virtual=True)),
        ("186****0001", Phone("186****0001", masked=True)),
        ("186******01", Phone("186******01", masked=True)),
        ("12345", None),
        ("88880000", None),
        ("2025550101", None),  # whose country would that be?
        ("", None),
        ("null", None),
    ],
)
def test_phones(written, number):
    assert phone(written) == number


def test_only_whole_lasting_numbers_can_say_who_somebody_is():
    known = [phone(text) for text in ("18600000001", "186****0001", "18400000001-1")]
    assert [is_mobile(one) for one in known if one is not None] == [True, False, False]


def test_ten_digits_of_an_american_buyer_are_completed():
    assert own_country("(202) 555-0101", "US") == Phone("+12025550101")
    assert own_country("(202) 555-0101", "FR") is None


@pytest.mark.parametrize(
    ("written", "where"),
    [
        ("浙江省 杭州市 西湖区 文新街道 梧桐弄12号 3幢(310000)", Address("梧桐弄12号 3幢", "浙江省", "杭州市", "西湖区", "文新街道", "310000")),
        ("上海 上海市 徐汇区 桂花里3号(000000)", Address("桂花里3号", "上海", "上海市", "徐汇区")),
        ("广东省 东莞市 荔枝路8号", Address("荔枝路8号", "广东省", "东莞市")),
        ("香港特别行政区 九龙 油尖旺区 弥敦路1号（999077）", Address("弥敦路1号", "香港特别行政区", "九龙", "油尖旺区", "", "999077")),
        ("梧桐弄12号", Address("梧桐弄12号")),
        ("3 Juniper Street Albany NY", Address("3 Juniper Street Albany NY")),
        ("null", None),
    ],
)  # fmt: skip
def test_addresses(written, where):
    assert address(written) == where


@pytest.mark.parametrize(
    ("written", "born"),
    [
        ("1990-02-03", Birthday(1990, 2, 3)),
        ("1990/2/3 0:00", Birthday(1990, 2, 3)),
        ("1990年2月3日", Birthday(1990, 2, 3)),
        ("19900203", Birthday(1990, 2, 3)),
        ("2月3日", Birthday(0, 2, 3)),
        ("02-03", Birthday(0, 2, 3)),
        ("农历1990年8月15日", Birthday(1990, 8, 15, True)),
        ("8月15日（农历）", Birthday(0, 8, 15, True)),
        ("0001-02-03", Birthday(0, 2, 3)),
        ("1970-01-01", None),
        ("1990-13-03", None),
        ("spring", None),
        ("", None),
    ],
)
def test_birthdays(written, born):
    assert birthday(written) == born


def test_small_words():
    assert [gender(word) for word in ("女", "先生", "Female", "未知", "")] == ["f", "m", "f", "", ""]
    assert [email(text) for text in (" Anna@Mail.Example ", "a***@mail.example", "anna", "")] == [
        "anna@mail.example",
        "",
        "",
        "",
    ]
    assert [plain(text) for text in (' ="a" ', "'a", '"a"', "-", "NULL", "\ta ", "='a'")] == [
        "a",
        "a",
        "a",
        "",
        "",
        "a",
        "='a'",
    ]


@pytest.mark.parametrize(
    ("written", "milli"), [("2", 2000), ("0.5", 500), ("2件", 2000), ("1,000", 1_000_000), ("", 1000), ("0", 0)]
)
def test_quantities(written, milli):
    assert quantity(written, "n") == milli


@pytest.mark.parametrize("written", ["-1", "many", "inf", "1e30"])
def test_wrong_quantities(written):
    with pytest.raises(RowError, match="bad_quantity"):
        quantity(written, "n")


@given(st.integers(0, 10**12), st.sampled_from(["{}", "{}元", "¥{}", " {}\t", "'{}", '="{}"']))
def test_money_survives_being_written(minor, dressed):
    text = f"{minor // 100:,}.{minor % 100:02d}"
    assert Amounts("CNY")(dressed.format(text), "x") == minor
    assert Amounts("JPY")(dressed.format(f"{minor:,}"), "x") == minor


@given(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(["9" * 5000, "9" * 5000 + ".9", "-" * 90, "1e9999", "٣", "²", "½", "2024-٠1-01"]),
    )
)
def test_no_cell_breaks_a_reader(text):
    """Whatever stands in a cell, it is a value, nothing, or a reason."""
    moments, amounts = Moments(NEW_YORK, Notes()), Amounts("CNY")
    for read in (moments, amounts, quantity, number_id):
        with contextlib.suppress(RowError):
            read(text, "x")
    for read_alone in (plain, phone, address, email, birthday, gender):
        read_alone(text)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(lambda moment: moment.replace(microsecond=0)))
def test_moments_are_the_zones_own_also_when_clocks_change(moment):
    moments = Moments(NEW_YORK, Notes())
    expected = moment.replace(tzinfo=NEW_YORK).astimezone(UTC)
    for _ in range(2):  # the second time from memory
        for pattern in ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y年%m月%d日 %H:%M:%S"):
            assert moments(moment.strftime(pattern), "x") == expected
        on_the_minute = moment.replace(second=0)
        text = f"{moment.year}/{moment.month}/{moment.day} {moment.hour}:{moment.minute:02d}"
        assert moments(text, "x") == on_the_minute.replace(tzinfo=NEW_YORK).astimezone(UTC)


@given(st.integers(33_000, 65_000), st.integers(0, 86_399))
def test_serials_of_a_spreadsheet_are_local_moments(day, second):
    zone = ZoneInfo("Asia/Shanghai")
    local = datetime(1899, 12, 30) + timedelta(days=day, seconds=second)
    assert Moments(zone, Notes())(f"{day + second / 86_400:.10f}", "x") == local.replace(tzinfo=zone).astimezone(UTC)


def test_a_day_without_midnight_change_is_remembered_and_one_with_is_not():
    moments = Moments(NEW_YORK, Notes())
    assert moments("2017-03-12 01:30:00", "x") == datetime(2017, 3, 12, 6, 30, tzinfo=UTC)
    assert moments("2017-03-12 03:30:00", "x") == datetime(2017, 3, 12, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize("written", ["1970-01-01 08:00:00", "1970/1/1", "0000-00-00 00:00:00", "1899-12-31"])
def test_filler_moments_are_nothing_with_an_oddity(written):
    notes = Notes()
    assert Moments(NEW_YORK, notes)(written, "x") is None
    assert [code for code, _, _ in notes.pending] == ["filler_date"]


@pytest.mark.parametrize(
    "written", ["2024-01-01 25:00:00", "2024-01-01 10:61", "2024-13-01", "yesterday", "12:30", "2024-01-01 10:00:00 PM"]
)
def test_impossible_moments_are_reasons(written):
    moments = Moments(NEW_YORK, Notes())
    assert moments("2024-01-01 10:00:00", "x") is not None
    with pytest.raises(RowError, match="not_a_date"):
        moments(written, "x")
