"""The charter as a form: every ready charter comes back as it went in, and everything has a name in both languages."""

from __future__ import annotations

import typing

import pytest
from pydantic import BaseModel

from shuke.engine.charter import document, form, labels, telling
from shuke.engine.charter.compare import compare
from shuke.engine.charter.document import Charter


def sent(node: form.Node) -> list[tuple[str, str]]:
    """What a browser would send of a form."""
    if node.kind == "list":
        return [pair for one in node.nodes for pair in [(f"{one.place}._", ""), *sent(one)]]
    if node.kind in ("part", "pair", "maybe"):
        if node.kind == "maybe" and not node.nodes and not node.more:
            return []
        marks = [(f"{node.place}._", "")] if node.kind == "maybe" else []
        return marks + [pair for one in [*node.nodes, *node.more] for pair in sent(one)]
    return [(node.place + ("._odd" if node.kind == "odd" else ""), node.value)]


@pytest.mark.parametrize("name", ["general", "beauty", "kids", "grocer", "cafe"])
def test_a_form_sent_untouched_is_the_charter(name):
    charter = document.ready(name)
    raw = telling.read_text(document.to_yaml(charter))
    back: dict = {}
    for key, _ in form.sections("en"):
        for part, value in form.read_form(key, sent(form.tree(raw, key, "en"))).items():
            if value is not None:
                back[part] = value
    assert document.from_plain(back) == charter


def parts() -> list[type[BaseModel]]:
    seen: list[type[BaseModel]] = []

    def walk(model):
        if isinstance(model, type) and issubclass(model, BaseModel) and model not in seen:
            seen.append(model)
            for info in model.model_fields.values():
                walk(info.annotation)
        for inner in typing.get_args(model):
            walk(inner)

    walk(Charter)
    return seen


def test_every_field_and_every_choice_has_a_name_in_both_languages():
    """A new field can be edited before it is named in labels.py, but not released."""
    nameless = []
    for part in parts():
        for name, info in part.model_fields.items():
            if name == "shuke_charter":
                continue
            if f"{part.__name__}.{name}" not in labels.FIELDS and name not in labels.FIELDS:
                nameless.append(f"{part.__name__}.{name}")
            kind, values = form._shape(info.annotation)
            for value in values if kind == "choice" else ():
                places = (f"{part.__name__}.{name}.{value}", f"{name}.{value}", str(value))
                if not any(place in labels.CHOICES for place in places):
                    nameless.append(f"{part.__name__}.{name}={value}")
    assert nameless == []
    assert all(zh and en for zh, en in [*labels.FIELDS.values(), *labels.CHOICES.values()])


@pytest.mark.parametrize(
    "odd",
    [
        {"tiers": "many"},
        {"tiers": ["one", 2]},
        {"points": 7},
        {"earning": {"a": 1}},
        {"tiers": [{"name": "Gold", "reach": [1]}]},
    ],
)
def test_what_no_form_can_show_is_kept_and_told(odd):
    """Somebody typed something else into the YAML: the form shows it as it is and loses nothing."""
    for key in odd:
        back = form.read_form(key, sent(form.tree(odd, key, "en")))
        assert telling.problems(odd, "en")
        assert str(back[key]).replace("'", "").replace(" ", "") == str(odd[key]).replace("'", "").replace(" ", "")


def test_lists_grow_shrink_and_turn_and_odd_places_are_no_place():
    raw = {"tiers": [{"key": "a"}, {"key": "b"}]}
    assert form.change(raw, "up", "tiers.1")
    assert [t["key"] for t in raw["tiers"]] == ["b", "a"]
    assert form.change(raw, "add", "tiers.0.benefits")
    assert form.change(raw, "put", "tiers.1.reach")
    assert raw == {"tiers": [{"key": "b", "benefits": [{}]}, {"key": "a", "reach": {}}]}
    assert form.change(raw, "remove", "tiers.0")
    for place in ("tiers.7", "tiers.x", "tiers.0.key.deeper", "tiers.7.reach"):
        assert not form.change(raw, "remove", place), place
    assert form.change({}, "add", "earning")


def test_differences_are_those_a_reader_finds():
    old = document.ready("general")
    assert compare(old, old, "zh") == []
    plain = document.to_plain(old)
    plain["tiers"][1]["multiplier"] = "9"
    (change,) = compare(old, document.from_plain(plain), "en")
    assert "× 9" in change.after
    assert change.before
    assert change.before != change.after
    del plain["earning"][0]
    gone = [c for c in compare(old, document.from_plain(plain), "en") if not c.after]
    assert len(gone) == 1


def test_what_is_wrong_is_said_by_names_and_not_by_keys():
    """A shopkeeper filling in the form sees no keys: tiers, rules and measures have their names."""
    raw = document.to_plain(document.ready("beauty"))
    raw["tiers"][2]["reach"]["any"][0]["at_least"] = "500"
    raw["earning"][2]["when"]["tiers"] = ["nobody"]
    chinese, english = ([one.text for one in telling.problems(raw, language)] for language in ("zh", "en"))
    assert chinese == [
        "等级 “高级会员” 与 “VIP会员” 的 累计消费 门槛相同（500）：一达到就直接成为 “VIP会员”，“高级会员” 形同虚设，请改为不同数值。",
        "“VIP会员” 的保级要求高于升级要求（累计消费 1500，而升级只需 500），且计算时间相同：会员复核时降级，下次消费又升回。请把保级门槛改为 500 "
        "或更低，或提高升级条件。",
        "没有等级 nobody；已有：“普通会员”, “高级会员”, “至尊VIP”, “VIP会员”。",
    ]
    assert english[0] == (
        "tiers “Senior” and “VIP” need the same amount spent (500), so whoever reaches that is “VIP” at once and “Senior” is never given "
        "for it; make them differ."
    )
    raw["earning"][1]["key"] = raw["earning"][0]["key"] = "base"
    assert "“积分规则 · 消费积分 · 键（内部名称）”" in "".join(one.text for one in telling.problems(raw, "zh"))
