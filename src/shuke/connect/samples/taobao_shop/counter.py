"""The list the street counter keeps by hand: cards, phones, birthdays, children, skin. The only file that knows needs."""

from __future__ import annotations

import random
from datetime import date, datetime
from pathlib import Path

from .. import columns
from ..sheets import write_csv
from . import goods
from .people import Person
from .reports import SHOP

SIZES = ("NB", "S", "M", "L", "XL", "XXL")
JOBS = ("教师", "会计", "护士", "设计师", "公务员", "个体", "全职妈妈", "工程师", "学生", "销售")
INCOMES = ("5千以下", "5千至1万", "1万至2万", "2万以上")


def member_list(folder: Path, dice: random.Random, people: list[Person], *, at: datetime) -> Path:
    """A title line, then the real header, then one row per card. Several hands wrote the dates."""
    rows = [_row(dice, person, at) for person in people if person.card and person.card_since]
    title = [f"{SHOP} 会员登记表"] + [""] * (len(columns.PLAIN_MEMBERS) - 1)
    return write_csv(folder / "柜台会员登记表.csv", [title, columns.PLAIN_MEMBERS, *rows], made_at=at)


def written(dice: random.Random, day: date) -> str:
    style = dice.random()
    if style < 0.6:
        return day.isoformat()
    if style < 0.85:
        return f"{day.year}/{day.month}/{day.day}"
    return f"{day.year}年{day.month}月{day.day}日"


def _row(dice: random.Random, person: Person, at: datetime) -> list[str]:
    assert person.card_since is not None
    cells = {
        "会员卡号": person.card,
        "姓名": person.name,
        "手机号": person.phone,
        "性别": "女" if person.female else "男",
        "生日": _birthday(dice, person),
        "淘宝会员名": person.accounts[0].name_at(at) if person.told_account else "",
        "皮肤类型": person.skin_type if person.wants != "baby" else "",
        "护肤需求": goods.SKIN_STEPS[person.skin_now] if person.wants != "baby" else "",
        "职业": dice.choice(JOBS),
        "收入档": dice.choice(INCOMES),
        "微信号": f"wx_{dice.randrange(36**6):08d}",
        "登记日期": written(dice, person.card_since),
        "来源": dice.choice(("路过", "朋友介绍", "淘宝老客", "商场活动", "公众号")),
        "积分余额": "",
        "同意短信": dice.choices(("是", "否"), (8, 2))[0],
        "备注": dice.choice(("", "", "", "喜欢无香", "过敏史，勿推酒精类", "生日送小样")),
    }
    if person.children:
        child = person.children[-1]
        months = (at.date() - child.born).days / 30.4
        cells |= {
            "宝宝小名": child.name,
            "宝宝生日": written(dice, child.born),
            "宝宝性别": "女" if child.girl else "男",
            "宝宝尺码": SIZES[min(max(int(months // 4), 0), 5)] if months < 30 else "",  # out of nappies
        }
    return [cells.get(name, "") for name in columns.PLAIN_MEMBERS]


def _birthday(dice: random.Random, person: Person) -> str:
    if person.lunar:
        return f"农历{person.born.year}年{person.born.month}月{min(person.born.day, 29)}日"
    if dice.random() < 0.1:
        return f"{person.born.month}月{person.born.day}日"
    return written(dice, person.born)
