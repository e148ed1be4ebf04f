"""A shop where everything goes on, and everything a till can ask of it that moves something: each deed is made ready, then done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from shuke.loyalty import actions
from shuke.loyalty.actions import draws, gifts, referral, stored
from shuke.loyalty.models import GiftCardBatch
from shuke.loyalty.queries import stored as stored_books
from shuke.members.models import Member
from shuke.shops.models import Merchant
from tests import cast
from tests.flows.replay_lists import REFERRAL, SELLING, STORED
from tests.loyalty.books import CHARTER, START, member, order, publish, take
from tests.loyalty.test_draws import SIGN_IN, TERMS
from tests.trust import SOAK
from tests.trust.shop import LATER
from tests.trust.till import Till

ANN, BEN = "00000001", "00000002"
CARDS = 5_000 if SOAK else 100


def name(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


EVERYTHING = CHARTER | {
    "points": CHARTER["points"] | {"transfer": "anyone"},
    "memberships": [{"key": "plus", "name": name("付费卡"), "tier": "gold", "months": 2, "price": 88, "products": ["PLUS"]}],
    "earning": [*CHARTER["earning"], {**SIGN_IN, "limits": {"per_month": 1000}}],
    "selling": SELLING | {"coupons": [c | {"limits": {}} for c in SELLING["coupons"]]},
    "stored": STORED | {"least": 1, "most_balance": 0, "cards": {"most": 1000}},
    "referral": REFERRAL,
    "rights": {"benefits": [{"key": "wrap", "name": name("包装"), "kind": "gift_wrap", "grants": [{"times": 1000}], "cost": 3}]},
}  # fmt: skip


class Deed(NamedTuple):
    """`path` and `body` may name {key}, {ready} (what was made ready), {code} (of a member who brings friends), {me} and {other}."""

    name: str
    path: str
    body: dict[str, Any]
    ready: Callable[[EveryTill, str], str] = lambda till, key: ""
    again: str = "answer"  # sent again it changes nothing and answers alike; "books": it says so


class NotReady(Exception):
    """What a deed needs could not be done: others were quicker, or all is gone."""


class EveryTill(Till):
    """A till of the shop below, or, where others stand beside it, number so and so of them."""

    def __init__(self, merchant: Merchant | None = None, number: int = 0) -> None:
        self.merchant = merchant or furnish()
        super().__init__(self.merchant)
        self.me, self.other = ANN, BEN
        ben = Member.objects.get(merchant=self.merchant, card=BEN)
        self.code = referral.code_for(merchant=self.merchant, member_id=ben.pk, now=LATER).code
        self.cards, self.newcomers = number * CARDS // 10, number * 10_000

    def make_ready(self, deed: Deed, key: str) -> Callable[[], tuple[int, dict]]:
        """What sends the request, as often as it is called."""
        names = {"key": key, "ready": deed.ready(self, key), "code": self.code, "me": self.me, "other": self.other}
        path, body = deed.path.format(**names), _filled(deed.body, names)
        return lambda: self(path, **body)

    def must(self, path: str, **body: Any) -> Any:
        """Something that has to be done first."""
        names = {"me": self.me, "other": self.other}
        status, told = self(path.format(**names), **_filled(body, names))
        if status != 200:
            raise NotReady(f"{path}: {status} {told}")
        return told


def furnish() -> Merchant:
    merchant = cast.lan().merchant
    publish(merchant, EVERYTHING)
    people = [member(merchant, n) for n in (1, 2)]
    for n, who in enumerate(people):
        take(merchant, who, order(f"start{n}", 1, 900))
    rich = [actions.Ask(f"rich{who}", "adjust", who, 10_000_000) for who in people]
    actions.ask(merchant=merchant, asks=rich, now=LATER - timedelta(days=1), actor="owner")
    paid = [stored.Ask(f"paid{who}", "top_up", who, 100_000_000) for who in people]
    stored.ask(merchant=merchant, asks=paid, now=LATER - timedelta(days=1), actor="owner")
    cup = {"name_zh": "杯", "name_en": "Mug", "points": 10, "stock": 10_000}
    gifts.save_gift(merchant=merchant, code="cup", values=cup, now=START, actor="owner")
    terms = TERMS | {"limits": {"per_member": 10_000}}
    draws.save_draw(merchant=merchant, code="spring", terms=terms, now=START, actor="owner")
    draws.commit_draw(merchant=merchant, code="spring", now=START, actor="owner")
    batch = stored.begin_cards(merchant=merchant, count=CARDS, value=5_000, now=START, actor="owner")
    stored.make_cards(batch_id=batch.pk)
    return merchant


def _filled(told: Any, names: dict[str, str]) -> Any:
    if isinstance(told, dict):
        return {k: _filled(v, names) for k, v in told.items()}
    if isinstance(told, list):
        return [_filled(v, names) for v in told]
    return told.format(**names) if isinstance(told, str) else told


def strikes(give: int, sell: int) -> list[tuple[Deed, int]]:
    """What is struck, and how far from one another: in CI three deeds; all of them in a soak, a third of the places at a time."""
    if SOAK:
        return [(deed, 1 if SOAK >= 100 else 3) for deed in DEEDS]
    steps = {"spend": 1, "give": give, "sell": sell}
    return [(deed, steps[deed.name]) for deed in DEEDS if deed.name in steps]


def is_done_now(answer: tuple[int, Any]) -> bool:
    """Done, and by this request, not by one before."""
    status, told = answer
    return status == 200 and (not isinstance(told, dict) or (not told.get("replayed") and told.get("same", 0) == 0))


# -- what is made ready ------------------------------------------------------------------------------------------


def _asked(path: str, **body: Any) -> Callable[[EveryTill, str], str]:
    """Something is done first, under a key of its own, which is what the deed names."""

    def ready(till: EveryTill, key: str) -> str:
        till.must(path, **body, key=f"{key}-of")
        return f"{key}-of"

    return ready


def _held(captured: bool) -> Callable[[EveryTill, str], str]:
    def ready(till: EveryTill, key: str) -> str:
        till.must("checkouts", **BASKET, key=f"{key}-of")
        if captured:
            till.must(f"checkouts/{key}-of/capture", order={"store": "XH", "number": f"{key}-of"})
        return f"{key}-of"

    return ready


def _coupon(till: EveryTill, key: str) -> str:
    return till.must(MY + "/coupons", template="ten", ref=f"{key}-of")[0]["id"]


def _wrapped(till: EveryTill, key: str) -> str:
    return till.must(MY + "/benefits", benefit="wrap", key=f"{key}-of")["number"]


def _gift(at_once: bool) -> Callable[[EveryTill, str], str]:
    def ready(till: EveryTill, key: str) -> str:
        return till.must(MY + "/gifts", gift="cup", count=2, at_once=at_once, key=f"{key}-of")["number"]

    return ready


def _sold(till: EveryTill, key: str) -> str:
    code = _card(till, key)
    till.must("gift-cards/sell", code=code, paid_by="cash", key=f"{key}-of")
    return code


def _card(till: EveryTill, key: str) -> str:
    """Code of the next card that nobody bought yet."""
    batch = GiftCardBatch.objects.get(merchant=till.merchant)
    till.cards += 1
    [row] = stored_books.cards_of_batch(till.merchant, batch.pk, till.cards, till.cards)
    assert row.number == till.cards
    return next(stored.card_codes(batch, till.cards - 1, 1))


def _paid_by_card(till: EveryTill, key: str) -> str:
    code = _sold(till, key)
    till.must("gift-cards/spend", code=code, amount_minor=5_000, key=f"{key}-paid")
    return code


def _newcomer(till: EveryTill, key: str) -> str:
    till.newcomers += 1
    card = f"9{till.newcomers:07d}"
    Member.objects.create(merchant=till.merchant, card=card, joined_at=LATER, name="新")
    return card


def _ordered(till: EveryTill, key: str) -> str:
    till.must("orders", orders=[SALE | {"number": f"{key}-of"}])
    return f"{key}-of"


BASKET = {
    "member": "{me}", "store": "XH", "lines": [{"key": "a", "amount_minor": 30_000}, {"key": "b", "amount_minor": 4_000}],
    "asks": {"points": 40, "stored_value_minor": 500},
}  # fmt: skip
SALE = {
    "store": "XH", "created_at": "2025-01-20T10:00:00+08:00", "paid_minor": 32_000, "buyer": {"card": "{me}"},
    "lines": [{"title": "洁面乳", "quantity": 2, "amount_minor": 32_000, "product_code": "JM01"}],
}  # fmt: skip
MY = "members/{me}"
DEEDS = (
    Deed("spend", MY + "/points/spend", {"points": 1, "key": "{key}"}),
    Deed("give back", MY + "/points/return", {"points": 1, "of": "{ready}", "key": "{key}"}, _asked(MY + "/points/spend", points=3)),
    Deed("hold", MY + "/points/hold", {"points": 2, "key": "{key}"}),
    Deed("capture", MY + "/points/capture", {"points": 1, "hold": "{ready}", "key": "{key}"}, _asked(MY + "/points/hold", points=3)),
    Deed("release", MY + "/points/release", {"hold": "{ready}", "key": "{key}"}, _asked(MY + "/points/hold", points=3)),
    Deed("give", MY + "/points/give", {"points": 1, "to": "{other}", "key": "{key}"}),
    Deed("by hand", MY + "/points/adjust", {"points": 3, "reason": "test", "key": "{key}"}),
    Deed("sign in", MY + "/activities", {"activity": "check_in", "key": "{key}"}),
    Deed("tier", MY + "/tier", {"tier": "gold", "until": "2025-06-30", "reason": "test", "key": "{key}"}),
    Deed("membership", MY + "/memberships", {"membership": "plus", "key": "{key}"}),
    Deed("membership ends", MY + "/memberships/end", {"of": "{ready}", "key": "{key}"}, _asked(MY + "/memberships", membership="plus")),
    Deed("sell", "orders", {"orders": [SALE | {"number": "{key}"}]}, again="books"),
    Deed("sell to both", "orders", {"orders": [
        SALE | {"number": "{key}-1", "buyer": {"card": "{other}"}}, SALE | {"number": "{key}-2"},
        SALE | {"number": "{key}-3", "buyer": {"card": "{other}"}},
    ]}, again="books"),
    Deed("refund", "orders", {"orders": [SALE | {"number": "{ready}", "refunded_minor": 16_000}]}, _ordered, again="books"),
    Deed("refunds one by one", "orders", {"orders": [SALE | {"number": "{ready}", "refunds": [
        {"number": "{key}-1", "amount_minor": 9_000}, {"number": "{key}-2", "amount_minor": 7_000},
    ]}]}, _ordered, again="books"),
    Deed("basket refunded", "orders", {"orders": [SALE | {"number": "{ready}", "refunds": [{"number": "{key}", "amount_minor": 32_000}]}]},
         _held(captured=True), again="books"),
    Deed("basket", "checkouts", BASKET | {"key": "{key}"}),
    Deed("basket with a coupon", "checkouts", BASKET | {"asks": {"coupons": ["{ready}"], "points": "most"}, "key": "{key}"}, _coupon),
    Deed("basket with a card", "checkouts", BASKET | {"asks": {"gift_cards": ["{ready}"]}, "key": "{key}"}, _sold),
    Deed("basket paid", "checkouts/{ready}/capture", {"order": {"store": "XH", "number": "{key}"}}, _held(captured=False)),
    Deed("basket left", "checkouts/{ready}/release", {}, _held(captured=False)),
    Deed("basket back", "checkouts/{ready}/returns", {"key": "{key}", "lines": {"a": 1}}, _held(captured=True)),
    Deed("coupon", MY + "/coupons", {"template": "ten", "ref": "{key}"}),
    Deed("coupon claimed", MY + "/coupons/claim", {"template": "ten", "key": "{key}"}),
    Deed("coupon void", "coupons/{ready}/void", {"reason": "test", "key": "{key}"}, _coupon),
    Deed("benefit", MY + "/benefits", {"benefit": "wrap", "key": "{key}"}),
    Deed("benefit undone", "benefits/{ready}/undo", {}, _wrapped),
    Deed("gift", MY + "/gifts", {"gift": "cup", "key": "{key}"}),
    Deed("gift at once", MY + "/gifts", {"gift": "cup", "at_once": True, "key": "{key}"}),
    Deed("gift fetched", "gift-orders/{ready}/done", {}, _gift(at_once=False)),
    Deed("gift cancelled", "gift-orders/{ready}/cancel", {}, _gift(at_once=False)),
    Deed("gift back", "gift-orders/{ready}/back", {"key": "{key}"}, _gift(at_once=True)),
    Deed("ticket", MY + "/tickets", {"draw": "spring", "key": "{key}", "word": "福"}),
    Deed("pay in", MY + "/stored/topup", {"amount_minor": 10_000, "paid_by": "cash", "key": "{key}"}),
    Deed("pay", MY + "/stored/spend", {"amount_minor": 300, "key": "{key}"}),
    Deed("money back", MY + "/stored/return", {"amount_minor": 100, "of": "{ready}", "key": "{key}"}, _asked(MY + "/stored/spend", amount_minor=300)),
    Deed("money held", MY + "/stored/hold", {"amount_minor": 300, "key": "{key}"}),
    Deed("money captured", MY + "/stored/capture", {"amount_minor": 100, "hold": "{ready}", "key": "{key}"}, _asked(MY + "/stored/hold", amount_minor=300)),
    Deed("money released", MY + "/stored/release", {"hold": "{ready}", "key": "{key}"}, _asked(MY + "/stored/hold", amount_minor=300)),
    Deed("pay out", MY + "/stored/refund", {"amount_minor": 200, "paid_by": "cash", "key": "{key}"}),
    Deed("money by hand", MY + "/stored/adjust", {"amount_minor": 200, "reason": "test", "key": "{key}"}),
    Deed("card sold", "gift-cards/sell", {"code": "{ready}", "paid_by": "cash", "key": "{key}"}, _card),
    Deed("card redeemed", MY + "/stored/redeem", {"code": "{ready}", "key": "{key}"}, _sold),
    Deed("pay by card", "gift-cards/spend", {"code": "{ready}", "amount_minor": 5_000, "key": "{key}"}, _sold),
    Deed("card back", "gift-cards/return", {"code": "{ready}", "amount_minor": 5_000, "of": "{key}-paid", "key": "{key}"}, _paid_by_card),
    Deed("friend", "members/{ready}/referral", {"code": "{code}"}, _newcomer),
    Deed("cost", MY + "/costs", {"kind": "care", "amount_minor": 300, "key": "{key}"}, again="books"),
)  # fmt: skip
