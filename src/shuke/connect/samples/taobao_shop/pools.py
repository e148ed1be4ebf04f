"""Names, places and numbers to invent people from. Every person put together here is made up.

Phone numbers use mobile prefixes which, to our knowledge, no Chinese carrier has given out, so that a demo which is let
loose on a real SMS channel cannot reach a stranger.
"""

from __future__ import annotations

import random
from typing import NamedTuple

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金"
DOUBLE_SURNAMES = ("欧阳", "司徒", "上官", "诸葛")
FEMALE = (
    "雅婷 欣怡 梦洁 晓燕 丽娜 静怡 思雨 雨桐 佳琪 慧敏 婉清 若曦 诗涵 嘉怡 美玲 海燕 玉兰 秀英 春梅 雪莹 晴 颖 倩 璐 瑶 琳 "
    "楠 薇 婧 蕾 可欣 语嫣 芷若 梓萱 一诺 晓彤 舒雅 文静 紫薇 子涵 艳红 桂芳 小芸 亚男 心怡 妍 彤 萌 悦"
).split()
MALE = (
    "伟 强 磊 军 洋 勇 杰 涛 超 浩然 子轩 宇航 志强 建国 文博 俊杰 明辉 晓东 海涛 鹏飞 思远 天佑 嘉豪 泽宇 博文".split()
)
CHILD = "糖糖 豆豆 果果 米粒 小满 团子 安安 乐乐 可可 小鱼 圆圆 朵朵 石头 航航 星星 月月 贝贝 汤圆 芽芽 嘟嘟".split()
NICK_HEADS = "小 爱 大 甜 萌 懒 快乐 元气 温柔 佛系 深夜 早起 北方 南方 江南 海边 山里 阳光 迷糊 认真 努力 微笑 会飞 不胖 今天".split()
NICK_CORES = (
    "熊猫 奶茶 柠檬 蜜桃 芒果 麻麻 宝妈 辣妈 猫咪 兔子 星球 月亮 豆浆 汤圆 向日葵 蒲公英 小鹿 鲸鱼 樱桃 栗子 青蛙 团子 "
    "布丁 芝士 薄荷 松鼠 海豚 雨天 晚风 云朵".split()
)
PREFIXES = ("154", "161", "163", "164", "168", "169")  # given to no carrier, see above


class Place(NamedTuple):
    province: str
    city: str
    district: str
    postcode: str
    weight: int


PLACES = tuple(
    Place(province, city, district, postcode, int(weight))
    for province, city, district, postcode, weight in map(
        str.split,
        """\
上海 上海市 浦东新区 200120 9
上海 上海市 徐汇区 200030 5
北京 北京市 朝阳区 100020 7
北京 北京市 海淀区 100080 5
天津 天津市 南开区 300100 2
重庆 重庆市 渝中区 400010 3
浙江省 杭州市 西湖区 310000 8
浙江省 宁波市 鄞州区 315000 3
浙江省 金华市 义乌市 322000 3
江苏省 南京市 鼓楼区 210000 4
江苏省 苏州市 吴中区 215000 6
江苏省 无锡市 滨湖区 214000 2
广东省 广州市 天河区 510000 7
广东省 深圳市 南山区 518000 8
广东省 佛山市 顺德区 528000 3
福建省 厦门市 思明区 361000 3
山东省 青岛市 市南区 266000 3
山东省 济南市 历下区 250000 2
河南省 郑州市 金水区 450000 4
湖北省 武汉市 武昌区 430000 4
湖南省 长沙市 岳麓区 410000 4
四川省 成都市 武侯区 610000 6
陕西省 西安市 雁塔区 710000 3
辽宁省 沈阳市 和平区 110000 2
黑龙江省 哈尔滨市 南岗区 150000 2
云南省 昆明市 五华区 650000 2
广西壮族自治区 南宁市 青秀区 530000 2
内蒙古自治区 呼和浩特市 赛罕区 010000 1
新疆维吾尔自治区 乌鲁木齐市 天山区 830000 1
西藏自治区 拉萨市 城关区 850000 1
""".splitlines(),
    )
)
_WEIGHTS = [place.weight for place in PLACES]
TOWNS = "花桥镇 临江街道 南苑街道 北塔街道 清溪镇 望湖街道".split()
ROADS = "青梧路 云栖路 栀子街 望海路 采薇巷 银杏大道 长桥路 听雨街 松风路 桃溪路 锦书街 麦田路".split()
ESTATES = "晴川花园 知春里 橘子公寓 半山云邸 星河湾畔 绿野家园 书香苑 海棠名居 风铃小区 悦来新城".split()
COURIERS = ("圆通速递", "中通快递", "韵达快递", "顺丰速运", "邮政快递包裹")


def surname(dice: random.Random) -> str:
    return dice.choice(DOUBLE_SURNAMES) if dice.random() < 0.01 else dice.choice(SURNAMES)


def person_name(dice: random.Random, *, female: bool) -> str:
    return surname(dice) + dice.choice(FEMALE if female else MALE)


def phone(dice: random.Random) -> str:
    """Eleven digits, no country code."""
    return dice.choice(PREFIXES) + f"{dice.randrange(10**8):08d}"


def nickname(dice: random.Random, born: int) -> str:
    """A platform account name in one of the styles people choose."""
    style = dice.random()
    core = dice.choice(NICK_HEADS) + dice.choice(NICK_CORES)
    if style < 0.45:
        return core + dice.choice(("", str(dice.randrange(10, 99)), str(born), f"{dice.randrange(10000):04d}"))
    if style < 0.7:
        return (
            dice.choice(CHILD)
            + dice.choice(("妈妈", "麻麻", "妈咪", "爱吃饭", "的小窝"))
            + str(dice.randrange(1, 2999))
        )
    letters = "".join(dice.choice("abcdefghjkmnpqrstuvwxyz") for _ in range(dice.randrange(3, 7)))
    return letters + dice.choice(("", "_")) + str(dice.randrange(100, 99999))


def address_detail(dice: random.Random) -> str:
    return (
        f"{dice.choice(ROADS)}{dice.randrange(1, 999)}号{dice.choice(ESTATES)}"
        f"{dice.randrange(1, 30)}幢{dice.randrange(1, 4)}单元{dice.randrange(1, 33)}0{dice.randrange(1, 5)}室"
    )


def place(dice: random.Random) -> Place:
    return dice.choices(PLACES, _WEIGHTS)[0]
