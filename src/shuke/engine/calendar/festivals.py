"""Festivals by name: on which solar day each falls in a year. Only such as fall into every solar year once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple


class Festival(NamedTuple):
    zh: str
    en: str
    falls: Callable[[int], date]  # solar year → day


def _solar(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


def _lunar(month: int, day: int) -> Callable[[int], date]:
    """A day of the Chinese calendar. Months 1 to 10 fall into the solar year of the same number."""

    def falls(year: int) -> date:
        from lunar_python import Lunar

        solar = Lunar.fromYmd(year, month, day).getSolar()
        return date(solar.getYear(), solar.getMonth(), solar.getDay())

    return falls


def _eve(year: int) -> date:
    """The day before Spring Festival: the last day of the lunar year, whether that has 29 or 30 days."""
    return _lunar(1, 1)(year) - timedelta(days=1)


def _term(name: str) -> Callable[[int], date]:
    """One of the 24 solar terms."""

    def falls(year: int) -> date:
        from lunar_python import Lunar

        solar = Lunar.fromYmd(year, 6, 1).getJieQiTable()[name]
        return date(solar.getYear(), solar.getMonth(), solar.getDay())

    return falls


def _nth(month: int, weekday: int, nth: int) -> Callable[[int], date]:
    def falls(year: int) -> date:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.isoweekday()) % 7 + 7 * (nth - 1))

    return falls


FESTIVALS = {
    "new_year": Festival("元旦", "New Year's Day", _solar(1, 1)),
    "new_years_eve": Festival("除夕", "Chinese New Year's Eve", _eve),
    "spring_festival": Festival("春节", "Spring Festival", _lunar(1, 1)),
    "lantern": Festival("元宵节", "Lantern Festival", _lunar(1, 15)),
    "valentine": Festival("情人节", "Valentine's Day", _solar(2, 14)),
    "womens_day": Festival("妇女节", "Women's Day", _solar(3, 8)),
    "qingming": Festival("清明节", "Qingming Festival", _term("清明")),
    "labour_day": Festival("劳动节", "Labour Day", _solar(5, 1)),
    "mothers_day": Festival("母亲节", "Mother's Day", _nth(5, 7, 2)),
    "dragon_boat": Festival("端午节", "Dragon Boat Festival", _lunar(5, 5)),
    "childrens_day": Festival("儿童节", "Children's Day", _solar(6, 1)),
    "shopping_618": Festival("618购物节", "618 Shopping Festival", _solar(6, 18)),
    "fathers_day": Festival("父亲节", "Father's Day", _nth(6, 7, 3)),
    "qixi": Festival("七夕节", "Qixi Festival", _lunar(7, 7)),
    "teachers_day": Festival("教师节", "Teachers' Day", _solar(9, 10)),
    "mid_autumn": Festival("中秋节", "Mid-Autumn Festival", _lunar(8, 15)),
    "national_day": Festival("国庆节", "National Day", _solar(10, 1)),
    "double_ninth": Festival("重阳节", "Double Ninth Festival", _lunar(9, 9)),
    "double_11": Festival("双十一", "Double 11", _solar(11, 11)),
    "thanksgiving": Festival("感恩节", "Thanksgiving", _nth(11, 4, 4)),
    "double_12": Festival("双十二", "Double 12", _solar(12, 12)),
    "winter_solstice": Festival("冬至", "Winter Solstice", _term("DONG_ZHI")),
    "christmas": Festival("圣诞节", "Christmas", _solar(12, 25)),
}


@lru_cache(maxsize=4096)
def falls(name: str, year: int) -> date:
    """The day a festival falls on in a solar year."""
    return FESTIVALS[name].falls(year)
