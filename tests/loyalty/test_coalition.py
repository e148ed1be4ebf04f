"""Earn here, burn there: one person's accounts with several merchants, and what that means in each of the books."""

import re
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from shuke.loyalty import actions, queries
from shuke.loyalty.actions import Ask, KeyReused, coalition
from shuke.loyalty.actions.coalition import CoalitionRefused
from shuke.loyalty.models import CoalitionLink, CoalitionMovement, Entry, Hold, Lot, Txn
from shuke.loyalty.queries import coalition as stored
from shuke.loyalty.queries.settlement import partner_names
from shuke.loyalty.queries.statements import member_statement
from shuke.members.models import Consent, Member
from shuke.shops import actions as shops
from tests.loyalty.books import START, member, order, refund, take
from tests.loyalty.partners import DAY, NOW, give_back, link, merchants, person, prices, spend, together

pytestmark = pytest.mark.django_db


def available(merchant, who, now=NOW):
    return queries.balance(merchant, who, now).available


def sound(*partners):
    for one in partners:
        assert queries.verify(one).findings == [], one


@pytest.fixture
def street(db):
    """Bakery, florist and bookshop; one person with 100 points of each, the florist's end first, then the baker's."""
    partners = merchants(3)
    made = together(partners)
    accounts = person(partners)
    for merchant, account, day in zip(partners, accounts, (8, 5, 11), strict=True):
        take(merchant, account, order("a", day, 100), now=NOW)
    return made, partners, accounts


def test_what_ends_first_goes_first_and_every_book_says_what_happened(street):
    _, (bakery, florist, books), (at_bakery, at_florist, at_books) = street
    told = spend(books, "tea", at_books, 230)
    assert (told.done, told.figures) == (True, {"amount": 230, "own": 30, "available": 70})
    assert [available(*one) for one in ((bakery, at_bakery), (florist, at_florist), (books, at_books))] == [0, 0, 70]
    legs = {(e.merchant_id, e.account): e.amount for e in Entry.objects.filter(txn__event__contains="pool:")}
    assert legs == {
        (bakery.pk, "member"): -100, (bakery.pk, "settlement"): 100,
        (florist.pk, "member"): -100, (florist.pk, "settlement"): 100,
        (books.pk, "member"): -30, (books.pk, "settlement"): -200, (books.pk, "spent"): 230,
    }  # fmt: skip
    foreign = Lot.objects.filter(merchant=books, key__startswith="taken:pool:tea").order_by("expires_at")
    assert [(x.funder, x.granted, x.remaining) for x in foreign] == [(florist.pk, 100, 0), (bakery.pk, 100, 0)]
    mine = CoalitionMovement.objects.exclude(kind="brought").order_by("merchant_id", "other_id")
    assert [(m.merchant_id, m.kind, m.other_id, m.points, m.amount_micro) for m in mine] == [
        (bakery.pk, "used", books.pk, 100, 0),
        (florist.pk, "used", books.pk, 100, 0),
        (books.pk, "redeemed", bakery.pk, 100, 40_000_000),
        (books.pk, "redeemed", florist.pk, 100, 40_000_000),
        (books.pk, "redeemed", books.pk, 30, 12_000_000),
    ]
    sound(bakery, florist, books)


def test_a_spend_that_is_refused_leaves_holds_that_timed_out_to_the_clock(street):
    _, (bakery, florist, books), (at_bakery, _, at_books) = street
    asks = [(bakery, at_bakery, "h1"), (books, at_books, "h2")]
    for merchant, who, key in asks:
        hold = Ask(key, "hold", who, 60, until=NOW + timedelta(minutes=5))
        assert actions.ask(merchant=merchant, asks=[hold], now=NOW, actor="till")[0].done
    assert spend(books, "too much", at_books, 900, now=NOW + DAY).code == "not_enough"
    sound(bakery, florist, books)  # what books nothing closes no hold, at home or with a partner
    assert set(Hold.objects.values_list("state", flat=True)) == {"open"}
    assert spend(books, "tea", at_books, 300, now=NOW + DAY).done
    assert set(Hold.objects.values_list("state", flat=True)) == {"timed_out"}
    sound(bakery, florist, books)


def test_the_same_key_is_answered_the_same_and_another_request_is_refused(street):
    _, (_, _, books), (_, _, at_books) = street
    told = spend(books, "tea", at_books, 230)
    assert spend(books, "tea", at_books, 230) == told._replace(replayed=True)
    with pytest.raises(KeyReused):
        spend(books, "tea", at_books, 231)
    refused = spend(books, "house", at_books, 71)
    assert (refused.done, refused.code, refused.figures) == (False, "not_enough", {"amount": 71, "available": 70})
    assert spend(books, "house", at_books, 71) == refused._replace(replayed=True)
    assert Txn.objects.filter(merchant=books, kind="pool_spent").count() == 1


def test_what_is_given_back_goes_to_the_lots_it_came_from(street):
    _, (bakery, florist, books), (at_bakery, at_florist, at_books) = street
    before = {x.pk: (x.remaining, x.expires_at) for x in Lot.objects.all()}
    spend(books, "tea", at_books, 230)
    told = give_back(books, "back", "tea", 115)
    assert (told.done, told.figures) == (True, {"amount": 115, "own": 15})
    assert [available(*one) for one in ((bakery, at_bakery), (florist, at_florist), (books, at_books))] == [50, 50, 85]
    assert give_back(books, "back", "tea", 115) == told._replace(replayed=True)
    over = give_back(books, "more", "tea", 116)
    assert (over.code, over.figures["left"]) == ("more_than_burnt", 115)
    assert give_back(books, "rest", "tea", 115).done
    assert {x.pk: (x.remaining, x.expires_at) for x in Lot.objects.filter(pk__in=before)} == before
    assert sum(m.amount_micro for m in CoalitionMovement.objects.filter(kind="redeemed")) == 0
    assert give_back(books, "x", "nothing", 1).code == "no_such_spend"
    sound(bakery, florist, books)


def test_what_comes_back_after_its_day_lapses_where_it_came_from(street):
    _, (bakery, florist, books), (_, at_florist, at_books) = street
    spend(books, "tea", at_books, 100)  # the florist's
    late = START + timedelta(days=5 + 181)
    actions.run_clock(merchant=florist, now=late)
    assert give_back(books, "back", "tea", 100, now=late).done
    assert available(florist, at_florist, late) == 0
    assert member_statement(florist, at_florist, START, late + DAY).totals == {
        "earn": 100, "pool_out": -100,
    }  # fmt: skip
    lapsed = CoalitionMovement.objects.get(merchant=florist, kind="lapsed")
    assert (lapsed.points, lapsed.amount_micro) == (100, 50_000_000)
    sound(bakery, florist, books)


def test_a_refund_learnt_of_later_is_the_issuers_affair(street):
    made, (bakery, florist, books), (_, at_florist, at_books) = street
    spend(books, "tea", at_books, 80)
    take(florist, at_florist, refund("r", "a", 21, 100), now=NOW + DAY)
    assert queries.balance(florist, at_florist, NOW + DAY).debt == 80
    assert available(books, at_books) == 100
    coalition.gather(coalition=made, now=NOW + DAY)
    flows = CoalitionMovement.objects.filter(merchant=florist).order_by("id")
    # It paid for 100 points, gets 20 back; the 80 were spent and stay paid for.
    assert [(m.kind, m.points) for m in flows] == [("used", 80), ("issued", 100), ("taken_back", 20)]
    sound(bakery, florist, books)


def test_an_order_that_never_was_costs_what_was_spent_of_it(street):
    from shuke.orders.models import Order

    made, (bakery, florist, books), (_, at_florist, at_books) = street
    spend(books, "tea", at_books, 80)
    coalition.gather(coalition=made, now=NOW)
    Order.objects.filter(merchant=florist).update(excluded="test")
    pk = Order.objects.get(merchant=florist).pk
    actions.settle(merchant=florist, order_ids=[pk], also_members=[at_florist], now=NOW + DAY, actor="test")
    coalition.gather(coalition=made, now=NOW + DAY)
    paid = sum(m.amount_micro for m in CoalitionMovement.objects.filter(merchant=florist))
    assert paid == -80 * 500_000
    sound(bakery, florist, books)


def test_what_happens_in_a_linked_members_books_is_charged_at_the_price_of_its_time(street):
    made, (bakery, *others), (at_bakery, *_) = street
    coalition.gather(coalition=made, now=NOW)
    dearer = prices("0.7", "0.6", since=NOW + 10 * DAY)
    coalition.propose(merchant=bakery, coalition_id=made.pk, partner=bakery, prices=dearer, now=NOW, actor="owner")
    take(bakery, at_bakery, order("b", 22, 60), order("c", 31, 10), now=NOW + 12 * DAY)
    burns = [Ask("cake", "burn", at_bakery, 30)]
    actions.ask(merchant=bakery, asks=burns, now=NOW + 9 * DAY, actor="till")
    actions.ask(
        merchant=bakery, asks=[Ask("back", "return", at_bakery, 10, ref="cake")], now=NOW + 12 * DAY, actor="till"
    )
    actions.ask(merchant=bakery, asks=[Ask("gift", "adjust", at_bakery, 5)], now=NOW + 12 * DAY, actor="owner")
    coalition.gather(coalition=made, now=NOW + 12 * DAY)
    assert coalition.gather(coalition=made, now=NOW + 12 * DAY) == 0
    mine = CoalitionMovement.objects.filter(merchant=bakery, at__gt=NOW).order_by("at", "id")
    assert sorted((m.kind, m.points, m.price_micro) for m in mine) == [
        ("issued", 5, 700_000), ("issued", 10, 700_000), ("issued", 60, 500_000),
        ("redeemed", -10, 400_000), ("redeemed", 30, 400_000),
    ]  # fmt: skip
    sound(bakery, *others)


def test_who_leaves_takes_their_points_along_and_the_pool_pays_them_back(street):
    made, (bakery, florist, books), (at_bakery, _, at_books) = street
    spend(books, "tea", at_books, 130)  # 100 of the florist's, 30 of the baker's
    assert coalition.unlink(merchant=bakery, member_id=at_bakery, because="asked", now=NOW + DAY, actor="till")
    assert not coalition.unlink(merchant=bakery, member_id=at_bakery, because="asked", now=NOW + DAY, actor="till")
    assert available(bakery, at_bakery) == 70
    flows = {m.kind: m.points for m in CoalitionMovement.objects.filter(merchant=bakery)}
    assert flows == {"used": 30, "issued": 100, "withdrawn": 70}
    said = Consent.objects.filter(member_id=at_bakery, purpose="coalition").order_by("at")
    assert [(c.granted, c.evidence) for c in said] == [(True, "signed form 7"), (False, "")]
    assert spend(books, "more", at_books, 101).code == "not_enough"
    # What comes back to one who left is theirs, and was paid for.
    assert give_back(books, "back", "tea", 130).done
    assert available(bakery, at_bakery) == 100
    assert sum(m.amount_micro for m in CoalitionMovement.objects.filter(merchant=bakery)) == 0
    again = link(bakery, at_bakery, now=NOW + 2 * DAY)
    assert again.number == CoalitionLink.objects.filter(merchant=bakery).order_by("linked_at")[0].number
    coalition.gather(coalition=made, now=NOW + 2 * DAY)
    sound(bakery, florist, books)


def test_a_number_says_nothing_and_needs_the_members_own_code(street):
    _made, (bakery, florist, books), (at_bakery, at_florist, _) = street
    number = stored.link_of(bakery, at_bakery).number
    assert stored.link_of(florist, at_florist).number == number
    assert len(number) == 16
    other = member(florist, 5)
    with pytest.raises(CoalitionRefused) as told:
        link(florist, other, code="0000-0000-0000-0")
    assert told.value.code == "code_refused"
    code, until = coalition.make_code(merchant=bakery, member_id=at_bakery, now=NOW, actor="till")
    with pytest.raises(CoalitionRefused) as told:
        link(florist, other, code=code)
    assert (told.value.code, "00000001" in str(told.value)) == ("number_taken", True)
    with pytest.raises(CoalitionRefused) as told:
        link(bakery, member(bakery, 6), code=code)  # a code is for another merchant
    assert told.value.code == "code_refused"
    late = member(books, 7)
    with pytest.raises(CoalitionRefused) as told:
        link(books, late, code=code, now=until)
    assert told.value.code == "code_refused"
    stranger = link(bakery, member(bakery, 8))
    code, _ = coalition.make_code(merchant=bakery, member_id=stranger.member_id, now=NOW, actor="till")
    link(florist, other, code=code)
    with pytest.raises(CoalitionRefused) as told:
        link(books, late, code=code)  # once
    assert told.value.code == "code_refused"
    with pytest.raises(CoalitionRefused) as told:
        coalition.link(merchant=books, member_id=late, source="x", evidence=" ", now=NOW, actor="till")
    assert told.value.code == "no_consent"
    with pytest.raises(CoalitionRefused) as told:
        spend(books, "k", late, 5)
    assert told.value.code == "not_linked"


def test_two_members_become_one_and_take_part_as_one(street):
    from shuke.flows.merge_members import merge

    made, (bakery, *others), (at_bakery, at_florist, _) = street
    survivor = member(bakery, 9)
    take(bakery, survivor, order("s", 9, 40), now=NOW)
    merge(merchant=bakery, survivor_id=survivor, absorbed_id=at_bakery, reason="one person", now=NOW, actor="owner")
    assert spend(others[0], "tea", at_florist, 150).figures["own"] == 100  # the bakery's link has not followed yet
    told = spend(bakery, "cake", at_bakery, 190, now=NOW + DAY)
    assert (told.done, told.figures["own"]) == (True, 140)
    assert available(bakery, survivor, NOW + DAY) == 0
    assert stored.link_of(bakery, survivor) is not None
    coalition.gather(coalition=made, now=NOW + DAY)
    sound(bakery, *others)


def test_limits_of_the_till_and_of_what_a_partner_may_owe(db):
    bakery, florist = merchants(2)
    made = together([bakery, florist], [prices(credit_limit_minor=40), prices(spend_most_per_day=60)])
    at_bakery, at_florist = person([bakery, florist])
    take(bakery, at_bakery, order("a", 5, 70), now=NOW)
    assert spend(florist, "1", at_florist, 50).done
    told = spend(florist, "2", at_florist, 20)
    assert (told.code, told.figures["given"]) == ("too_much_pooled", 50)
    assert give_back(florist, "b", "1", 45).done
    assert spend(florist, "3", at_florist, 20).done
    # A hundred points more: the bakery owes 85 fen, and may owe 40.
    take(bakery, at_bakery, order("b", 6, 100), now=NOW)
    coalition.gather(coalition=made, now=NOW)
    assert spend(florist, "4", at_florist, 20, now=NOW + DAY).code == "not_enough"
    assert spend(bakery, "5", at_bakery, 20, now=NOW + DAY).done
    coalition.buy_pack(
        merchant=bakery, coalition_id=made.pk, partner=bakery, key="p1", points=100, now=NOW + DAY, actor="owner"
    )
    assert spend(florist, "6", at_florist, 20, now=NOW + DAY).done
    sound(bakery, florist)


def test_frozen_members_and_debts(street):
    _, (bakery, florist, books), (at_bakery, _at_florist, at_books) = street
    Member.objects.filter(pk=at_bakery).update(frozen_at=NOW)
    assert spend(books, "a", at_books, 201).code == "not_enough"  # the frozen account gives nothing
    Member.objects.filter(pk=at_books).update(frozen_at=NOW)
    assert spend(books, "b", at_books, 10).code == "frozen"
    Member.objects.update(frozen_at=None)
    # Who owes here may still spend what they have elsewhere; it pays no debt.
    actions.ask(merchant=books, asks=[Ask("x", "burn", at_books, 100)], now=NOW, actor="till")
    take(books, at_books, refund("r", "a", 20, 100), now=NOW)
    assert queries.balance(books, at_books, NOW).debt == 100
    assert spend(books, "c", at_books, 150).done
    assert queries.balance(books, at_books, NOW).debt == 100
    sound(bakery, florist, books)


def test_joining_needs_both_sides_and_one_coalition_at_a_time(db):
    bakery, florist, books = merchants(3)
    made = together([bakery, florist])
    with pytest.raises(CoalitionRefused) as told:
        coalition.found(merchant=florist, name="二", prices=prices(), now=NOW, actor="o")
    assert told.value.code == "in_another"
    dollars = shops.create_merchant(name="Dollar", now=START, currency="USD")

    def ask(who, **more):
        return coalition.invite(
            **{"merchant": bakery, "coalition_id": made.pk, "partner": who, "prices": prices(), "now": NOW, "actor": "o"} | more
        )  # fmt: skip

    for who, more, code in (
        (dollars, {}, "other_currency"),
        (florist, {}, "invited_already"),
        (books, {"merchant": florist}, "not_founder"),
        (books, {"prices": prices("-1")}, "price_invalid"),
        (books, {"coalition_id": 1}, "no_such_coalition"),
    ):
        with pytest.raises(CoalitionRefused) as told:
            ask(who, **more)
        assert told.value.code == code
        for language in ("en", "zh"):
            assert "{" not in told.value.say(language)
    ask(books)
    coalition.decline(merchant=books, coalition_id=made.pk, now=NOW, actor="o")
    with pytest.raises(CoalitionRefused) as told:
        coalition.accept(merchant=books, coalition_id=made.pk, now=NOW, actor="o")
    assert told.value.code == "not_invited"
    ask(books)
    coalition.accept(merchant=books, coalition_id=made.pk, now=NOW, actor="o")
    assert stored.partner_of(books, NOW).coalition_id == made.pk


def test_new_prices_hold_when_the_partner_agrees_and_never_for_what_has_happened(db):
    bakery, florist = merchants(2)
    made = together([bakery, florist])
    with pytest.raises(CoalitionRefused) as told:
        coalition.propose(
            merchant=bakery, coalition_id=made.pk, partner=florist, prices=prices(since=NOW - DAY), now=NOW, actor="o"
        )
    assert told.value.code == "in_the_past"
    terms = coalition.propose(
        merchant=bakery,
        coalition_id=made.pk,
        partner=florist,
        prices=prices("0.9", since=NOW + DAY),
        now=NOW,
        actor="o",
    )
    assert len(stored.agreed(made)[florist.pk]) == 1
    with pytest.raises(CoalitionRefused):
        coalition.agree(merchant=bakery, coalition_id=made.pk, version=terms.version, now=NOW, actor="o")
    coalition.agree(merchant=florist, coalition_id=made.pk, version=2, now=NOW + 3 * DAY, actor="o")
    assert [p.effective_from for p in stored.agreed(made)[florist.pk]] == [NOW, NOW + 3 * DAY]


def test_leaving_keeps_its_notice_and_frees_the_members(street):
    made, (bakery, florist, books), (_at_bakery, at_florist, at_books) = street

    def leave(partner, at, by=None):
        return coalition.leave(
            merchant=by or partner, coalition_id=made.pk, partner=partner, at=at, because="moves", now=NOW, actor="o"
        )

    for partner, by, days, code in ((florist, None, 29, "notice_too_short"), (bakery, None, 40, "founder_stays"), (florist, books, 40, "not_founder")):  # fmt: skip
        with pytest.raises(CoalitionRefused) as told:
            leave(partner, NOW + days * DAY, by)
        assert told.value.code == code
    leave(florist, NOW + 30 * DAY)
    with pytest.raises(CoalitionRefused) as told:
        leave(florist, NOW + 30 * DAY)
    assert told.value.code == "leaving_already"
    assert spend(florist, "in time", at_florist, 110, now=NOW + 29 * DAY).done
    with pytest.raises(CoalitionRefused) as told:
        spend(florist, "late", at_florist, 1, now=NOW + 30 * DAY)
    assert told.value.code == "no_coalition"
    coalition.see_off(coalition=made, now=NOW + 31 * DAY)
    assert stored.link_of(florist, at_florist) is None
    assert spend(books, "rest", at_books, 190, now=NOW + 31 * DAY).done
    sound(bakery, florist, books)


def test_movements_cannot_be_changed_or_deleted(street):
    made, *_ = street
    coalition.gather(coalition=made, now=NOW)
    mine = CoalitionMovement.objects.all()
    for tamper in (lambda: mine.update(points=1), lambda: mine.update(amount_micro=0), lambda: mine.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            tamper()


def test_every_refusal_has_both_languages():
    for code, (english, chinese) in coalition.REFUSALS.items():
        fields = [re.findall(r"{(\w+)}", text) for text in (english, chinese)]
        assert set(fields[0]) >= set(fields[1]), code
        assert chinese[-1] in "。行", code


def test_files_are_called_after_partners_whatever_these_are_called():
    names = {7: "花店/二店", 3: "Café Lune", 5: "café  lune!", 9: "…", 8: "../..", 2: "长" * 60, 4: "长" * 50}
    told = partner_names(names)
    assert told == {
        2: "长" * 24, 3: "Café-Lune", 4: "长" * 24 + "-2", 5: "café-lune-2", 7: "花店-二店", 8: "-", 9: "--2",
    }  # fmt: skip
    assert partner_names(dict(reversed(names.items()))) == told
