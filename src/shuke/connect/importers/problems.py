"""What to say about a Problem, in English and Chinese, and the file of rejected rows.

Every sentence says what is wrong, where, and what to do. Doors choose the language; nothing else in the house makes
such sentences.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import xlsxwriter

from shuke.connect.importers.cells import MADE_NUMBER, REJECT_COLUMNS
from shuke.engine.facts import Problem

# code: (English, Chinese). Fields: {row} {column} {value} {file} and what the problem's params carry.
SENTENCES: dict[str, tuple[str, str]] = {
    # --- the file as a whole (TabularError)
    "missing": ("There is no file {file}. Check the path.", "找不到文件 {file}，请检查路径。"),
    "empty": ("{file} is empty. Export it again from the shop's back office.", "{file} 是空文件，请在店铺后台重新导出。"),
    "not_a_table": (
        "{file} is not a table but {found}. Send CSV, XLSX, XLS, or a ZIP of these.",
        "{file} 不是表格（{found}）。请提供 CSV、XLSX、XLS 或它们的 ZIP 压缩包。",
    ),
    "wrong_encoding": (
        "The text of {file} cannot be read in any expected encoding (tried {tried}; row {row}). Save it as UTF-8 CSV or XLSX and send it again.",
        "{file} 的文字编码无法识别（已尝试 {tried}，第 {row} 行）。请另存为 UTF-8 编码的 CSV 或 XLSX 后重新上传。",
    ),
    "cut_off": (
        "{file} is damaged or only half there ({why}; row {row}). Download or export it again.",
        "{file} 已损坏或不完整（{why}，第 {row} 行）。请重新下载或导出。",
    ),
    "encrypted": (
        "{file} is protected by a password. Open it, save it without password, and send it again.",
        "{file} 设有密码。请打开后另存为无密码文件再上传。",
    ),
    "bomb": (
        "{file} would unpack to {unpacked_mb} MB, far more than honest tables of its size do ({ratio} times; at most {limit}). It was not opened. Save it anew with a spreadsheet program, or as CSV.",
        "{file} 解压后有 {unpacked_mb} MB，远超同样大小的正常表格（{ratio} 倍，最多 {limit} 倍），未打开。请用表格软件重新另存，或另存为 CSV。",
    ),
    "unpacks_too_big": (
        "{file} unpacks to {unpacked_mb} MB; {limit_mb} MB are allowed. It was not opened. If it is honest, allow more with `shuke import … --max-unpacked {unpacked_mb}` (for the console: the setting SHUKE_MAX_UNPACKED={unpacked_mb}), or export it in parts or as CSV.",
        "{file} 解压后有 {unpacked_mb} MB，超过允许的 {limit_mb} MB，未打开。若文件正常，可用 `shuke import … --max-unpacked {unpacked_mb}` 放宽（网页上传则设置 SHUKE_MAX_UNPACKED={unpacked_mb}），或分批导出、导出为 CSV。",
    ),
    "unsafe_xml": (
        "{file} carries document definitions ({part}) that no spreadsheet needs. It was not opened. Save it anew with a spreadsheet program.",
        "{file} 含有表格不需要的文档定义（{part}），未打开。请用表格软件另存后再上传。",
    ),
    "too_big": (
        "{file} is larger than {limit_mb} MB, too much for this format. Save it as CSV or XLSX.",
        "{file} 超过 {limit_mb} MB，该格式无法处理。请另存为 CSV 或 XLSX。",
    ),
    "too_many_columns": (
        "{file} has {count} columns in row {row}; at most {limit} are read. Delete the columns that are not needed.",
        "{file} 第 {row} 行有 {count} 列，最多 {limit} 列。请删除不需要的列。",
    ),
    "line_too_long": (
        "{file} has a line or cell of more than {limit} characters, as files that are no tables do. Check what was sent.",
        "{file} 中有超过 {limit} 个字符的行或单元格，可能不是表格，请检查。",
    ),
    "no_sheet": (
        "{file} has no visible sheet that can be read. Unhide the sheet or save it as CSV.",
        "{file} 中没有可读取的工作表。请取消隐藏，或另存为 CSV。",
    ),
    "too_many_members": ("{file} holds {count} files; at most {limit} are taken. Split it.", "{file} 含 {count} 个文件，最多 {limit} 个，请拆分。"),
    "disk_full": ("The disk is full; {file} could not be kept ({why}). Free some space and send it again.", "磁盘已满，无法保存 {file}（{why}）。请清理空间后重新上传。"),
    "unreadable": ("{file} could not be read ({why}). Check the file and its permissions, and send it again.", "无法读取 {file}（{why}）。请检查文件及其权限后重新上传。"),
    "left_out": ("{file} is no table ({found}) and was left out.", "{file} 不是表格（{found}），已略过。"),
    # --- recognising
    "layout_unknown": (
        "{file} is none of the known layouts, and its columns do not explain themselves (found: {columns}; not found: {missing}). Map its columns.",
        "{file} 不是已知的格式，列名也无法自动识别（现有列：{columns}；缺少：{missing}）。请设置列映射。",
    ),
    "columns_missing": (
        "{file} looks like a {layout} but lacks: {missing}. Export it again with these columns, or map its columns by hand.",
        "{file} 像是{layout_zh}，但缺少列：{missing}。请重新导出并包含这些列，或手动映射。",
    ),
    "no_header": (
        "No header row was found in the first 50 rows of {file}. Put the column names into the first row.",
        "在 {file} 的前 50 行中找不到表头，请把列名放在第一行。",
    ),
    "mapping_guessed": ("{file} was read by guessing from its header: {columns}.", "{file} 按表头自动识别：{columns}。"),
    "unused_table": ("{file} holds nothing that is imported; it was left out.", "{file} 中没有需要导入的内容，已略过。"),
    "mapping_kind": ("The mapping's kind '{kind}' is not known. Use one of {known}.", "映射类型“{kind}”无效，可用：{known}。"),
    "mapping_empty": ("The mapping names no columns.", "映射中没有任何列。"),
    "mapping_field": ("The mapping names fields that do not exist: {field}. Known: {known}.", "映射中的字段不存在：{field}。可用：{known}。"),
    "mapping_lacks": ("The mapping needs a column for {field}.", "映射缺少必需的列：{field}。"),
    "mapping_identity": ("The mapping's identity must be 'row' or some of its own fields, not {field}.", "映射的 identity 只能是 row，或映射中已有的字段，不能是 {field}。"),
    "mapping_unit": ("The money unit must be major or minor, not '{unit}'.", "金额单位只能是 major（元）或 minor（分），不能是“{unit}”。"),
    "mapping_column": ("The mapping's column '{column}' for {field} is not in {file}.", "{file} 中没有映射为 {field} 的列“{column}”。"),
    "mapping_status": ("'{status}' (for the word '{word}') is not an order status.", "“{status}”（对应“{word}”）不是有效的订单状态。"),
    "other_shop": (
        "{file} is from the shop '{shop}', not from '{expected}'. Nothing of it was read. Choose the right shop and import it there.",
        "{file} 属于店铺“{shop}”，而不是“{expected}”，未导入任何内容。请选择正确的店铺后再导入。",
    ),
    # --- rows kept out
    "other_shop_row": ("This row is from the shop '{value}', not from '{expected}'.", "该行属于店铺“{value}”，而不是“{expected}”。"),
    "number_missing": ("The order number is empty. Fill it in.", "订单号为空，请补上。"),
    "not_a_number": ("'{value}' in {column} is not an order number. The columns may have moved, or the row is torn.", "{column} 中的“{value}”不是编号，列可能错位或该行被拆断。"),
    "number_too_long": ("'{value}' is too long for a number. The columns may have moved.", "“{value}”作为编号过长，列可能错位。"),
    "lost_id": (
        "The number '{value}' was shortened by a spreadsheet and its last digits are lost. Export the file again and do not save it with a spreadsheet; or format the column as text and fill the number in.",
        "编号“{value}”已被表格软件转成科学计数法，末尾数字丢失。请重新导出且不要用表格软件保存，或把该列设为文本后补全编号。",
    ),
    "bad_money": ("'{value}' in {column} is not an amount of money.", "{column} 中的“{value}”不是有效金额。"),
    "negative_amount": (
        "{column} is negative ({value}). Amounts are written without sign; state refunds in their own column or report.",
        "{column} 为负数（{value}）。金额不带负号，退款请写在退款列或退款报表中。",
    ),
    "bad_item": ("'{value}' in {column} is not a packed item that can be taken apart.", "{column} 中的“{value}”无法解析为商品明细。"),
    "amount_missing": ("{column} is empty: without an amount this is no purchase.", "{column} 为空：没有金额无法记为消费。"),
    "not_a_date": ("'{value}' in {column} is not a date that can be read. Write it like 2024-05-01 13:30:00.", "{column} 中的“{value}”不是可识别的日期，请写成 2024-05-01 13:30:00 这样的形式。"),
    "in_future": (
        "'{value}' in {column} has not come yet. Correct the date, or the clock of whatever wrote the file.",
        "{column} 中的“{value}”尚未到来，请更正日期，或检查生成文件的设备时钟。",
    ),
    "date_missing": ("{column} is empty: without a date this is no purchase.", "{column} 为空：没有日期无法记为消费。"),
    "bad_quantity": ("'{value}' in {column} is not a quantity.", "{column} 中的“{value}”不是有效数量。"),
    "bad_points": ("'{value}' in {column} is not a number of points (zero or more).", "{column} 中的“{value}”不是有效积分（须大于等于零）。"),
    "other_currency": (
        "This is in {found}, the shop keeps its books in {expected}. Convert the amounts to {expected} and send the row again; for sales in {found} make a merchant of its own.",
        "该行币种为 {found}，店铺以 {expected} 记账。请把金额换算为 {expected} 后重新上传；{found} 的销售请单独建一个商户。",
    ),
    "file_other_currency": (
        "{file} is in {found}, the shop keeps its books in {expected}. Nothing of it was read. Convert the amounts to {expected}, or import it into a merchant that keeps its books in {found}.",
        "{file} 的币种为 {found}，店铺以 {expected} 记账，未导入任何内容。请把金额换算为 {expected}，或导入到以 {found} 记账的商户。",
    ),
    "unknown_status": ("The status '{value}' is not known. Correct it, or map the word to a status.", "状态“{value}”无法识别，请更正，或为该词设置映射。"),
    "status_missing": ("{column} is empty. Fill in the order's status.", "{column} 为空，请填写订单状态。"),
    "nobody": ("Nothing here says who this is: no number, card, whole phone, e-mail or account name.", "无法确定是谁：没有编号、卡号、完整手机号、邮箱或会员名。"),
    "row_short": ("The row has {cells} cells where the header has {expected}. A line break inside a cell may have torn it.", "该行只有 {cells} 格，表头有 {expected} 格，可能被单元格内的换行拆断。"),
    "row_shifted": ("The row has {cells} cells where the header has {expected}. A comma inside a cell may have moved them; put that cell into quotes.", "该行有 {cells} 格，多于表头的 {expected} 格，可能是单元格内的逗号导致错位，请给该单元格加引号。"),
    "row_cut_off": ("The file ends in the middle of this row ({cells} of {expected} cells). Download or export it again.", "文件在该行中断（只有 {cells}/{expected} 格）。请重新下载或导出。"),
    "order_scattered": ("The rows of order {value} lie far apart. Sort the file by order number and send it again.", "订单 {value} 的各行相距太远。请按订单号排序后重新上传。"),
    "order_too_long": ("Order {value} has more than 5,000 rows.", "订单 {value} 超过 5,000 行。"),
    "with_rejected_row": ("Belongs to the same order ({value}) as row {other}, which was rejected. Correct that row and send both.", "与被拒的第 {other} 行同属订单 {value}，请更正该行后一并上传。"),
    # --- oddities: the row came in
    "filler_date": ("{column} says {value}, which tools write for 'no date'. It was taken as not said.", "{column} 为 {value}，这是工具填充的空日期，按未填写处理。"),
    "closed_contradiction": ("The order was closed as never paid ({value}) but has a payment time. It was taken as paid and refunded.", "订单关闭原因为“{value}”却有付款时间，按已付款后退款处理。"),
    "phone_unclear": ("'{value}' in {column} is not a phone number that can be used. It was left out.", "{column} 中的“{value}”不是可用的电话号码，已略过。"),
    "birthday_unclear": ("'{value}' in {column} is not a birthday that can be read. It was left out.", "{column} 中的“{value}”不是可识别的生日，已略过。"),
    "brushing": ("{column} marks this as a brushing order. It is kept but counts nowhere.", "{column} 标记为刷单，已保留但不计入任何统计。"),
    "sensitive_dropped": ("{column} is sensitive and was not taken over.", "{column} 属于敏感信息，未导入。"),
    "numbers_made": (
        "The file has no order numbers. Rows that agree in {value} are taken as the same purchase: correct a row and send the file again, and it replaces what was taken in. If two purchases can agree in these, let the whole row decide (mapping: identity).",
        "文件没有订单号。以下各列一致的行视为同一笔消费：{value}。更正某行后重新导入，会替换原记录。若两笔不同消费可能在这些列上一致，请改为按整行区分（映射中的 identity）。",
    ),
    "numbers_from_rows": (
        "The file has no order numbers, and whole rows are compared: a row that is corrected later comes in as another purchase.",
        "文件没有订单号，按整行区分：以后更正的行会作为另一笔消费导入。",
    ),
    "opening_differs": (
        "A member's points were taken over as {stands} already (import {batch}); this file says {value}. Nothing was booked: points may have moved in the other system since. If the first balance was wrong, take that import back and import this one; else correct the member's points by hand.",
        "会员的积分此前已按 {stands} 结转（导入 {batch}），本文件为 {value}，未入账：原系统的积分可能已变动。若此前有误，请先撤销那次导入再导入本文件；否则请手工调整。",
    ),
    "void_card": (
        "Order {value} was refunded; {amount} of that belong on gift card {card}, which is void. The refund is booked and everything else was given back. If the buyer did not get these {amount} another way, give them a new card.",
        "订单 {value} 已退款，其中 {amount} 应退回礼品卡 {card}，但该卡已作废。退款已入账，其余已退回。若买家未以其他方式收到这 {amount}，请补发新卡。",
    ),
    "not_given_back": (
        "Order {value} was refunded, but what its basket used at the till could not be given back: {why} The refund itself is booked. Open the member and put it right by hand.",
        "订单 {value} 已退款，但收银时使用的券、积分或储值未能退回：{why_zh}退款本身已入账，请打开该会员手工处理。",
    ),
    "opening_without_charter": (
        "There is no charter in force, so {value} points were not taken over. Publish a charter and import the file again.",
        "尚无生效的会员章程，{value} 积分未结转。请发布章程后重新导入。",
    ),
    "header_again": ("Row {row} repeats the header. It was skipped.", "第 {row} 行是重复的表头，已略过。"),
    "second_header": ("Row {row} is a second header row. It was skipped.", "第 {row} 行是第二行表头，已略过。"),
    "rows_above_header": ("The header stands in row {row}; what is above it was skipped.", "表头在第 {row} 行，上面的内容已略过。"),
    "totals_row": ("Row {row} is a sum of the rows above. It was skipped.", "第 {row} 行是合计行，已略过。"),
    "refund_before_order": (
        "The refund's date {value} is before the order's. It was left out; the refund counts from when the order was closed, finished or paid.",
        "退款时间 {value} 早于下单时间，已忽略；退款按订单关闭、完成或付款的时间计。",
    ),
    "negative_refund": ("The refund is negative; it was taken as none.", "退款金额为负数，按无退款处理。"),
    "refund_over_paid": ("More was refunded than was paid. Check the order.", "退款金额大于实付金额，请核对该订单。"),
    "refund_told_twice": (
        "Order {order} already has a return of {amount}, told by the counter or a program on {day} (number {other}). Refund {value} of the list counts besides. If it is the same return, take its row out of the list before importing, or undo the import.",
        "订单 {order} 已有一笔 {amount} 的退货，由柜台或程序于 {day} 登记（编号 {other}）；列表中的退款 {value} 会另外计入。如是同一笔，请从列表中删除该行后再导入，或撤销本次导入。",
    ),
    "freight_over_paid": ("The delivery fee is larger than what was paid. Check the order.", "运费大于实付金额，请核对该订单。"),
    "no_order_time": ("The order has no time at all, so it counts in no period.", "该订单没有任何时间，不计入任何时段。"),
    "more_oddities": ("{count} more of the same kind in {column} ({kind}) are not listed.", "{column} 还有 {count} 条同类情况（{kind}）未逐一列出。"),
}  # fmt: skip


class _Facts(dict[str, str]):
    """A fact that a problem does not carry is left as a dash rather than breaking the sentence."""

    def __missing__(self, key: str) -> str:
        return "–"


def sentence(problem: Problem, language: str = "en") -> str:
    """What to tell the seller; `language` "en" or anything that begins with "zh"."""
    pair = SENTENCES.get(problem.code)
    if pair is None:
        return problem.code
    facts = _Facts(
        file=problem.file or "–", row=str(problem.row or "–"), column=problem.column or "–", value=problem.value
    )
    facts.update((key, value) for key, value in problem.params if value)
    return pair[1 if language.startswith("zh") else 0].format_map(facts)


# --- the file of rejected rows


def write_rejects(
    path: Path, header: Sequence[str], problems: Iterable[Problem], *, language: str = "en", numbers: bool = False
) -> int:
    """Write the rejected rows with their reasons; returns how many. `.xlsx` by the path's ending, else CSV (UTF-8 BOM).

    The file has the original columns and three more: row, column, reason. It can be corrected and sent again: the
    importer ignores those three. With `numbers` a fourth has the order numbers that were made because the file has none:
    it makes the corrected row the same purchase. Cells that a spreadsheet would take for a formula are written with a leading
    apostrophe in CSV, which the importer takes away again, and as text in XLSX.
    """
    rows = (
        [*_fitted(problem.raw, len(header)), str(problem.row), problem.column, sentence(problem, language)]
        + ([dict(problem.params).get("made_number", "")] if numbers else [])
        for problem in problems
        if problem.reject and problem.raw
    )
    titles = [*header, *REJECT_COLUMNS, *([MADE_NUMBER] if numbers else [])]
    if path.suffix.lower() == ".xlsx":
        return _write_xlsx(path, titles, rows)
    count = 0
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([harmless(title) for title in titles])
        for row in rows:
            writer.writerow([harmless(cell) for cell in row])
            count += 1
    return count


def _fitted(raw: Sequence[str], width: int) -> list[str]:
    """A torn or shifted row keeps all its cells, at least as many as the header."""
    return [*raw, *[""] * (width - len(raw))] if len(raw) <= width else [*raw[: width - 1], " ".join(raw[width - 1 :])]


def _write_xlsx(path: Path, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    count = 0
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet()
        text = book.add_format({"num_format": "@"})
        for place, title in enumerate(titles):
            sheet.write_string(0, place, title, text)
        for count, row in enumerate(rows, 1):
            for place, cell in enumerate(row):
                sheet.write_string(count, place, cell[:32_767], text)
    return count


_LIVE = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(cell: str) -> str:
    """The cell so that no spreadsheet executes it. `'` and a formula sign is escaped too, so that reading it back is exact."""
    if cell.startswith(_LIVE) or (cell.startswith("'") and cell[1:2] in ("=", "+", "-", "@", "\t", "\r", "\n", "'")):
        return "'" + cell
    return cell
