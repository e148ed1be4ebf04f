"""Names in pinyin."""

import pytest

from shuke.kit.pinyin import syllables


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("张小明", ["zhang", "xiao", "ming"]),
        ("吕布", ["lv", "bu"]),  # ü is typed v
        ("单雄信", ["shan", "xiong", "xin"]),  # surnames that are read their own way
        ("曾国藩", ["zeng", "guo", "fan"]),
        ("尉迟恭", ["yu", "chi", "gong"]),
        ("Anna 王", ["wang"]),
        ("Anna", []),
        ("", []),
    ],
)
def test_a_name_is_read_as_a_name(name, read):
    assert list(syllables(name)) == read
