"""Profiles of a small shop, recounted by hand; thin shops; the members behind each bar."""

from collections import Counter
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from shuke.engine.insight import profile_words
from shuke.flows import timetable
from shuke.insight import actions
from shuke.insight.actions import columns
from shuke.insight.queries import profile_traits, profiles
from shuke.insight.queries.filters import Filters, parse
from shuke.kit import jobs
from shuke.members.models import Member, MemberState
from tests.insight.crowd import DAY, crowd
from tests.insight.shelves import stock
from tests.insight.till import member, night, sell

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(lan):
    return crowd(lan)


def told_of(shop, **asked):
    told = profiles.profile(shop.merchant, Filters(**asked), now=night(shop, "2026-06-30"))
    return told, {one["key"]: one for one in told["traits"]}


def shares(trait):
    return {bar["option"]: (bar["members"], bar["share"]) for bar in trait["bars"]}


def test_shares_are_those_of_a_recount(lan, people):
    told, traits = told_of(lan, tags=(), stores=(lan.online.pk,))
    assert (told["of"], told["all"], told["as_of"]) == (40, 90, "2026-06-30")
    assert shares(traits["gender"]) == {"f": (40, 1.0), "m": (0, 0.0)}
    assert (traits["age"]["known"], traits["age"]["all_known"]) == (40, 40)
    assert "city" not in traits  # the only one: tells nothing
    skins = [one.attributes.get("skin") for one in people]
    assert (traits["attribute:skin"]["known"], traits["attribute:skin"]["all_known"]) == (
        sum(map(bool, skins[:40])),
        sum(map(bool, skins)),
    )
    assert shares(traits["weekday"]) == {"1": (0, 0.0), "6": (40, 1.0)}
    assert shares(traits["hour"])["18..22"] == (40, 1.0)
    frequency = Counter({"1..2": 0, "2..4": 0})
    for n in range(40):
        frequency["1..2" if n % 3 == 0 else "2..4"] += 1
    assert {option: members for option, (members, _share) in shares(traits["frequency"]).items() if members} == dict(
        frequency
    )
    assert told["basket_minor"]["group"] == 10_000 + 19_500
    spent = [(10_000 + 1_000 * n) * (1 + n % 3) for n in range(80)]
    assert told["net_minor"] == sum(spent[:40])
    assert told["net_share"] == round(sum(spent[:40]) / sum(spent), 4)


def test_an_order_of_midnight_sharp_tells_no_hour(lan, people):
    _told, traits = told_of(lan, stores=(lan.street.pk,))
    assert (traits["hour"]["known"], traits["weekday"]["known"]) == (0, 40)


def test_what_made_the_group_does_not_describe_it_and_secrets_stay_secret(lan, people):
    _told, traits = told_of(lan, stores=(lan.online.pk,))
    assert "home_store" not in traits
    assert "attribute:secret" not in traits
    assert traits["attribute:skin"]["topic"] == "need"
    assert traits["attribute:skin"]["label"] == ["skin 需求", "Skin"]


def test_what_surely_differs_is_said_in_words(lan, people):
    told, traits = told_of(lan, stores=(lan.online.pk,))
    by_key = {told["traits"][i]["key"]: told["traits"][i]["bars"][j] for i, j in told["telling"]}
    assert {"weekday", "platform"} <= by_key.keys()
    zh, en = (" ".join(profile_words.sentences(told, language, "CNY")) for language in ("zh-hans", "en"))
    assert "40 位会员，占全部 90 位的 44 %" in zh
    assert "星期六（100 %" in zh or "星期一（0 %" in zh
    assert "40 members, 44 % of all 90" in en
    assert "Not compared: " in en  # age, hour: nobody else told
    assert traits["age"]["refused"] == "few_others"


def test_every_bar_opens_to_its_members(lan, people):
    told, _traits = told_of(lan, stores=(lan.online.pk,))
    filters = Filters(stores=(lan.online.pk,))
    seen = 0
    for trait in told["traits"]:
        for bar in trait["bars"]:
            behind = profiles.members_behind_bar(
                lan.merchant, filters, trait["key"], bar["option"], now=night(lan, "2026-06-30")
            )
            assert len(behind) == bar["members"], (trait["key"], bar)
            seen += 1
        unknown = profiles.members_behind_bar(lan.merchant, filters, trait["key"], "?", now=night(lan, "2026-06-30"))
        assert len(unknown) == trait["of"] - trait["known"]
    assert seen > 15
    with pytest.raises(profiles.NoSuchTrait, match="shoe"):
        profiles.members_behind_bar(lan.merchant, filters, "shoe", "42", now=night(lan, "2026-06-30"))


def test_layers_of_the_file_and_of_the_directory_agree(lan, people):
    now = night(lan, "2026-06-30")
    overview = profiles.overview(lan.merchant, now=now)
    assert sum(told["of"] for _layers, told in overview) == 90
    for layers, told in overview:
        # The same group by a filter the file cannot answer: every one of them joined on a day.
        again = profiles.profile(lan.merchant, Filters(layers=layers, joined="2026"), now=now)
        assert again["of"] == told["of"]
        assert again["net_minor"] == told["net_minor"]


def test_members_who_joined_since_are_counted_apart(lan, people):
    member(lan, "新来", "2026-06-30", home_store=lan.online)
    told, _traits = told_of(lan, stores=(lan.online.pk,))
    assert (told["of"], told["stale"]) == (40, 1)


def test_who_was_forgotten_is_in_no_group(lan, people):
    Member.objects.filter(pk=people[0].pk).update(state=MemberState.FORGOTTEN)
    told, _traits = told_of(lan, stores=(lan.online.pk,))
    assert told["of"] == 39


def cells(known):
    """Everything that is known of everybody, as plain values."""
    traits = [
        (t.key, t.options, t.several, None if t.code is None else t.code.tolist(), None if t.share is None else t.share.tolist())
        for t in known.traits
    ]  # fmt: skip
    stands = {what: (names, code.tolist()) for what, (names, code) in known.stands.items()}
    return (
        traits,
        known.about,
        stands,
        [str(column.tolist()) for column in (known.members, known.net, known.days, known.basket)],
    )


def test_files_read_here_say_what_the_analyses_say_on_a_cluster(lan, monkeypatch):
    shelves = stock(lan)
    Member.objects.filter(pk=shelves.people[3].pk).update(state=MemberState.MERGED)
    shelves.bought(shelves.people[0], "2026-06-29", "B", refunded=1_500)  # more than was paid for it
    columns.refresh(merchant=lan.merchant)
    here = cells(profile_traits.compute(lan.merchant, DAY))
    monkeypatch.setattr(profile_traits.profile_habits.analytics, "on_cluster", lambda: True)
    assert cells(profile_traits.compute(lan.merchant, DAY)) == here
    assert {"kinds", "weekday", "frequency"} <= {key for key, *_rest in here[0]}


def test_the_worker_makes_the_columns_when_there_is_a_new_night(lan, people):
    merchant, now = lan.merchant, night(lan, "2026-06-30")
    assert not profiles.wanted(merchant, now)
    profile_traits.path(merchant).write_bytes(b"cut off")
    assert profiles.wanted(merchant, now)
    assert profiles.profile(merchant, Filters(), now=now) is None
    timetable.install()
    jobs.handlers()["profiles"](SimpleNamespace(merchant_id=merchant.pk))
    assert not profiles.wanted(merchant, now)
    assert profiles.profile(merchant, parse([("bought", "never")]), now=now)["of"] == 10


@pytest.mark.parametrize("history", ["nothing", "one_day", "only_refunds", "wholesaler", "twelve"])
def test_thin_shops_are_told_what_is_missing(lan, history):
    buyers = [member(lan, f"会员{n}", "2026-06-01") for n in range(12)] if history != "nothing" else []
    if history == "one_day":
        for one in buyers:
            sell(lan, one, "2026-06-30")
    elif history == "only_refunds":
        for one in buyers:
            sell(lan, one, "2026-06-20", 0, refunded=10_000)
    elif history == "wholesaler":
        for n in range(30):
            sell(lan, buyers[0], f"2026-06-{n % 28 + 1:02d}", 10**9)
    elif history == "twelve":
        for n, one in enumerate(buyers):
            sell(lan, one, f"2026-06-{n + 10}")
    actions.snapshot(merchant=lan.merchant, day=DAY, now=night(lan, "2026-06-30"))
    actions.profile_columns(merchant=lan.merchant, day=DAY, now=night(lan, "2026-06-30"))
    now = night(lan, "2026-06-30")
    told = profiles.profile(lan.merchant, Filters(layers=("target",)), now=now)
    assert not [bar for trait in told["traits"] for bar in trait["bars"] if bar["surely"]]
    said = profile_words.sentences(told, "en", "CNY")
    assert said[0].startswith(f"{told['of']} members")
    whole = profile_words.sentences(profiles.profile(lan.merchant, Filters(), now=now), "zh-hans", "CNY")
    assert "这就是全体会员" in whole[-1]


def test_what_is_asked_for_every_day_was_answered_by_the_night_as_it_would_be_now(lan, people, monkeypatch):
    now, known = night(lan, "2026-06-30"), profile_traits.kept(lan.merchant)
    stage = known.stands["stage"][0][0]
    usual = [Filters(), *(Filters(layers=layers) for layers in profiles.MAIN_GROUPS), Filters(stages=(stage,))]
    computed = [profiles._profile(known, *profiles._group(lan.merchant, known, one, now, None), one) for one in usual]
    monkeypatch.setattr(profile_traits, "kept", Mock(side_effect=AssertionError("reads every member")))
    for one, wanted in zip(usual, computed, strict=True):
        told = profiles.profile(lan.merchant, one, now=now)
        assert told == wanted | {"made_at": profile_traits.mark(lan.merchant)}
    monkeypatch.undo()
    again = profiles.profile(lan.merchant, Filters(tiers=("gold",)), now=now)  # any other group still is computed
    assert again["all"] == computed[0]["all"]


def test_of_one_trait_the_others_are_not_read(lan, people):
    known, one = profile_traits.kept(lan.merchant), profile_traits.kept(lan.merchant, "tenure")
    assert [trait.key for trait in one.traits] == ["tenure"]
    wanted = next(trait for trait in known.traits if trait.key == "tenure")
    assert (one.traits[0].code == wanted.code).all()


def test_forgetting_somebody_throws_the_columns_away(lan, people):
    actions.forget(merchant=lan.merchant, members=[people[0].pk])
    assert profile_traits.kept(lan.merchant) is None
    assert profiles.wanted(lan.merchant, night(lan, "2026-06-30"))
