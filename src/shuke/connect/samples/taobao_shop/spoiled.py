"""A file somebody opened in a spreadsheet and saved again: order numbers turned into 1.23E+18, dates lost their form."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from .. import columns
from ..sheets import write_csv
from .buying import Sale
from .reports import SHOP, order_cells
from .truth import TrueReject


def resaved_in_excel(folder: Path, sales: list[Sale], *, at: datetime) -> tuple[Path, list[TrueReject]]:
    """Orders whose numbers are lost for good, three that survived because somebody typed them as text, and junk."""
    paid = [s for s in sales if s.paid_at and not s.brushing and not s.hidden_buyer]
    chosen = paid[:13]
    header = columns.G2
    rows: list[list[str]] = [["补录订单（请勿删除）"] + [""] * (len(header) - 1), list(header)]
    rejects = []
    name = "补录订单_另存.csv"
    for index, sale in enumerate(chosen):
        cells = order_cells(sale, at)
        for column in ("订单创建时间", "订单付款时间", "确认收货时间"):
            if cells[column]:
                when = datetime.strptime(cells[column], "%Y-%m-%d %H:%M:%S")
                cells[column] = f"{when.year}/{when.month}/{when.day} {when.hour}:{when.minute:02d}"
        if index < len(chosen) - 3:
            cells["订单编号"] = cells["主订单编号"] = f"{float(sale.number):.5E}"
            rejects.append(TrueReject(name, len(rows) + 1, "lost_id"))
        rows.append([cells.get(column.strip(), "") for column in header])
    bad = dict.fromkeys((column.strip() for column in header), "")
    bad |= {
        "订单编号": "777000000000000001", "买家会员名": "手工录入", "订单状态": "交易成功", "买家应付货款": "-35.00",
        "总金额": "-35.00", "买家实际支付金额": "-35.00", "订单创建时间": "2025/1/9 10:20", "订单付款时间": "2025/1/9 10:21",
        "店铺名称": SHOP,
    }  # fmt: skip
    rejects.append(TrueReject(name, len(rows) + 1, "negative_amount"))
    rows.append([bad[column.strip()] for column in header])
    bad |= {"订单编号": "777000000000000002", "买家应付货款": "35.00", "总金额": "35.00", "买家实际支付金额": "35.00",
            "订单创建时间": "上周三", "订单付款时间": "上周三"}  # fmt: skip
    rejects.append(TrueReject(name, len(rows) + 1, "not_a_date"))
    rows.append([bad[column.strip()] for column in header])
    totals = [""] * len(header)
    totals[0], totals[header.index("总金额")] = "合计", "98765.40"
    rejects.append(TrueReject(name, len(rows) + 1, "totals_row"))
    rows.append(totals)
    return write_csv(folder / name, rows, encoding="gb18030", made_at=at), rejects
