"""What can be wrong with a charter, as sentences that say where, what, and what to do about it."""

from __future__ import annotations

FAULTS = {
    "said_twice": ("{problem} is said twice; say it once.", "{problem} 出现了两次，请只写一次。"),
    "too_many_parts": (
        "this is nested or repeated too often for a charter; write it plainly.",
        "嵌套或重复过多，不像章程，请直接写明。",
    ),
    "bad_text": (
        "there is a character that is no text (U+0000); leave it out.",
        "含有不能作为文字的字符（U+0000），请去掉。",
    ),
    "not_yaml": ("this is not readable as YAML or JSON: {problem}.", "无法按 YAML 或 JSON 读取：{problem}。"),
    "not_a_charter": (
        "a charter is a document of named parts (name, currency, tiers, earning …); this is something else.",
        "章程应由具名部分组成（name、currency、tiers、earning……），此文件不是。",
    ),
    "field": ("{message} (given: {given}).", "{chinese}（给出的是：{given}）。"),
    "key_twice": (
        "the key {key} is used at {other} already; give this one another.",
        "键 {key} 已用于 {other}，请换一个。",
    ),
    "lowest_has_reach": (
        "the first tier {tier} is what everybody starts with; remove its conditions.",
        "第一个等级 {tier} 是人人入会即得的，请去掉它的条件。",
    ),
    "no_reach": (
        "tier {tier} says nowhere how it is reached; add reach.",
        "等级 {tier} 没有写明如何达到，请补充“升级条件”（reach）。",
    ),
    "one_of": (
        "a condition is exactly one of: all, any, or a measure with at_least.",
        "一个条件只能是其中之一：“全部满足”（all）、“满足其一”（any），或一项“指标”（measure）加“至少”（at_least）。",
    ),
    "empty_group": ("this group has no conditions; add one or remove the group.", "该条件组为空，请补充或删除。"),
    "no_threshold": (
        "{measure} needs at_least with a figure above 0.",
        "{measure} 需要写明大于 0 的“至少”（at_least）。",
    ),
    "not_above": (
        "tier {tier} is reached with {measure} {figure}, less than the lower tier {other} ({lower}); raise it or swap the tiers.",
        "等级 {tier} 的 {measure} 门槛 {figure} 低于更低的等级 {other}（{lower}），请提高门槛或调换顺序。",
    ),
    "same_threshold": (
        "tiers {other} and {tier} need the same {measure} ({figure}), so whoever reaches that is {tier} at once and {other} is never given for it; make them differ.",
        "等级 {other} 与 {tier} 的 {measure} 门槛相同（{figure}）：一达到就直接成为 {tier}，{other} 形同虚设，请改为不同数值。",
    ),
    "unknown_tier": ("there is no tier {key}; known are {known}.", "没有等级 {key}；已有：{known}。"),
    "ends_before_start": ("ends on {end}, before it starts on {start}.", "结束日 {end} 早于开始日 {start}。"),
    "exclusive_multiply": (
        "rule {rule} multiplies and cannot be exclusive; only per_amount rules can.",
        "规则 {rule} 是倍数规则，不能设为独占；只有“按消费金额”（per_amount）的规则可以。",
    ),
    "paid_only_has_reach": (
        "tier {tier} is only bought or given by hand (paid_only), so reach never counts; remove one of the two.",
        "等级 {tier} 只能购买或人工授予（paid_only），“升级条件”（reach）不会生效，请去掉其中之一。",
    ),
    "was_is_here": (
        "tier {key} is in this charter still, so no other can take it over; leave it out here, or remove that tier.",
        "等级 {key} 仍在本章程中，不能由其他等级承接；请在此去掉，或删除该等级。",
    ),
    "was_twice": (
        "members of the former tier {key} go to {other} already; name it at one tier only.",
        "原等级 {key} 的会员已由 {other} 承接，请只在一个等级中写明。",
    ),
    "keep_above_reach": (
        "to be kept, {tier} asks for more than to be reached ({measure} {figure}, not {lower}) in the same time: whoever reaches "
        "it loses it at the review and is back with the next purchase. Ask for {lower} or less here, or for more to reach it.",
        "{tier} 的保级要求高于升级要求（{measure} {figure}，而升级只需 {lower}），且计算时间相同：会员复核时降级，下次消费又升回。"
        "请把保级门槛改为 {lower} 或更低，或提高升级条件。",
    ),
    "no_duration": (
        "membership {key} ends the moment it is bought; give it months or days.",
        "付费会员 {key} 一买即到期，请写明月数（months）或天数（days）。",
    ),
    "activity_kind": (
        "rule {rule}: `activity` goes with kind activity, and kind activity needs it.",
        "规则 {rule}：“互动”字段（activity）与规则类型“互动”（kind: activity）必须同时出现。",
    ),
    "streaks_kind": (
        "rule {rule}: only activities have streaks.",
        "规则 {rule}：只有互动类规则可以有连续奖励 streaks。",
    ),
    "activity_without_limit": (
        "rule {rule} gives points as often as somebody repeats the activity; add limits (per_day, per_week, per_month or "
        "per_member).",
        "规则 {rule} 可被无限次重复领取，请加上“次数上限”（limits）：每天、每周、每月或每人最多几次。",
    ),
    "budget_of_growth": (
        "rule {rule} gives growth value, which costs nothing; a budget is for points.",
        "规则 {rule} 给的是成长值，没有成本，预算 budget 只用于积分。",
    ),
    "unknown_group": (
        "there is no group {key} in points.groups; known are {known}.",
        "“规则择一分组”（points.groups）中没有 {key}；已有：{known}。",
    ),
    "group_of_purchases": (
        "rule {rule} cannot be in a group: groups choose among rules of one order that give points.",
        "规则 {rule} 不能放入分组：分组只在同一订单的积分规则之间择一。",
    ),
    "small_group": (
        "group {key} has fewer than two rules, so there is nothing to choose; add rules to it or remove it.",
        "分组 {key} 不足两条规则，无从择一，请补充规则或删除该分组。",
    ),
    "one_day": (
        "a day is told in exactly one way: month_day, nth with weekday (1–5 or -1), date, or festival.",
        "日期只能用一种写法：“每月几日”（month_day）、“第几个”加“星期”（nth 1–5 或 -1，weekday）、“日期”（date）或“节日”（festival）。",
    ),
    "unknown_festival": ("there is no festival {name}; known are {known}.", "没有节日 {name}；已有：{known}。"),
    "days_around": (
        "before and after go with a date or a festival only.",
        "“提前几天”（before）与“延后几天”（after）只能配合“日期”（date）或“节日”（festival）使用。",
    ),
    "never_reviewed": (
        "tiers go up at a review only, but there is no review; choose review days or upgrade: at_once.",
        "升级只在评定日进行，却没有评定日；请设定评定日或把“升级时点”改为即时（upgrade: at_once）。",
    ),
    "late_day": (
        "day {day} is not in every month; choose 1 to 28.",
        "并非每个月都有 {day} 日，请选 1 到 28。",
    ),
    "quarter_month": (
        "month {month} is not within a quarter; 1 is its first month, 3 its last.",
        "季度内没有第 {month} 个月；1 为首月，3 为末月。",
    ),
    "no_fixed_date": ("expiry on a fixed date needs `on`.", "固定日期过期需要写明是哪一天（on）。"),
    "no_such_day": ("month {month} has no day {day} in every year.", "{month} 月并非每年都有 {day} 日。"),
    "step_twice": ("a step stands here twice; name each once.", "同一步骤出现两次，请各写一次。"),
    "tender_last": (
        "gift cards and stored value are means of payment and come last; move them to the end.",
        "礼品卡与储值是支付方式，只能排在最后，请移到末尾。",
    ),
    "unknown_rule": (
        "{key} is no price, offer, coupon, group or step of this charter; correct the key or remove it.",
        "{key} 不是本章程的会员价、优惠、券、互斥组或步骤，请更正或删除。",
    ),
    "one_price": (
        "a tier price is exactly one of: percent, price, off_each.",
        "会员价只能写其中之一：减免百分比（percent）、每件价格（price）、每件减（off_each）。",
    ),
    "rule_needs": ("{rule} is of kind {kind} and needs {field}.", "{rule} 的类型是 {kind}，需要写明 {field}。"),
    "buys_nothing": (
        "{rule} gives something for buying nothing; say how many to buy, or name in `of` what is given.",
        "{rule} 没有写明买几件，请补充“买几件”（buy），或在“赠送商品”（of）中写明赠送的商品。",
    ),
    "no_rungs": ("ladder {rule} has no rungs; add at least one.", "阶梯 {rule} 没有任何一档，请至少写一档。"),
    "one_of_off": (
        "a rung of {rule} has either off or percent.",
        "{rule} 的每一档只能写“减”（off）或“减免百分比”（percent）之一。",
    ),
    "rungs_rise": (
        "rungs of {rule} must rise; {figure} is not above the one before.",
        "{rule} 的各档门槛必须递增，{figure} 不高于上一档。",
    ),
    "repeat_needs_off": (
        "{rule} repeats its last rung, which must then say off, not percent.",
        "{rule} 按最后一档循环，该档须写“减”（off），不能写“减免百分比”（percent）。",
    ),
    "less_than_nothing": (
        "{rule} takes off more than the amount it asks for, so goods would cost less than nothing; lower it.",
        "{rule} 的优惠超过其门槛金额，商品会低于零元，请降低优惠。",
    ),
    "budget_below_one": (
        "the budget of {rule} does not suffice for one coupon; raise it.",
        "{rule} 的预算不够一张券，请提高预算。",
    ),
    "quiet_days": (
        "{rule} is issued to members who stayed away; say after how many days.",
        "{rule} 发给久未光顾的会员，请写明多少天未购买。",
    ),
    "unknown_kind": ("there is no kind of benefit {key}; known are {known}.", "没有权益类型 {key}；已有：{known}。"),
    "never_counted": (
        "benefit {benefit} applies by itself, nobody hands it out, so “{times} times” would never be counted. Leave times out; to "
        "limit it, limit the price, offer or coupon that gives it, or choose a kind that is handed out at the counter.",
        "权益 {benefit} 自动生效、无需在柜台发放，“{times} 次”不会被计数。请去掉次数；如需限制，请限制相应的会员价、优惠或券，"
        "或改用在柜台发放的权益种类。",
    ),
    "unknown_coupon": (
        "there is no coupon {key}, neither in this charter nor among the shop's coupons, so nobody could get it; known are {known}. "
        "Correct the key, or make the coupon first.",
        "没有优惠券 {key}（本章程与店铺的优惠券中都没有），奖励将无法发放；已有：{known}。请更正，或先建立该券。",
    ),
    "unknown_store": (
        "there is no store {store}, so this would never apply; known are {known}. Correct the code, or open the store first.",
        "没有门店 {store}，此处将永不生效；已有：{known}。请更正编号，或先开设该门店。",
    ),
    "unheard_category": (
        "no goods of this shop are in a category “{name}” so far, so this does not apply to anything; nearest known: {near}. Correct the name, unless it is still to come.",
        "本店没有类目为“{name}”的商品，此处暂不会生效；最接近的已知名称：{near}。如非日后才有，请更正。",
    ),
    "unheard_product": (
        "no goods of this shop have the code “{name}” so far, so this does not apply to anything; nearest known: {near}. Correct the name, unless it is still to come.",
        "本店没有编号为“{name}”的商品，此处暂不会生效；最接近的已知名称：{near}。如非日后才有，请更正。",
    ),
    "unheard_brand": (
        "no goods of this shop are of a brand “{name}” so far, so this does not apply to anything; nearest known: {near}. Correct the name, unless it is still to come.",
        "本店没有品牌为“{name}”的商品，此处暂不会生效；最接近的已知名称：{near}。如非日后才有，请更正。",
    ),
    "unheard_platform": (
        "no store of this shop is on a platform “{name}” so far, so this does not apply to anything; nearest known: {near}. Correct the name, unless it is still to come.",
        "本店没有属于平台“{name}”的门店，此处暂不会生效；最接近的已知名称：{near}。如非日后才有，请更正。",
    ),
    "unheard_channel": (
        "no order of this shop came by a channel “{name}” so far, so this does not apply to anything; nearest known: {near}. Correct the name, unless it is still to come.",
        "本店没有来自渠道“{name}”的订单，此处暂不会生效；最接近的已知名称：{near}。如非日后才有，请更正。",
    ),
    "not_the_shops_currency": (
        "the charter counts in {currency}, but the shop sells in {expected}; change it to {expected}.",
        "章程的币种是 {currency}，而店铺的币种是 {expected}；请改为 {expected}。",
    ),
    "granted_twice": (
        "benefit {benefit} is granted to the same tier twice; keep one of the grants.",
        "权益 {benefit} 对同一等级写了两次，请保留其中一条。",
    ),
    "cannot_prorate": (
        "benefit {benefit} cannot be shared out by days: that needs a period with an end, and `times` in every grant.",
        "权益 {benefit} 无法按天折算：须有会结束的周期，且“谁享有、几次”（grants）每条都写明几次。",
    ),
    "not_at_the_till": (
        "benefit {benefit} promises {percent} % off, but the till takes nothing off: no tier price or offer under `selling` gives "
        "that to the same members. Add one, or leave `percent` out.",
        "权益 {benefit} 承诺减免 {percent}%，但收银台不会减：“价格、优惠与券”（selling）里没有给同样会员的会员价或优惠。请补上，"
        "或去掉“减免百分比”（percent）。",
    ),
    "days_around_special": (
        "before and after go with special_days here; festivals have their own.",
        "此处“提前几天”（before）与“延后几天”（after）只配合“特别日子”（special_days）；节日请写在“日期”（days）内。",
    ),
    "steps_rise": (
        "steps of {plan} must rise; {figure} is not above the one before.",
        "{plan} 的各档门槛必须递增，{figure} 不高于上一档。",
    ),
    "whole_orders": ("{plan} counts orders; {figure} is no whole number.", "{plan} 按订单数计，{figure} 不是整数。"),
    "honour_gives": (
        "{plan} is an honour and gives nothing; remove points and cost, or `honour`.",
        "{plan} 是荣誉勋章，不发放任何东西；请去掉积分（points）与成本（cost），或去掉“只授予勋章”（honour）。",
    ),
    "referral_gives_nothing": (
        "neither the friend nor whoever brings them gets anything; fill in friend or steps, or take the part out.",
        "好友与推荐人都没有奖励；请填写“好友得到”（friend）或“推荐人得到”（steps），或去掉此部分。",
    ),
    "referral_steps_rise": (
        "steps must rise: {figure} is not above the one before.",
        "各档人数必须递增：{figure} 不高于上一档。",
    ),
    "referral_step_empty": (
        "the step from {figure} friends on gives nothing; say what, or remove it.",
        "从第 {figure} 位起的一档没有奖励，请填写或删除。",
    ),
    "referral_caps": (
        "{month} a month can never be reached, for {member} is the most in all; lower it.",
        "每月 {month} 位高于总上限 {member} 位，永远达不到，请调低。",
    ),
    "referral_budget": (
        "a budget of {budget} points does not pay one reward of {points}; raise it.",
        "预算 {budget} 积分不够发一次 {points} 积分的奖励，请提高。",
    ),
    "stored_rungs_rise": (
        "steps of top-ups must rise: {figure} is not above the one before.",
        "储值档位必须递增：{figure} 不高于上一档。",
    ),
    "stored_one_bonus": (
        "the step from {figure} on says either bonus or percent, and one of them.",
        "储值 {figure} 一档须写赠送金额（bonus）或赠送百分比（percent），且只能写一个。",
    ),
    "stored_out_of_reach": (
        "{figure} can never be paid in, for a member can store at most {most}; lower it or raise most_balance.",
        "储值 {figure} 永远达不到，因为每位会员最多储值 {most}；请调低，或提高“本金余额上限”（most_balance）。",
    ),
    "no_such_ready": ("there is no ready charter {name}; known are {known}.", "没有现成章程 {name}；已有：{known}。"),
}


class Fault:
    """One thing wrong with a charter: where, what, and what to do about it."""

    __slots__ = ("code", "params", "where")

    def __init__(self, where: str, code: str, **params: str) -> None:
        self.where, self.code, self.params = where, code, params

    def say(self, language: str = "en") -> str:
        english, chinese = FAULTS[self.code]
        return f"{self.where}: " + (chinese if language.startswith("zh") else english).format(**self.params)

    def __repr__(self) -> str:
        return f"Fault({self.say()!r})"


class CharterInvalid(ValueError):
    """The document is not a charter. `faults` lists everything found, not only the first."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("; ".join(f.say() for f in faults))
