"""What other software can ask. Each answer is one call of a room or a flow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest
from ninja import NinjaAPI, Status

from shuke import __version__
from shuke.connect.importers import sentence
from shuke.doors.api import (
    benefit_log,
    card_lists,
    card_programmes,  # noqa: F401 - in partner_cards.router
    charter_drafts,
    coalition_terms,  # noqa: F401 - its routes are in coalition.router: one path has one router
    code_lists,  # noqa: F401 - in till.router
    families,
    gift_shelf,
    lottery,  # noqa: F401 - in rewards.router
    people,
    referral_review,
    rewards,
    simulations,
    stored,
    tiers,
    till,
    waiting,
)
from shuke.doors.api import charters as charter_routes
from shuke.doors.api import coalition as coalitions
from shuke.doors.api import complaints as complaint_routes
from shuke.doors.api import finance as finances
from shuke.doors.api import goods as goods_routes
from shuke.doors.api import insight as insights
from shuke.doors.api import partner_cards as partner_card_routes
from shuke.doors.api import points as moving
from shuke.doors.api import profiles as profile_routes
from shuke.doors.api import profit as profits
from shuke.doors.api import referral as referrals
from shuke.doors.api import value as values
from shuke.doors.api import word_of_mouth as mouth_routes
from shuke.doors.api.reading import Strictly
from shuke.doors.api.refusing import answer_refusals, guard
from shuke.doors.api.shapes import (
    CodedRefusal,
    ExpiryOut,
    NotGivenBackOut,
    OrderIn,
    OrderOut,
    OrdersIn,
    OrdersOut,
    PointsOut,
    Refusal,
)
from shuke.doors.api.speaking import language
from shuke.doors.api.tokens import Reader, Request, writer
from shuke.engine.facts import Problem
from shuke.flows.take_orders import Taken, take_orders
from shuke.loyalty import queries as loyalty
from shuke.loyalty.queries.facts import order_event
from shuke.members import queries as members
from shuke.orders.actions import Outcome, check
from shuke.shops.queries import now as shop_now

# No page that loads its looks from elsewhere: whoever wants one opens openapi.json in a tool of their own.
api = NinjaAPI(title="Shuke 熟客", version="1", docs_url=None, auth=Reader(), urls_namespace="api", parser=Strictly())
answer_refusals(api)


@api.get("/health", auth=None, tags=["health"], response={200: dict, 503: Refusal})
def health(request: HttpRequest) -> Status:
    """Whether this process can answer: 200 with the version, 503 when the database does not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return Status(503, {"error": "The database does not answer."})
    return Status(200, {"status": "ok", "version": __version__})


@api.get("/members/{card}/points", tags=["points"], response={200: PointsOut, 404: Refusal})
def points(request: Request, card: str) -> PointsOut:
    """What a member can use now, what is pending, held or owed, and when points expire."""
    merchant = request.auth.merchant
    who = members.member_of(merchant.pk, card)
    held = loyalty.balance(merchant, who.pk, shop_now(merchant))
    return PointsOut(
        card=who.card,
        currency=merchant.currency,
        expiries=[ExpiryOut(at=at, points=count) for at, count in held.next_expiry],
        **{name: getattr(held, name) for name in ("available", "pending", "held", "debt", "balance", "worth_minor")},
    )


@api.post(
    "/orders", tags=["orders"], response={200: OrdersOut, 400: Refusal, 403: Refusal, 409: Refusal, 422: CodedRefusal}
)
def orders(request: Request, told: OrdersIn) -> OrdersOut:
    """Take orders in, all or none: members are recognised, points booked, tiers regraded.

    An order is known by platform, store and number: told again as it was it changes nothing, so a request that got no
    answer can simply be sent again.
    """
    token = writer(request.auth)
    merchant = token.merchant
    now = shop_now(merchant)
    told_orders = [one.order(merchant.currency, now) for one in told.orders]
    refunds = [document for one in told.orders for document in one.refund_documents(merchant.currency)]
    check(merchant=merchant, orders=told_orders, refunds=refunds, now=now)
    taken = take_orders(
        merchant=merchant,
        orders=told_orders,
        refunds=refunds,
        now=now,
        actor=f"token:{token.pk}",
    )
    answers = _answers(request, told, taken)
    count = Counter(answer.outcome for answer in answers)
    return OrdersOut(
        orders=answers,
        new=count["new"],
        changed=count["changed"],
        same=count["same"],
        members_made=len(taken.created),
        postings=taken.postings,
        not_given_back=[
            NotGivenBackOut(
                number=one.number,
                code=left.code,
                error=left.say(language(request)),
                amount_minor=left.amount_minor,
            )
            for one in taken.returns
            for left in one.not_given_back(merchant.currency)
        ],
    )


def _answers(request: Request, told: OrdersIn, taken: Taken) -> list[OrderOut]:
    """What became of each order, by what it says itself and by its refund documents."""
    recorded = {one.key: one for one in taken.orders}
    redrawn = {one.key for one in taken.refunds.orders if one.changed}
    answers = []
    for one in told.orders:
        key = order_event(one.platform, one.store, one.number)
        found = recorded.get(key)
        outcome = found.outcome if found is not None else Outcome.SAME
        oddities = list(found.oddities) if found is not None else []
        if outcome is Outcome.SAME and key in redrawn:
            outcome = Outcome.CHANGED
        if outcome is not Outcome.SAME and one.refunds_more_than_was_paid and "refund_over_paid" not in oddities:
            oddities.append("refund_over_paid")
        answers.append(
            OrderOut(number=one.number, store=one.store, outcome=outcome.value, odd=_odd(request, one, oddities))
        )
    return answers


def _odd(request: Request, one: OrderIn, oddities: Iterable[str]) -> list[CodedRefusal]:
    amounts = [("paid_minor", one.paid_minor), *(("amount_minor", line.amount_minor) for line in one.lines or ())]
    field, least = min(amounts, key=lambda told: told[1])
    return [
        CodedRefusal(code=code, error=sentence(Problem(code, 0, field, str(least), (), False), language(request)))
        for code in oddities
    ]


api.add_router("", people.router)
api.add_router("", till.router)
api.add_router("", complaint_routes.router)
api.add_router("", referrals.router)
api.add_router("", rewards.router)
api.add_router("", gift_shelf.router)
api.add_router("", benefit_log.router)
api.add_router("", families.router)
api.add_router("", waiting.router)
api.add_router("", referral_review.router)
api.add_router("", moving.router)
api.add_router("", stored.router)
api.add_router("", card_lists.router)
api.add_router("", tiers.router)  # what is asked of a tier (standing.py) is in it
api.add_router("", charter_drafts.router)
api.add_router("", charter_routes.router)
api.add_router("", simulations.router)
api.add_router("", finances.router)
api.add_router("", coalitions.router)
api.add_router("", partner_card_routes.router)
api.add_router("", insights.router)
api.add_router("", profile_routes.router)
api.add_router("", mouth_routes.router)
api.add_router("", goods_routes.router)
api.add_router("", profits.router)
api.add_router("", values.router)
urls = api.urls
guard(urls[0])
