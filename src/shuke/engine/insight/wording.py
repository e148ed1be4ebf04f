"""What classes, layers, stages and figures are called and what they mean, in Chinese and English.

Text of the trade rather than of the screen: the member handbook, the console, the API and the command line all say the
same sentence. `of(name, language)` picks a language; parameters in braces are filled by the caller.
"""

from __future__ import annotations

from typing import NamedTuple


class Wording(NamedTuple):
    zh: str
    en: str

    def said(self, language: str, **params: object) -> str:
        """In Chinese for any `zh…` language code, else in English."""
        return (self.zh if language.lower().startswith("zh") else self.en).format(**params)


# R F M, 2 = high. The usual naming: M decides important or ordinary; R and F decide value, develop, keep, win back.
RFM_NAMES = {
    "222": Wording("重要价值", "Champions"),
    "212": Wording("重要发展", "Big but seldom"),
    "122": Wording("重要保持", "Big, often, gone quiet"),
    "112": Wording("重要挽留", "Big, about to be lost"),
    "221": Wording("一般价值", "Regulars"),
    "211": Wording("一般发展", "Newcomers"),
    "121": Wording("一般保持", "Regulars gone quiet"),
    "111": Wording("一般挽留", "Hardly here"),
}
RFM_STRATEGIES = {
    "222": Wording(
        "近期来过、来得勤、花得多：给专属服务与优先权，少打折，多请他们带朋友来。",
        "Bought lately, often and much: personal service and first choice, few discounts, ask them to bring friends.",
    ),
    "212": Wording(
        "花得多但来得少，近期来过：按需要推荐搭配与补货，用次数奖励把下一次约定下来。",
        "Spends much but seldom, and was here lately: offer what goes with it and when it runs out, reward the next visit.",
    ),
    "122": Wording(
        "曾常来、花得多，最近没来：由专人主动联系，问清原因，再给回来的理由。",
        "Used to come often and spend much, quiet now: have a person call, ask why, then give a reason to return.",
    ),
    "112": Wording(
        "花过大钱，来得少，又久未来：估算值得花多少去挽回，值得的逐个挽留，不值得的放手。",
        "Once spent much, seldom came, long gone: work out what winning back is worth, then call or let go.",
    ),
    "221": Wording(
        "常来但每次花得少：推荐套装、满额礼与更高一档的商品，提高客单价。",
        "Comes often, spends little: sets, a gift from an amount on, the next better product.",
    ),
    "211": Wording(
        "近期来过，次数与金额都还低，多为新客：做好首购关怀，尽快促成第二单。",
        "Here lately, little so far, mostly new: care after the first purchase and help the second one happen soon.",
    ),
    "121": Wording(
        "曾常来的小额顾客，最近没来：用会员日、到货与积分到期提醒低成本唤回。",
        "Small regulars gone quiet: cheap reminders such as member day, new arrivals, points about to expire.",
    ),
    "111": Wording(
        "久未来、来得少、花得少：只用几乎不花钱的触达，不再投入人力。",
        "Long gone, seldom, little: only contacts that cost next to nothing, no staff time.",
    ),
}
LAYERS = {
    "key": Wording("关键会员", "Key members"),
    "main": Wording("主要会员", "Main members"),
    "potential": Wording("潜在会员", "Potential members"),
    "target": Wording("目标会员", "Target members"),
}
LAYER_MEANINGS = {
    "key": Wording(
        "近 365 天净消费最高的 1% 购买会员。", "The 1 % of buyers with the highest net spend in the last 365 days."
    ),
    "main": Wording("其后的 4%。", "The following 4 %."),
    "potential": Wording("再其后的 15%，与前两层合为前 20%。", "The following 15 %: with the two above, the top 20 %."),
    "target": Wording(
        "其余会员，包括近 365 天没有购买的会员。", "All others, those without a purchase in the last 365 days included."
    ),
}
BONDS = {
    "loyal": Wording("忠诚层", "Loyal"),
    "drifting": Wording("游离层", "Drifting"),
    "potential": Wording("潜在层", "Potential"),
}
BOND_MEANINGS = {
    "loyal": Wording(
        "在 4 天以上买过，并一直按自己的节奏回来。", "Bought on four days or more and keeps coming at the own rhythm."
    ),
    "drifting": Wording(
        "近 365 天买过、也回来过，但还没有或不再守着自己的节奏。",
        "Came back and bought within the last 365 days, but keeps no rhythm yet, or no longer.",
    ),
    "potential": Wording(
        "还没有回来过：没买过、只在一天买过，或近 365 天没有购买。",
        "Still, or again, to be won: never bought, bought on one day only, or not within the last 365 days.",
    ),
}
STAGES = {
    "observing": Wording("观察期", "Observing"),
    "forming": Wording("形成期", "Forming"),
    "stable": Wording("稳定期", "Stable"),
    "degrading": Wording("退化期", "Degrading"),
    "lost": Wording("流失", "Lost"),
}
STAGE_MEANINGS = {
    "observing": Wording("只在一天买过，还在观察。", "Bought on one day so far, still having a look."),
    "forming": Wording("在 2 至 3 天买过，正在形成习惯。", "Bought on two or three days: a habit is forming."),
    "stable": Wording("在 4 天以上买过，按自己的节奏来。", "Bought on four days or more and comes at the own rhythm."),
    "degrading": Wording(
        "沉默超过本人惯常间隔的 1.5 倍（至少 14 天）。",
        "Silent for more than 1.5 of the own usual gaps (at least 14 days).",
    ),
    "lost": Wording(
        "沉默超过本人惯常间隔的 3 倍（至少 30 天），且 90 天内回来的可能性不到一半。",
        "Silent for more than 3 of the own usual gaps (at least 30 days), and less likely than not to be back within 90 days.",
    ),
}
# (name on screen, definition) of each figure in Snapshot.figures["kpi"] and of the larger charts.
FIGURES: dict[str, tuple[Wording, Wording]] = {
    "members": (
        Wording("会员总数", "Members"),
        Wording("截至当日已入会、未合并、未注销的会员。", "Joined up to the day, neither merged nor erased."),
    ),
    "buyers": (
        Wording("购买过的会员", "Members who bought"),
        Wording(
            "至少有一笔未全额退款的已付订单的会员。",
            "Members with at least one paid order that was not wholly refunded.",
        ),
    ),
    "new_members": (
        Wording("本月新会员", "New members this month"),
        Wording("当月入会的会员。", "Joined in the calendar month of the day."),
    ),
    "active": (
        Wording("活跃会员", "Active members"),
        Wording("近 {active_days} 天有购买的会员。", "Members who bought within the last {active_days} days."),
    ),
    "active_rate": (
        Wording("活跃率", "Active rate"),
        Wording(
            "近 {active_days} 天有购买的会员 ÷ 会员总数。",
            "Members who bought within the last {active_days} days ÷ members.",
        ),
    ),
    "churn_rate": (
        Wording("流失率", "Churn rate"),
        Wording(
            "{active_days} 天前的活跃会员中，此后再没有购买的比例。",
            "Of the members who were active {active_days} days ago, the share that has not bought since.",
        ),
    ),
    "repeat_rate": (
        Wording("复购率", "Repeat rate"),
        Wording(
            "近 {window_days} 天购买过的会员中，在两天以上购买的比例。同一天的多笔算一次。",
            "Of the members who bought within the last {window_days} days, the share that did on two days or more. "
            "Several orders of a day count once.",
        ),
    ),
    "orders": (
        Wording("订单数", "Orders"),
        Wording(
            "近 {window_days} 天已付、未全额退款的订单，含散客。",
            "Paid within the last {window_days} days and not wholly refunded, guests included.",
        ),
    ),
    "net_minor": (
        Wording("净销售额", "Net revenue"),
        Wording(
            "近 {window_days} 天实付减运费减退款（计算时已知的退款，记入成交所在的月份），含散客。",
            "Paid less freight and refunds within the last {window_days} days, guests included. Refunds are those known when it was "
            "computed, taken off the day of the sale.",
        ),
    ),
    "basket_minor": (
        Wording("客单价", "Basket value"),
        Wording("净销售额 ÷ 订单数。", "Net revenue ÷ orders."),
    ),
    "items_milli": (
        Wording("连带率", "Items per basket"),
        Wording(
            "商品件数 ÷ 写明商品的订单数；称重或计量的商品每行算一件。",
            "Pieces ÷ orders that name their goods; a line that is weighed or measured counts as one piece.",
        ),
    ),
    "identified_rate": (
        Wording("会员销售占比", "Identified share"),
        Wording("净销售额中由会员购买的比例。", "Share of net revenue bought by members."),
    ),
    "degrading": (Wording("预流失", "Degrading"), STAGE_MEANINGS["degrading"]),
    "lost": (Wording("流失会员", "Lost members"), STAGE_MEANINGS["lost"]),
    "rfm": (
        Wording("RFM 模型", "RFM"),
        Wording(
            "R 距最近一次付款订单的天数，F 购买天数，M 累计净消费。二分类以均值为界，五分位按 {fixed_on} 公布的分界点，{next_on} 更新。",
            "R days since the last paid order, F days with a purchase, M net spend of all time. Two levels against the mean, "
            "fifths by cut points published on {fixed_on}, made anew on {next_on}.",
        ),
    ),
    "pyramid": (
        Wording("会员金字塔", "Member pyramid"),
        Wording(
            "按近 {window_days} 天净消费分为前 1%、其后 4%、其后 15% 与其余；分界金额于 {fixed_on} 公布。",
            "By net spend of the last {window_days} days: the top 1 %, the next 4 %, the next 15 %, and all others; "
            "the amounts were published on {fixed_on}.",
        ),
    ),
    "bonds": (
        Wording("忠诚分层", "Loyalty layers"),
        Wording(
            "不看花多少，只看会不会回来：忠诚层按自己的节奏来；游离层近 {window_days} 天来过、不止一次，但节奏未成或已乱；"
            "其余为潜在层。",
            "Not by how much is spent but by who comes back: the loyal keep their own rhythm; the drifting came more than once and "
            "within the last {window_days} days, but keep none; all others are potential.",
        ),
    ),
    "curve": (
        Wording("二八曲线", "20/80 curve"),
        Wording(
            "从消费最多的会员排起：前百分之几的购买会员带来了百分之几的消费。",
            "Biggest spenders first: which share of buyers brought which share of spend.",
        ),
    ),
    "gini": (
        Wording("基尼系数", "Gini"),
        Wording(
            "购买会员之间消费的不均程度：0 表示人人一样，越接近 1 越集中在少数人。",
            "How unequally buyers spend: 0 all alike, towards 1 a few bring nearly everything.",
        ),
    ),
    "top20_share": (
        Wording("前 20% 的贡献", "Brought by the biggest 20 %"),
        Wording(
            "近 {window_days} 天消费最多的五分之一购买会员带来的消费占比。",
            "Share of spend of the last {window_days} days that the biggest fifth of buyers brought.",
        ),
    ),
    "members_for_80_rate": (
        Wording("八成消费来自", "80 % of spend comes from"),
        Wording(
            "最少要多少比例的购买会员，才能合计带来近 {window_days} 天消费的 80%。",
            "The smallest share of buyers that brought 80 % of spend of the last {window_days} days.",
        ),
    ),
    "lifecycle": (
        Wording("会员生命周期", "Life cycle"),
        Wording(
            "按购买天数与沉默天数相对本人惯常间隔判定；间隔少时向全店间隔靠拢。",
            "By days with a purchase, and silence against the member's own usual gap, drawn to the shop's where gaps are few.",
        ),
    ),
    "transitions": (
        Wording("会员流向", "Who went where"),
        Wording(
            "今天的会员在两个日期日终各处于哪一类；去而复返不算变动。每格可打开看到是谁。",
            "Today's members by where they stood at the end of the two days; there and back is no move. Each cell opens to its members.",
        ),
    ),
    "movement": (
        Wording("会员变动", "Movement"),
        Wording(
            "自上一快照以来改变类别、层级或阶段的会员。",
            "Members who changed class, layer or stage since the snapshot before.",
        ),
    ),
}
# Figures of days and grain that the reader chooses (engine/insight/growth.py): what they are called, what they mean.
GROWTH = {
    "members": (Wording("会员总数", "Members"), Wording("期末已入会的会员。", "Joined by the last day.")),
    "new_members": (Wording("新会员", "New members"), Wording("期内入会的会员。", "Joined within the days.")),
    "growth_rate": (
        Wording("会员增长率", "Growth rate"),
        Wording("新会员 ÷ 期初会员数。", "New members ÷ members before the days."),
    ),
    "buyers": (
        Wording("购买会员", "Buyers"),
        Wording("期内有购买的会员。", "Members with a purchase within the days."),
    ),
    "newcomers": (
        Wording("新客", "Newcomers"),
        Wording(
            "其中首次购买就在期内的会员。", "Of the buyers, those whose first purchase of all lies within the days."
        ),
    ),
    "returning": (
        Wording("回头客", "Returning"),
        Wording("其中期初之前买过的会员。", "Of the buyers, those who had bought before."),
    ),
    "again_rate": (
        Wording("期内再购率", "Came again"),
        Wording(
            "购买会员中，期内在两天以上购买的比例。",
            "Of the buyers, the share with purchases on two days or more of these.",
        ),
    ),
    "orders": (
        Wording("订单数", "Orders"),
        Wording(
            "期内已付、未全额退款的订单，含散客。", "Paid within the days and not wholly refunded, guests included."
        ),
    ),
    "net_minor": (
        Wording("净销售额", "Net revenue"),
        Wording(
            "期内实付减运费减退款，含散客；退款记入成交之日。",
            "Paid less freight and refunds, guests included; refunds are taken off the day of the sale.",
        ),
    ),
    "new_net_minor": (
        Wording("新客净销售额", "Of newcomers"),
        Wording("净销售额中新客的部分。", "Net revenue that newcomers brought."),
    ),
    "basket_minor": (Wording("客单价", "Basket value"), Wording("净销售额 ÷ 订单数。", "Net revenue ÷ orders.")),
    "items_milli": (
        Wording("连带率", "Items per basket"),
        Wording("商品件数 ÷ 写明商品的订单数。", "Pieces ÷ orders that name their goods."),
    ),
    "identified_rate": (
        Wording("会员销售占比", "Identified share"),
        Wording("净销售额中由会员购买的比例。", "Share of net revenue bought by members."),
    ),
    "active": (
        Wording("活跃会员", "Active"),
        Wording(
            "截至期末近 {active_days} 天有购买的会员。", "Bought within the {active_days} days up to the last one."
        ),
    ),
    "active_rate": (Wording("活跃率", "Active rate"), Wording("活跃会员 ÷ 会员总数。", "Active ÷ members.")),
    "churn_rate": (
        Wording("流失率", "Churn rate"),
        Wording(
            "期末前 {active_days} 天时的活跃会员中，此后没有再购买的比例。",
            "Of those active {active_days} days before the last day, the share without a purchase since.",
        ),
    ),
    "repeat_rate": (
        Wording("复购率", "Repeat rate"),
        Wording(
            "截至期末近 {window_days} 天购买过的会员中，在两天以上购买的比例。",
            "Of the buyers of the {window_days} days up to the last one, the share with purchases on two days or more.",
        ),
    ),
}
# Why a figure is missing or rough: code → sentence (Snapshot.figures["missing"]).
MISSING = {
    "no_members": Wording("还没有会员。", "There are no members yet."),
    "no_purchases": Wording(
        "会员还没有购买记录，导入订单后即可分析。", "No member has bought yet. Import orders first."
    ),
    "short_history": Wording("历史只有 {days} 天，需要 {needed} 天。", "Days of history: {days}; {needed} are needed."),
    "part_of_window": Wording(
        "历史只有 {days} 天，“近 {needed} 天”的数字只含这些天。",
        "Days of history: {days}; figures of the last {needed} days hold only those.",
    ),
    "too_few_gaps": Wording(
        "全店只见到 {gaps} 次回购间隔，少于 {needed} 次，暂只按购买天数分阶段。",
        "Only {gaps} returns were seen in the whole shop, {needed} are needed: stages go by order days alone for now.",
    ),
    "few_buyers": Wording(
        "购买会员只有 {buyers} 位，少于 {needed} 位，分档仅供参考。",
        "There are only {buyers} buyers, fewer than {needed}: fifths and layers are rough.",
    ),
    "all_alike": Wording(
        "所有会员的 {dimension} 值相同，无法区分高低，一律归中间档与低档。",
        "All members have the same {dimension}: nobody is high, everybody is in the middle fifth.",
    ),
    "no_spend": Wording(
        "近一年净消费为零，没有金字塔。", "Nothing was spent net within the window: there is no pyramid."
    ),
    "all_spend_alike": Wording(
        "消费金额相同的会员不能分层。", "Members who spent the same cannot be parted into layers."
    ),
}


def name_of(figure: str, language: str) -> str:
    """What a figure is called on screen."""
    return FIGURES[figure][0].said(language)


def definition_of(figure: str, language: str, **params: object) -> str:
    """What a figure means, with its parameters (window_days, active_days, fixed_on, next_on) filled in."""
    return FIGURES[figure][1].said(language, **params)


# Where stores sell. Codes that are not here are names of their own.
PLATFORMS = {
    "pos": Wording("线下门店", "Street shops"),
    "taobao": Wording("淘宝", "Taobao"),
    "tmall": Wording("天猫", "Tmall"),
    "jd": Wording("京东", "JD"),
    "pinduoduo": Wording("拼多多", "Pinduoduo"),
    "douyin": Wording("抖音", "Douyin"),
    "youzan": Wording("有赞", "Youzan"),
    "1688": Wording("1688", "1688"),
    "shopify": Wording("Shopify", "Shopify"),
    "woocommerce": Wording("WooCommerce", "WooCommerce"),
    "completejourney": Wording("Complete Journey", "Complete Journey"),
}
