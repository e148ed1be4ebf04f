"""Chinese characters to plain pinyin syllables: 张小明 → zhang xiao ming.

Reading one character at a time from the dictionary that pypinyin carries; its phrase tables stay unloaded (they cost
30 MB and help sentences, not names). Surnames that are read their own way (单 Shàn, 曾 Zēng) are listed here.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_SURNAMES = {
    "单": "shan", "曾": "zeng", "仇": "qiu", "解": "xie", "查": "zha", "盖": "ge", "区": "ou", "朴": "piao", "任": "ren",
    "翟": "zhai", "冼": "xian", "缪": "miao", "种": "chong", "乐": "yue", "员": "yun", "黑": "he", "折": "she", "令": "ling",
    "尉": "yu", "万": "wan", "覃": "qin", "召": "shao", "华": "hua", "纪": "ji", "宁": "ning", "教": "jiao", "柏": "bai",
    "秘": "bi", "繁": "po", "逄": "pang", "隗": "wei", "卜": "bu", "贾": "jia", "沈": "shen", "葛": "ge", "都": "du",
    "车": "che", "石": "shi", "角": "jue", "祭": "zhai", "晁": "chao", "谌": "chen", "佴": "nai", "阚": "kan", "瞿": "qu",
}  # fmt: skip
_DOUBLE_SURNAMES = {
    "尉迟": ("yu", "chi"), "万俟": ("mo", "qi"), "长孙": ("zhang", "sun"), "单于": ("chan", "yu"), "澹台": ("tan", "tai"),
    "令狐": ("ling", "hu"), "夏侯": ("xia", "hou"),
}  # fmt: skip


@lru_cache(maxsize=1)
def _dictionary() -> dict[int, str]:
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin.constants import PINYIN_DICT

    return PINYIN_DICT


def _plain(reading: str) -> str:
    """lǚ → lv, as it is typed; zhāng → zhang."""
    parts = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
    return "".join([c for c in parts if "a" <= c <= "z"])


@lru_cache(maxsize=30_000)
def syllable(character: str) -> str:
    """The commonest reading without tone, "" if the character has none."""
    readings = _dictionary().get(ord(character), "")
    return _plain(readings.split(",", 1)[0]) if readings else ""


def is_chinese(character: str) -> bool:
    return (
        "\u4e00" <= character <= "\u9fff"
        or "\u3400" <= character <= "\u4dbf"
        or "\U00020000" <= character <= "\U0003ffff"
    )


def syllables(name: str) -> Sequence[str]:
    """One entry per Chinese character, read as a personal name: the first characters may be a surname."""
    chinese = [c for c in name if is_chinese(c)]
    if not chinese:
        return ()
    read = [syllable(c) for c in chinese]
    if double := _DOUBLE_SURNAMES.get("".join(chinese[:2])):
        read[:2] = double
    elif own := _SURNAMES.get(chinese[0]):
        read[0] = own
    return [s for s in read if s]
