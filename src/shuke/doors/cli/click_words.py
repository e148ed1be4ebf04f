"""Click's own words in Chinese: Usage, Options, "No such option" and the rest.

Click takes its texts from gettext's global catalogue, which belongs to no program and follows no SHUKE_LANGUAGE. So in a
Chinese terminal its modules are given a look-up of ours. A text that a later Click words otherwise stays English;
tests/doors/cli/test_words.py compares this list with the Click that is installed.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from click import Argument, Context, types

from shuke.doors.cli.words import language

WORDS = {
    "Usage:": "用法：",
    "Options": "选项",
    "Commands": "命令",
    "Positional arguments": "参数",
    "Aborted!": "已中止！",
    "deprecated": "已弃用",
    "required": "必填",
    "Missing command.": "缺少命令。",
    "Missing argument": "缺少参数",
    "Missing option": "缺少选项",
    "Missing parameter": "缺少参数",
    "Missing parameter: {param_name}": "缺少参数：{param_name}",
    "Missing {param_type}": "缺少 {param_type}",
    "Error: {message}": "错误：{message}",
    "Try '{command} {option}' for help.": "用法说明见“{command} {option}”。",
    "No such option {name!r}.": "没有 {name} 这个选项。",
    "No such command {name!r}.": "没有 {name} 这个命令。",
    "Did you mean {possibility}?": "是不是 {possibility}？",
    "(Did you mean one of: {possibilities}?)": "（是不是 {possibilities} 之一？）",
    "Got unexpected extra argument ({args})": "多余的参数（{args}）",
    "Got unexpected extra arguments ({args})": "多余的参数（{args}）",
    "Invalid value: {message}": "值无效：{message}",
    "Invalid value for {param_hint}: {message}": "{param_hint} 的值无效：{message}",
    "Could not open file {filename!r}: {message}": "无法打开文件 {filename}：{message}",
    "unknown error": "未知错误",
    "Value must be an iterable.": "应为多个值。",
    "Takes {nargs} values but 1 was given.": "需要 {nargs} 个值，只给了 1 个。",
    "Takes {nargs} values but {len} were given.": "需要 {nargs} 个值，给了 {len} 个。",
    "env var: {var}": "环境变量：{var}",
    "default: {default}": "默认：{default}",
    "(dynamic)": "（自动）",
    "file": "文件",
    "directory": "文件夹",
    "path": "路径",
    "Choose from:\n\t{choices}": "可选：\n\t{choices}",
    "{value!r} is not {choice}.": "{value} 不是 {choice}。",
    "{value!r} is not one of {choices}.": "{value} 不在可选范围内：{choices}。",
    "{value!r} does not match the format {format}.": "{value} 不符合格式 {format}。",
    "{value!r} does not match the formats {formats}.": "{value} 不符合以下任一格式：{formats}。",
    "{value} is not in the range {range}.": "{value} 不在范围 {range} 内。",
    "{value!r} is not a valid boolean. Recognized values: {states}": "{value} 不是有效的是非值，可用：{states}",
    "{value!r} is not a valid {number_type}.": "{value} 不是有效的数字。",
    "{value!r} is not a valid UUID.": "{value} 不是有效的 UUID。",
    "{len_type} values are required, but {len_value} was given.": "需要 {len_type} 个值，给了 {len_value} 个。",
    "{len_type} values are required, but {len_value} were given.": "需要 {len_type} 个值，给了 {len_value} 个。",
    "{name} {filename!r} does not exist.": "{name} {filename} 不存在。",
    "{name} {filename!r} is a file.": "{name} {filename} 是一个文件。",
    "{name} {filename!r} is a directory.": "{name} {filename} 是一个文件夹。",
    "{name} {filename!r} is not readable.": "{name} {filename} 不可读取。",
    "{name} {filename!r} is not writable.": "{name} {filename} 不可写入。",
    "{name} {filename!r} is not executable.": "{name} {filename} 不可执行。",
    "Option {name!r} does not take a value.": "选项 {name} 不带值。",
    "Option {name!r} requires an argument.": "选项 {name} 需要一个值。",
    "Option {name!r} requires {nargs} arguments.": "选项 {name} 需要 {nargs} 个值。",
    "Argument {name!r} takes {nargs} values.": "参数 {name} 需要 {nargs} 个值。",
    "Do you want to continue?": "要继续吗？",
    "Confirm the action without prompting.": "不再询问，直接执行。",
    "%(prog)s, version %(version)s": "%(prog)s，版本 %(version)s",
    "Show the version and exit.": "显示版本。",
    "Show this message and exit.": "显示此帮助。",
    "Press any key to continue...": "按任意键继续……",
    "Repeat for confirmation": "请再输入一次",
    "Error: The two entered values do not match.": "错误：两次输入不一致。",
    "Error: invalid input": "错误：输入无效",
}
# Texts for whoever writes a command, not for whoever calls one.
OURS_ALONE = frozenset(
    [
        "Arguments take exactly one parameter declaration, got {length}: {decls}.",
        "Boolean option {decl!r} cannot use the same flag for true/false.",
        "Choice({choices})",
        "Could not determine name for option with declarations {decls!r}",
        "DeprecationWarning: The command {name!r} is deprecated.{extra_message}",
        "DeprecationWarning: The {param_type} {name!r} is deprecated.{extra_message}",
        "Invalid start character for option ({option})",
        "Name '{name}' defined twice",
        "No options defined but a name was passed ({name}). Did you mean to declare an argument instead? Did you mean to "
        "pass '--{name}'?",
        "Unknown color {colour!r}",
    ]
)
TYPES = {  # what stands behind an option that has no better word: --port 整数
    "StringParamType": "文字", "IntParamType": "整数", "IntRange": "整数", "FloatParamType": "数字", "FloatRange": "数字",
    "BoolParamType": "是否", "DateTime": "时间",
}  # fmt: skip
PLACES = {  # what stands for an argument that has no better word: shuke charter publish 文件
    "FILE": "文件", "COUNT": "数量", "OUT": "输出文件", "CHARTER": "章程", "BASKET": "购物篮", "EVENTS": "事件文件", "VERSION": "版本",
}  # fmt: skip
MODULES = ("core", "decorators", "exceptions", "formatting", "parser", "termui", "types")


def speak_chinese() -> None:
    """Give Click our look-up, if the terminal is Chinese."""
    if language() != "zh-hans":
        return
    for kind, called in TYPES.items():
        getattr(types, kind).name = called
    plain = Argument.make_metavar

    def placed(self: Argument, ctx: Context) -> str:
        told = plain(self, ctx)
        word = told.strip("[].")
        return told.replace(word, PLACES[word]) if word in PLACES else told

    Argument.make_metavar = placed  # type: ignore[method-assign]
    for name in MODULES:
        module: ModuleType = importlib.import_module(f"click.{name}")
        for called, ours in (("_", said), ("ngettext", said_of)):
            if hasattr(module, called):
                setattr(module, called, ours)


def said(text: str) -> str:
    return WORDS.get(text, text)


def said_of(one: str, many: str, count: int) -> str:
    text = one if count == 1 else many
    return WORDS.get(text, text)
