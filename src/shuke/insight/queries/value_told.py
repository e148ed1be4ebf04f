"""Value as pages, the command line and the API tell it: totals with their bands, who will buy, how good that is, what is missing.

Amounts are minor units of the merchant's currency; all text is in the language asked for.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from shuke.engine.insight import badge, value_words, wording
from shuke.engine.insight.clv import by_trait, holdout
from shuke.engine.insight.profit import plain_worth
from shuke.insight.models import MemberScore
from shuke.insight.queries import figures as insight
from shuke.insight.queries import profit, value
from shuke.insight.queries.portrait import score_of
from shuke.insight.queries.profit_inputs import terms_of
from shuke.insight.queries.value import MemberValue
from shuke.kit import clock
from shuke.members.models import Member
from shuke.orders.models import ImportBatch, Order
from shuke.shops.models import Merchant

TOP = 20


def told(merchant: Merchant, language: str, *, now: datetime) -> dict[str, Any] | None:
    """The page Value; None before the first night.

    {"as_of", "made_at", "currency", "level": none | totals | full, "rule": "" | model | plain, "rule_says", "missing": [sentence, …],
     "bands": {"30": {"likely": members, "possible", "unlikely"}, "90": {…}}, "quiet": {"members", "year_net_minor"},
     "orders": null | BAND (order days), "spend": null | BAND, "past_orders", "past_spend": of the last 365 days,
     "layers": [{"layer", "name", "members", "orders", "spend": BAND}, …],
     "spend_bands": [{"from", "to": null = no end, "members", "spend"}, …], "top": [MEMBER, …],
     "wholesale": null | {"members", "from", "who": [{"member", "name"}, …]: 50 at most},
     "plain": {"year_net", "margin", "margin_assumed", "years", "years_assumed", "costs", "worth"},
     "buyers", "repeaters", "second_share": of buyers, those who came a second time}
    BAND: {"low", "expected", "high"}: four times of five the truth lies within. MEMBER: as `one`, with "name" and "card".
    """
    figures = value.report(merchant)
    if figures is None:
        return None
    whole = figures["whole"]
    answer: dict[str, Any] = {
        key: figures[key]
        for key in ("as_of", "made_at", "currency", "level", "rule", "wholesale", "buyers", "repeaters")
    }
    if answer["wholesale"]:
        people = Member.objects.filter(merchant=merchant).in_bulk(answer["wholesale"].get("who", []))
        named = [{"member": pk, "name": who.name or who.nickname or who.card} for pk, who in people.items()]
        answer["wholesale"] = answer["wholesale"] | {"who": named}
    answer |= {
        "rule_says": _rule(figures, language),
        "missing": value_words.missing(figures, language, future(merchant, figures)),
        "second_share": round(figures["repeaters"] / figures["buyers"], 4) if figures["buyers"] else None,
        "quiet": figures["quiet"],
        "bands": None, "orders": None, "spend": None, "layers": [], "spend_bands": [], "top": [],
        "past_orders": whole["past_orders"] if whole else None, "past_spend": whole["past_spend"] if whole else None,
        "plain": plain(merchant),
    }  # fmt: skip
    if whole is None:
        return answer
    answer |= {
        "bands": figures["bands"],
        "orders": _whole(whole["orders"]),
        "spend": None if whole["spend"] is None else _whole(whole["spend"]),
    }
    if figures["level"] == "full":
        answer |= {
            "layers": _layers(figures, language),
            "spend_bands": figures["spend_bands"],
            "top": _top(merchant, language),
        }
    return answer


def tested(merchant: Merchant, language: str, *, now: datetime) -> dict[str, Any] | None:
    """The page "How good is this?"; None before the first night.

    {"as_of", "made_at", "level", "rule", "missing", "badge": {"light", "parts": [{"key", "value", "light"}]}, "last_import": date | null,
     "made_on", "says": sentence | "", "tests": [{"from", "to", "days", "customers", "newcomers", "newcomer_orders", "orders", "spend",
        "says", "earned", "gate": [[passed, sentence], …], "methods": [{"name", "shown", "says", "expected", "ratio", "mae", "spearman",
        "gini", "capture", "money_ratio", "money_gini", "money_capture"}, …], "deciles": [[customers, expected, came], …]}, …],
     "chances": [{"days", "tested", "from", "customers", "bought", "shown", "model", "plain", "recency_auc", "tenths": [[customers, stated, came], …]}]}
    """
    figures = value.report(merchant)
    if figures is None:
        return None
    check = figures["check"]
    tests = [_test(one, language) for one in check["tests"]]
    for former in tests[1:]:
        former["says"] = _earlier(former, language)
    return {
        **{key: figures[key] for key in ("as_of", "made_at", "level", "rule", "currency")},
        "missing": value_words.missing(figures, language, future(merchant, figures)),
        "badge": _badge(merchant, figures),
        "last_import": _last_import(merchant),
        "made_on": check.get("made_on"),
        "says": tests[0]["says"] if tests else "",
        "tests": tests,
        "chances": [
            {key: one.get(key) for key in ("days", "tested", "customers", "bought", "shown", "model", "plain", "recency_auc")}
            | {"from": _day(one["from"]) if one.get("from") else None, "tenths": one.get("tenths", [])}
            for one in check.get("chances", {}).values()
        ],
    }  # fmt: skip


def one(merchant: Merchant, member: int, language: str) -> dict[str, Any] | None:
    """One member's value, as the member resource and the card show it; None where nothing can be told.

    {"as_of", "rule", "chance_30", "chance_90": permille, "says_30", "says_90": words, "expected_orders", "expected_spend", "low", "high",
     "reasons": [sentence, …]}
    """
    found = value.of_member(merchant, member)
    score = score_of(merchant, member) if found is not None else None
    if found is None or score is None or score.last_paid_at is None:
        return None
    return _said(found, language) | {"reasons": _reasons(merchant, found, score, language)}


def plain(merchant: Merchant) -> dict[str, Any] | None:
    """The trade's formula over all members: last year's profit × years − promotion, care and service; None before the figures are there."""
    report = profit.report(merchant)
    if report is None:
        return None
    year, terms = report["whole"]["year"], terms_of(merchant)
    costs = {"promotion": year["reward"], "care": year["care"], "service": year["service"]}
    return {
        "year_net": year["net"],
        "margin": year["margin"],
        "margin_assumed": terms.margin_assumed,
        "years": terms.years_tenths / 10,
        "years_assumed": terms.years_assumed,
        "costs": sum(costs.values()),
        "worth": plain_worth(yearly_margin=year["margin"], years_tenths=terms.years_tenths, **costs),
    }


def future(merchant: Merchant, figures: dict[str, Any]) -> int:
    """Orders dated after the real present: they never count."""
    ahead = max(clock.utc_now(), clock.day_start(date.fromisoformat(figures["as_of"]) + timedelta(days=2), merchant.tz))
    return Order.objects.filter(merchant=merchant, paid_at__gt=ahead)[:10_000].count()


def ahead_says(merchant: Merchant, language: str) -> str:
    """The sentence on such orders, for pages of other figures; "" where there are none."""
    day = insight.last_day(merchant)
    orders = future(merchant, {"as_of": day.isoformat()}) if day else 0
    return value_words.MISSING["future"].said(language, orders=f"{orders:,}") if orders else ""


def _rule(figures: dict[str, Any], language: str) -> str:
    if not figures["rule"]:
        return ""
    shown = "model" if figures["rule"] == "model" else figures["check"]["shown"]
    return value_words.RULES[shown].said(language)


def _whole(band: dict[str, float]) -> dict[str, int]:
    return {key: round(amount) for key, amount in band.items()}


def _layers(figures: dict[str, Any], language: str) -> list[dict[str, Any]]:
    reach, found = figures["check"]["reach"], []
    for row in figures["layers"]:
        code = list(wording.LAYERS).index(row["layer"])
        times, spend = reach["groups"].get(str(code), reach["spend"]), row["spend"]
        band = _whole({"low": spend / times, "expected": spend, "high": spend * times})
        name = wording.LAYERS[row["layer"]].said(language)
        found.append(
            {
                "layer": row["layer"],
                "name": name,
                "members": row["members"],
                "orders": round(row["orders"] / 1000),
                "spend": band,
            }
        )
    return found


def _top(merchant: Merchant, language: str) -> list[dict[str, Any]]:
    best = value.top(merchant, TOP)
    people = Member.objects.filter(merchant=merchant).in_bulk([each.member for each in best])
    year = dict(
        MemberScore.objects.filter(merchant=merchant, member_id__in=list(people)).values_list(
            "member_id", "year_net_minor"
        )
    )
    return [
        {"member": each.member, "name": who.name or who.nickname or who.card, "card": who.card}
        | _said(each, language)
        | {"year_net_minor": year.get(each.member, 0)}
        for each in best
        if (who := people.get(each.member))
    ]  # fmt: skip


def _said(found: MemberValue, language: str) -> dict[str, Any]:
    return {
        "as_of": found.as_of.isoformat(),
        "rule": found.rule,
        "chance_30": found.chance_30,
        "chance_90": found.chance_90,
        "says_30": value_words.CHANCES[found.band(30)].said(language),
        "says_90": value_words.CHANCES[found.band(90)].said(language),
        "expected_orders": found.expected_orders / 1000,
        "expected_spend": found.expected_spend,
        "low": found.spend_low,
        "high": found.spend_high,
    }


def _reasons(merchant: Merchant, found: MemberValue, score: MemberScore, language: str) -> list[str]:
    assert score.last_paid_at is not None
    silence = (found.as_of - clock.day_of(score.last_paid_at, merchant.tz)).days
    late = {"degrading": "late", "lost": "very_late"}.get(score.stage, "")
    figures = value.report(merchant) or {}
    bound = figures.get("wholesale")
    per_day = score.net_minor / score.order_days if score.order_days else 0
    return value_words.reasons(
        language,
        orders=score.order_days,
        gap=score.usual_gap_days,
        silence=max(silence, 0),
        late=late,
        rule=figures.get("check", {}).get("chances", {}).get("30", {}).get("shown", found.rule),
        wholesale=bound is not None and per_day > bound["from"],
    )


def _earlier(test: dict[str, Any], language: str) -> str:
    model = test["methods"][0]
    return value_words.EARLIER.said(
        language, days=test["days"], expected=f"{model['expected']:,.0f}", came=f"{test['orders']:,.0f}", ratio=model["ratio"] or 0
    )  # fmt: skip


def _test(report: dict[str, Any], language: str) -> dict[str, Any]:
    return {
        "from": _day(report["begin"] + 1),
        "to": _day(report["end"]),
        "days": report["end"] - report["begin"],
        **{key: report[key] for key in ("customers", "newcomers", "newcomer_orders")},
        "deciles": [[part["customers"], part["predicted"], part["actual"]] for part in report["deciles"]],
        "orders": report["actual_orders"],
        "spend": report["actual_spend"],
        "says": report["says_zh" if language.startswith("zh") else "says_en"],
        "earned": report["gate"]["earned"],
        "gate": value_words.gate(language, report["gate"]),
        "methods": [
            {"name": way["name"], "shown": way["name"] == report["gate"]["shown"], "expected": way["predicted"]}
            | {"says": value_words.RULES["traits" if way["name"].endswith(by_trait.SUFFIX) else way["name"]].said(language)}
            | {key: way[key] for key in ("ratio", "mae", "spearman", "gini", "capture", "money_ratio", "money_gini", "money_capture")}
            for way in report["methods"]
            if _worth_showing(way["name"], report)
        ],
    }  # fmt: skip


def _worth_showing(name: str, report: dict[str, Any]) -> bool:
    """The chosen model, also by traits, and every plain rule; other forms of the model say nothing to a manager unless one was chosen."""
    chosen = holdout.name_of(report["model"], report["k"])
    return name in (chosen, chosen + by_trait.SUFFIX) or name in holdout.RULES


def _badge(merchant: Merchant, figures: dict[str, Any]) -> dict[str, Any]:
    last = insight.latest(merchant)
    days, last_day = (last["history"]["days"], last["history"]["last_day"]) if last else (0, None)
    told_of = badge.badge(
        history_days=days,
        repeaters=figures["repeaters"],
        identified=last["kpi"]["identified_rate"] if last else None,
        days_since_last=(date.fromisoformat(figures["as_of"]) - date.fromisoformat(last_day)).days
        if last_day
        else None,
    )
    return {"light": told_of.light, "parts": [part._asdict() for part in told_of.parts]}


def _last_import(merchant: Merchant) -> str | None:
    made = ImportBatch.objects.filter(merchant=merchant).order_by("-id").values_list("started_at", flat=True).first()
    return made.isoformat() if made else None


def _day(number: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()
