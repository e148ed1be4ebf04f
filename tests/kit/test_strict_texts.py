"""JSON and YAML read strictly: what a lenient reader would guess, drop or choke on is refused with its place."""

import pytest

from shuke.kit import strict_json, strict_yaml

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_plain_json_is_read_as_it_is():
    assert strict_json.read('{"a": [1, 2.5, null, "中\\u4e2d 😀 \\ud83d\\ude00"]}') == {
        "a": [1, 2.5, None, "中中 😀 😀"]
    }


@pytest.mark.parametrize(
    ("text", "code", "english"),
    [
        ('{"a": 1,\n "b" 2}', "not_json", "line 2, column 6"),
        ("", "not_json", "line 1"),
        ('{"a": NaN}', "not_json", "JSON"),
        ('{"a": -Infinity}', "not_json", "JSON"),
        ('{"a": ' + "9" * 5000 + "}", "not_json", "JSON"),
        ("[" * 100_000, "not_json", "JSON"),
        ('{"a": {"b": 1, "b": 2}}', "field_twice", "b is said twice"),
        ('{"a": ["\\u0000"]}', "bad_text", "U+0000"),
        ('{"\\uD800": 1}', "bad_text", "surrogate"),
    ],
)
def test_json_that_nobody_means(text, code, english):
    with pytest.raises(strict_json.NotRead) as wrong:
        strict_json.read(text)
    assert wrong.value.code == code
    assert english in wrong.value.say("en")
    assert wrong.value.say("zh") != wrong.value.say("en")


def test_plain_yaml_stays_text_and_may_repeat_a_part():
    assert strict_yaml.read("a: &a {b: 0.010}\nc: *a\nd: [1, ~]") == {
        "a": {"b": "0.010"},
        "c": {"b": "0.010"},
        "d": ["1", "~"],
    }


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a: [1", "not_yaml", "line 1, column 6"),
        ("a: 1\nb: {c: 2, c: 3}", "said_twice", "line 2, column 11"),
        ('a: "\\0"', "bad_text", "line 1, column 4"),
        ("a: &a {b: *a}", "too_many_parts", "line 1, column 4"),
        ("[" * 3000, "too_many_parts", "document"),
        (BOMB, "too_many_parts", "line 1, column 1"),
    ],
    ids=["torn", "twice", "no text", "within itself", "deep", "bomb"],
)
def test_yaml_that_nobody_means(text, code, place):
    with pytest.raises(strict_yaml.NotRead) as wrong:
        strict_yaml.read(text)
    assert (wrong.value.code, wrong.value.place) == (code, place)
