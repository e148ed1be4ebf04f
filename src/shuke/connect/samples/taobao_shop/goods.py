"""What the shop sells, and how one met need leads to the next: oil control → pore care, newborn → toddler sizes."""

from __future__ import annotations

import random
from typing import NamedTuple


class Good(NamedTuple):
    """One product. `step` is its place on a ladder: a skin need, or the child's month span it fits."""

    code: str
    title: str
    price: int  # fen
    family: str  # skin | baby
    need: str
    step: int
    specs: tuple[str, ...] = ()
    item_id: str = ""


# The skin ladder. A buyer enters at the first or second step and climbs when satisfied.
SKIN_STEPS = ("控油清洁", "毛孔护理", "保湿修护", "抗初老")
# Months of age at which a child grows into each baby step.
BABY_MONTHS = (-3, 3, 9, 18, 36)
BABY_STEPS = ("待产", "新生儿", "学坐学爬", "学步", "幼儿")

_SKIN = """\
OC01|氨基酸控油洁面乳 清爽不紧绷|59|0|120g,200g
OC02|净油平衡爽肤水，男女可用|79|0|150ml,300ml
OC03|茶树清洁泥膜 去黑头|69|0|100g
OC04|控油散粉 持妆|88|0|透明色,自然色
OC05|吸油面纸 三包装|19.9|0|
PR01|毛孔细致精华液|139|1|30ml,50ml
PR02|果酸温和焕肤棉片，新手友好|99|1|40片,60片
PR03|收敛毛孔乳液|108|1|100ml
PR04|黑头导出液套装|89|1|
PR05|烟酰胺焕亮面膜|79|1|5片,10片
HY01|神经酰胺修护面霜|168|2|50g
HY02|玻尿酸保湿次抛精华|149|2|15支,30支
HY03|舒缓补水喷雾，敏感肌|69|2|150ml
HY04|积雪草修护面膜|99|2|5片,10片
HY05|无香保湿身体乳|75|2|250ml,500ml
AA01|视黄醇晚霜 淡纹|268|3|30g
AA02|多肽紧致眼霜|229|3|20g
AA03|胶原紧致精华油|298|3|30ml
AA04|抗糖抗氧早C晚A礼盒，送化妆镜|459|3|
SN01|轻薄防晒乳 SPF50|99|-1|50ml,80ml
SN02|润色唇膏|39|-1|豆沙,蜜桃,裸粉
SN03|卸妆膏 深层清洁|85|-1|90g
SN04|一次性洗脸巾 6包|49.9|-1|"""
_BABY = """\
PG01|孕妇待产包 28件套|299|0|夏季,冬季
PG02|孕期妊娠油|129|0|120ml
PG03|哺乳内衣，无钢圈|79|0|M 肤色,L 肤色,XL 灰色
PG04|产褥垫 20片|45|0|
NB01|超薄纸尿裤 NB码|89|1|NB 68片,NB 136片
NB02|新生儿连体衣 纯棉|69|1|52cm 米白,59cm 米白,59cm 浅蓝
NB03|防胀气奶瓶|79|1|150ml,240ml
NB04|婴儿云柔巾 40抽×8|52|1|
NB05|护臀膏 红屁屁修护|48|1|60g
NB06|一段配方奶粉|268|1|800g,800g×3
SA01|超薄纸尿裤 M码|92|2|M 60片,M 120片
SA02|婴儿米粉 高铁|45|2|原味,蔬菜,水果
SA03|爬行垫 加厚|159|2|180×200cm
SA04|磨牙棒饼干|26|2|胡萝卜,蓝莓
SA05|婴儿连体爬服，秋冬夹棉|99|2|73cm,80cm
SA06|二段配方奶粉|258|2|800g,800g×3
TD01|拉拉裤 XL码|96|3|XL 54片,XL 108片
TD02|学步鞋 软底防滑|119|3|13cm,14cm,15cm
TD03|宝宝餐椅 可折叠|269|3|
TD04|幼儿护耳帽|39|3|黄色,粉色
TD05|三段配方奶粉|238|3|800g,800g×3
TD06|宝宝沐浴洗发二合一|59|3|300ml,500ml
KD01|儿童防晒霜|89|4|50g
KD02|幼儿园书包|109|4|恐龙,兔子,汽车
KD03|儿童牙膏 3支|49|4|草莓,葡萄
KD04|早教积木 120粒，送收纳箱|139|4|
KD05|儿童保湿霜|69|4|50g,100g
KD06|纯棉儿童睡衣套装|89|4|100cm,110cm,120cm"""


def _read(text: str, family: str, steps: tuple[str, ...]) -> tuple[Good, ...]:
    goods = []
    for line in text.splitlines():
        code, title, price, step, specs = line.split("|")
        place = int(step)
        goods.append(
            Good(
                code=code,
                title=title,
                price=round(float(price) * 100),
                family=family,
                need=steps[place] if place >= 0 else "日常",
                step=place,
                specs=tuple(specs.split(",")) if specs else (),
                item_id=f"66{sum(ord(c) * 31**i for i, c in enumerate(code)) % 10**10:010d}",
            )
        )
    return tuple(goods)


SKIN = _read(_SKIN, "skin", SKIN_STEPS)
BABY = _read(_BABY, "baby", BABY_STEPS)
ALL = SKIN + BABY
_SKIN_BY_STEP = {step: tuple(g for g in SKIN if g.step == step) for step in range(-1, len(SKIN_STEPS))}
_BABY_BY_STEP = {step: tuple(g for g in BABY if g.step == step) for step in range(len(BABY_STEPS))}


def baby_step(months: float) -> int:
    """Which step a child of this age is on; an unborn child has a negative age."""
    return sum(months >= limit for limit in BABY_MONTHS[1:])


def pick_skin(dice: random.Random, step: int) -> Good:
    """Mostly the buyer's own step, sometimes everyday goods or a look at the next step."""
    chance = dice.random()
    if chance < 0.25:
        return dice.choice(_SKIN_BY_STEP[-1])
    if chance < 0.35:
        step = min(step + 1, len(SKIN_STEPS) - 1)
    return dice.choice(_SKIN_BY_STEP[step])


def pick_baby(dice: random.Random, months: float) -> Good:
    step = baby_step(months)
    if dice.random() < 0.08:  # bought ahead, to grow into
        step = min(step + 1, len(BABY_STEPS) - 1)
    return dice.choice(_BABY_BY_STEP[step])


def spec_text(dice: random.Random, good: Good) -> str:
    """Taobao's own way of writing a choice: 规格:200g;净含量:…"""
    if not good.specs:
        return ""
    label = "尺码" if good.need in ("学步", "学坐学爬", "待产") and "g" not in good.specs[0] else "规格"
    return f"{label}:{dice.choice(good.specs)}"
