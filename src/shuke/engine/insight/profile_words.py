"""A profile in plain sentences, in Chinese and English: what traits and their options are called, and what surely differs.

The profile is the dictionary of shuke.insight.queries.profiles; console, command line and API say the same.
"""

from __future__ import annotations

from typing import Any

from shuke.engine.insight.wording import PLATFORMS, Wording
from shuke.kit import money

TOPICS = {
    "who": Wording("是谁", "Who they are"),
    "place": Wording("在哪里", "Where"),
    "need": Wording("需要什么", "What they need"),
    "habit": Wording("购买习惯", "How they buy"),
}
TRAITS = {
    "age": Wording("年龄", "Age"),
    "gender": Wording("性别", "Gender"),
    "income_band": Wording("收入", "Income"),
    "occupation": Wording("职业", "Occupation"),
    "province": Wording("省份", "Province"),
    "city": Wording("城市", "City"),
    "home_store": Wording("所属门店", "Home store"),
    "acquired_by": Wording("来源", "Came by"),
    "platform": Wording("在哪个平台买", "Platform bought on"),
    "bought_at": Wording("在哪家店买", "Store bought in"),
    "kinds": Wording("钱花在哪些商品上", "What they spend on"),
    "weekday": Wording("星期几买", "Weekday"),
    "hour": Wording("几点买", "Time of day"),
    "frequency": Wording("一年里买几天", "Days with a purchase in a year"),
    "basket": Wording("平均每单", "Mean order"),
    "tenure": Wording("入会多久", "Member for"),
}
_WEEKDAYS = [
    Wording(f"星期{zh}", en)
    for zh, en in zip(
        "一二三四五六日",
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        strict=True,
    )
]
_GENDERS = {"f": Wording("女", "women"), "m": Wording("男", "men")}
_TENURE = {
    "0..90": Wording("不到 3 个月", "less than 3 months"),
    "90..365": Wording("3 个月至 1 年", "3 months to a year"),
    "365..730": Wording("1 至 2 年", "1 to 2 years"),
    "730..1826": Wording("2 至 5 年", "2 to 5 years"),
    "1826..": Wording("5 年以上", "5 years or more"),
}
_OTHER, _UNKNOWN = Wording("其他", "others"), Wording("未知", "unknown")
_ANSWERS = {"yes": Wording("是", "yes"), "no": Wording("否", "no")}
_COUNTED = {"age": 1, "frequency": 1}  # whole numbers: 25..35 is 25 to 34

_HEAD = Wording("{of} 位会员，占全部 {all} 位的 {share}{spend}。", "{of} members, {share} of all {all}{spend}.")
_SPEND = Wording("，近 365 天花了全体会员消费的 {share}", "; they spent {share} of what all members spent in 365 days")
_BASKET = Wording(
    "一般每单 {group}（全体 {all}），一年里买 {days} 天（全体 {all_days} 天）。",
    "Typically {group} an order (all: {all}), on {days} days a year (all: {all_days}).",
)
_MORE = Wording("比全体会员肯定更多的是：{what}。", "Surely more often than among all members: {what}.")
_LESS = Wording("比全体会员肯定更少的是：{what}。", "Surely less often than among all members: {what}.")
_NOTHING = Wording(
    "比较了 {judged} 项，没有一项与全体会员有把握的差别。",
    "Of {judged} bars compared none surely differs from all members.",
)
_EVERYBODY = Wording(
    "这就是全体会员，没有可以比较的其他人。", "These are all members: there is nobody to compare them with."
)
_FEW = Wording(
    "与全体比较，至少要有 30 位已知的会员，且组外也要有 30 位；以下不作比较：{traits}。",
    "A comparison needs 30 members of whom it is known, and 30 outside the group. Not compared: {traits}.",
)
_SAYS_NOTHING = Wording("其中没有可比较的特征。", "Nothing in it can be compared.")
_UNKNOWN_OF = Wording("不知道的也不少，不计入占比：{traits}。", "Much is unknown and counts in no share: {traits}.")
_STALE = Wording(
    "{n} 位会员昨夜之后才加入，今晚计入。", "{n} members joined after last night and count from tonight on."
)
_ONE = Wording("{trait}：{option}（{share}，全体 {of_all}）", "{trait}: {option} ({share}, all {of_all})")
REFUSED = {
    "few": Wording("已知的不足 30 位，不作比较", "known of fewer than 30: not compared"),
    "few_others": Wording("组外已知的不足 30 位，不作比较", "fewer than 30 others known: not compared"),
    "everybody": Wording("没有组外的人可比", "nobody else to compare with"),
}
SURELY = {1: Wording("肯定更多", "surely more"), -1: Wording("肯定更少", "surely less"), 0: Wording("", "")}
NEEDS_SHARE = 0.4  # unknown of more than this is said


def trait(told: dict[str, Any], language: str) -> str:
    if told["label"]:
        zh, en = told["label"]
        return zh if language.lower().startswith("zh") else en
    return TRAITS[told["key"]].said(language)


def option(told: dict[str, Any], bar: dict[str, Any], language: str, currency: str) -> str:
    """What one option is called."""
    key, code = told["key"], bar["option"]
    if code == "*":
        return _OTHER.said(language)
    if bar["name"]:
        return bar["name"]
    if key == "weekday":
        return _WEEKDAYS[int(code) - 1].said(language)
    if key == "tenure":
        return _TENURE[code].said(language)
    if key == "platform" and code in PLATFORMS:
        return PLATFORMS[code].said(language)
    if key == "gender":
        return _GENDERS[code].said(language) if code in _GENDERS else code
    if key.startswith("attribute:") and code in _ANSWERS:
        return _ANSWERS[code].said(language)
    if ".." in code:
        return _band(key, code, currency)
    return code


def _band(key: str, code: str, currency: str) -> str:
    low, _dots, high = code.partition("..")
    if key == "hour":
        return f"{low}:00–{high}:00"
    if key == "basket":
        low, high = (money.show(int(bound), currency) if bound else "" for bound in (low, high))
    elif step := _COUNTED.get(key):
        high = str(int(high) - step) if low and high else high
        if low == high:
            return low
    return f"{low}–{high}" if low and high else f"≥ {low}" if low else f"< {high}"


def unknown(language: str) -> str:
    return _UNKNOWN.said(language)


def sentences(told: dict[str, Any], language: str, currency: str) -> list[str]:
    """What a person should read first."""
    spend = ""
    if told["net_share"] is not None and told["of"] < told["all"]:
        spend = _SPEND.said(language, share=_percent(told["net_share"]))
    share = _percent(told["of"] / told["all"]) if told["all"] else "0 %"
    found = [_HEAD.said(language, of=f"{told['of']:,}", all=f"{told['all']:,}", share=share, spend=spend)]
    basket, days = told["basket_minor"], told["days"]
    if None not in (basket["group"], days["group"]):
        shown = {name: money.show(basket[name], currency) for name in ("group", "all")}
        found.append(_BASKET.said(language, **shown, days=days["group"], all_days=days["all"]))
    if told["of"] == told["all"]:
        return [*found, _EVERYBODY.said(language)]
    picked = [(told["traits"][i], bar) for i, bar in ((i, told["traits"][i]["bars"][j]) for i, j in told["telling"])]
    comma = "；" if language.lower().startswith("zh") else "; "
    for side, words in ((1, _MORE), (-1, _LESS)):
        what = [
            _ONE.said(
                language, trait=trait(one, language), option=option(one, bar, language, currency), share=_percent(bar["share"]),
                of_all=_percent(bar["of_all"]),
            )
            for one, bar in picked
            if bar["surely"] == side
        ]  # fmt: skip
        if what:
            found.append(words.said(language, what=comma.join(what)))
    if not picked:
        found.append(_NOTHING.said(language, judged=told["judged"]) if told["judged"] else _SAYS_NOTHING.said(language))
    dot = "、" if language.lower().startswith("zh") else ", "
    few = [trait(one, language) for one in told["traits"] if one["refused"] in ("few", "few_others")]
    if few:
        found.append(_FEW.said(language, traits=dot.join(few)))
    gaps = [
        f"{trait(one, language)} {_percent(1 - one['known'] / one['of'])}"
        for one in told["traits"]
        if one["of"]
        and one["topic"] in ("who", "place")
        and 1 - one["known"] / one["of"] > NEEDS_SHARE
        and not one["refused"]
    ]
    if gaps:
        found.append(_UNKNOWN_OF.said(language, traits=dot.join(gaps)))
    if told["stale"]:
        found.append(_STALE.said(language, n=f"{told['stale']:,}"))
    return found


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 or share == 0 else f"{100 * share:.1f} %"
