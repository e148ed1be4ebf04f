"""Which column means what: guessed from headers and sample rows, corrected by a person, saved as JSON.

A mapping is a plain dict:

    {"kind": "orders",                       # orders | customers | products | refunds
     "columns": {"number": "单号", "phone": "手机", "paid": "实收", "created_at": "日期", …},   # field → header or 0-based place
     "date_formats": ["%d.%m.%Y"],           # tried first; the usual forms are always understood
     "money_unit": "major",                  # or "minor": the file has fen or cents
     "defaults": {"platform": "pos", "status": "finished", "currency": "CNY", "store": "01"},
     "status_words": {"已结": "finished"},    # the file's own words → names of facts.OrderStatus, lower case
     "header_row": 1, "sheet": "",
     "identity": ["created_at", "phone"],    # only without order numbers: what makes a row the same purchase; or "row"
     # customers only: the shop's own attributes by key, and consents as "channel:purpose"
     "attributes": {"skin_type": "皮肤类型"}, "consents": {"sms:promotion": "同意短信"}}

Of customers, `defaults` may also say "phone_verified": true (the member stood there with the phone) and
"nickname_platform": "taobao" (the account names are those of that platform, and belong to the card's holder).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from shuke.connect.importers.cells import REJECT_NAMES, plain
from shuke.kit.tabular.header import normal


class Field(NamedTuple):
    """One thing a column can mean. `shape` says what its cells look like: text | id | money | time | phone | count."""

    key: str
    title_en: str
    title_zh: str
    shape: str
    synonyms: tuple[str, ...]


def _field(key: str, title_en: str, title_zh: str, shape: str, synonyms: str) -> Field:
    words = tuple(dict.fromkeys(normal(word) for word in (title_en, title_zh, *synonyms.split(","))))
    return Field(key, title_en, title_zh, shape, words)


_PERSON = (
    _field("customer_id", "Customer number", "客户编号", "id",
           "customer id,customerid,client id,user id,userid,member id,会员编号,会员ID,客户ID,用户ID,顾客编号,买家ID,buyer id,openid"),
    _field("card", "Card number", "会员卡号", "id", "card,card no,card number,membership card,member card,卡号,会员卡,VIP卡号"),
    _field("nickname", "Account name", "会员名", "text", "nickname,nick,account,user name,username,login,昵称,会员昵称,买家昵称,账号,旺旺,买家会员名,买家"),
    _field("name", "Name", "姓名", "text",
           "customer name,full name,customer,receiver,recipient,client,member name,客户姓名,会员姓名,收货人,收货人姓名,收件人,顾客姓名,顾客,客户,联系人,名字,客户名称"),
    _field("phone", "Phone", "手机号", "phone",
           "mobile,mobile phone,phone number,telephone,tel,cell,contact,手机,手机号码,电话,联系电话,联系方式,联系手机,会员手机,会员手机号,收货人手机号,客户手机号,电话号码"),
    _field("email", "E-mail", "邮箱", "text", "email,mail,email address,e-mail address,customer email,电子邮箱,电子邮件"),
    _field("address", "Address", "地址", "text", "shipping address,delivery address,street,address 1,收货地址,详细地址,联系地址,家庭住址,住址"),
    _field("province", "Province", "省份", "text", "state,region,省,收货省份,收货人省份"),
    _field("city", "City", "城市", "text", "town,市,收货城市,收货人城市"),
    _field("district", "District", "区县", "text", "county,区,收货区县,收货人地区"),
)  # fmt: skip

FIELDS: dict[str, tuple[Field, ...]] = {
    "orders": (
        _field("number", "Order number", "订单号", "id",
               "order,order no,order no.,order id,orderid,order #,no,number,invoice,invoice no,receipt,receipt no,transaction id,basket id,ticket,单号,订单编号,小票号,流水号,销售单号,交易号,单据号,单据编号,交易单号,主订单编号"),
        _field("created_at", "Order time", "下单时间", "time",
               "date,time,order date,ordered at,created,created at,date created,purchase date,transaction date,sale date,timestamp,日期,时间,订单日期,订单时间,销售日期,销售时间,交易时间,交易日期,消费时间,消费日期,订单创建时间,创建时间,购买日期,购买时间,开单时间"),
        _field("paid_at", "Payment time", "付款时间", "time", "paid at,payment date,date paid,paid date,支付时间,订单付款时间,买家付款时间,收款时间,结账时间"),
        _field("status", "Status", "订单状态", "text", "order status,state,financial status,状态,交易状态"),
        _field("paid", "Amount paid", "实付金额", "money",
               "amount,total,paid,order total,total amount,total paid,grand total,sum,net amount,revenue,金额,实付,实收,实收金额,付款金额,支付金额,成交金额,消费金额,总金额,订单金额,应付金额,合计,总价,销售额,买家实际支付金额,实际支付"),
        _field("goods", "Goods total", "商品金额", "money", "subtotal,goods,goods amount,商品总价,商品总额,货款,原价合计"),
        _field("discount", "Discount", "优惠金额", "money", "discount amount,discounts,total discount,优惠,折扣,折扣金额,让利,抵扣"),
        _field("freight", "Delivery fee", "运费", "money", "shipping,freight,shipping total,shipping fee,delivery,邮费,快递费,配送费"),
        _field("tax", "Tax", "税额", "money", "tax amount,taxes,total tax,tax total,vat,gst,sales tax,税,税费,税金,增值税"),
        _field("tender", "Paid by", "支付方式", "text",
               "payment method,payment type,payment,tender,pay type,method of payment,付款方式,支付渠道,收款方式,结算方式,支付类型"),
        _field("refunded", "Refunded", "退款金额", "money", "refund,refund amount,refunded amount,已退款金额,退款"),
        _field("refunded_at", "Refunded at", "退款时间", "time", "refund date,refund time,refunded on,退款日期,退款完成时间,退款完结时间"),
        _field("currency", "Currency", "币种", "text", "currency code,order currency,货币,货币代码,订单币种"),
        _field("title", "Product", "商品名称", "text",
               "product name,item,item name,title,description,goods name,lineitem name,商品,商品标题,品名,宝贝标题,货品名称,产品,产品名称,名称,货品"),
        _field("product_code", "Product code", "商品编码", "id", "sku,product id,item code,product sku,article,article no,barcode,货号,条码,商品ID,商家编码,商品编号,货品编号,商品条码,款号"),
        _field("spec", "Variant", "规格", "text", "variant,size,option,options,colour,color,商品规格,商品属性,型号,颜色分类"),
        _field("category", "Category", "类目", "text", "product category,department,分类,品类,商品分类,类别"),
        _field("brand", "Brand", "品牌", "text", "maker,vendor,商品品牌"),
        _field("quantity", "Quantity", "数量", "count", "qty,pieces,units,count,商品数量,购买数量,件数,宝贝总数量,销售数量"),
        _field("price", "Unit price", "单价", "money", "price,item price,售价,价格,商品单价,零售价"),
        _field("line_amount", "Line amount", "行金额", "money", "line total,line amount,item total,小计,商品小计,商品实付"),
        *_PERSON,
        _field("store", "Store", "门店", "text", "shop,branch,outlet,store id,store name,location,店铺,门店名称,门店编号,店铺名称,分店,网点"),
        _field("staff", "Staff", "导购", "text", "cashier,seller,clerk,sales person,salesperson,employee,店员,收银员,营业员,员工,导购员,销售员"),
        _field("channel", "Channel", "渠道", "text", "source,sales channel,来源,销售渠道,订单来源"),
        _field("buyer_note", "Buyer's note", "买家留言", "text", "customer note,message,买家备注,留言"),
        _field("seller_note", "Shop's note", "备注", "text", "note,notes,remark,memo,comment,comments,商家备注,卖家备注,订单备注"),
    ),
    "customers": (
        *_PERSON,
        _field("gender", "Gender", "性别", "text", "sex,客户性别,会员性别"),
        _field("birthday", "Birthday", "生日", "time", "birth date,date of birth,dob,birthdate,出生日期,客户生日,会员生日,出生年月"),
        _field("joined_at", "Member since", "入会时间", "time",
               "joined,joined at,join date,registered,registered at,registration date,created,created at,signup date,注册时间,注册日期,加入时间,开卡时间,开卡日期,成为会员时间,成为客户时间,建档时间,办卡时间,登记日期,登记时间,办卡日期,入会日期"),
        _field("points", "Points", "积分", "count", "point balance,loyalty points,reward points,可用积分,当前积分,积分余额,客户积分,剩余积分"),
        _field("growth", "Growth value", "成长值", "count", "growth,经验值"),
        _field("level", "Level", "等级", "text", "tier,grade,membership level,会员等级,会员级别,级别,客户等级"),
        _field("tags", "Tags", "标签", "text", "tag,labels,客户标签,会员标签"),
        _field("store", "Store", "门店", "text", "shop,branch,home store,所属门店,归属门店,开卡门店,店铺"),
        _field("source", "Source", "来源", "text", "acquired by,channel,客户来源,会员来源,来源渠道,渠道"),
        _field("brought_by", "Brought by", "推荐人", "id",
               "referrer,referred by,referrer card,referral code,推荐人卡号,推荐码,推荐会员,推荐人会员卡号,邀请人,邀请码,介绍人"),
        _field("note", "Note", "备注", "text", "notes,remark,memo,comment,客户备注,会员备注"),
    ),
    "products": (
        _field("code", "Product code", "商品编码", "id", "code,sku,id,product id,barcode,货号,条码,商品ID,商家编码,商品编号,款号"),
        _field("title", "Product", "商品名称", "text", "name,title,product name,item,品名,商品标题,商品,名称"),
        _field("category", "Category", "类目", "text", "department,product category,分类,品类,商品分类,类别"),
        _field("brand", "Brand", "品牌", "text", "vendor,maker,商品品牌"),
        _field("unit", "Unit", "单位", "text", "计量单位,uom"),
        _field("price", "Price", "价格", "money", "unit price,售价,零售价,单价,吊牌价"),
    ),
    "refunds": (
        _field("number", "Refund number", "退款编号", "id", "refund id,refund no,return id,退款单号,售后单号,退货单号"),
        _field("order_number", "Order number", "订单号", "id", "order id,order no,order,订单编号,原单号,原订单号"),
        _field("amount", "Refunded amount", "退款金额", "money", "refund amount,amount,refund total,refunded,实退金额,退款,买家退款金额"),
        _field("finished_at", "Refunded at", "退款时间", "time", "refund date,refunded at,date,退款完成时间,退款完结时间,日期,时间"),
        _field("status", "Status", "退款状态", "text", "refund status,state,状态,售后状态"),
        _field("reason", "Reason", "退款原因", "text", "refund reason,原因,买家退款原因"),
        _field("product_code", "Product code", "商品编码", "id", "sku,product id,barcode,货号,条码,商品ID,商家编码,商品编号,款号"),
        _field("quantity", "Quantity", "退货数量", "count", "refund quantity,qty,pieces,数量,件数,退货件数"),
    ),
}  # fmt: skip
_NEEDED = {  # of each group at least one
    "orders": (("paid", "line_amount", "goods", "price"), ("created_at", "paid_at")),
    "customers": (("customer_id", "card", "phone", "email", "nickname"),),
    "products": (("code",), ("title",)),
    "refunds": (("number",), ("order_number",), ("amount",)),
}
_TELLING = {  # what makes this kind likelier than its neighbours
    "orders": ("number", "paid", "created_at", "paid_at", "status", "line_amount"),
    "customers": ("birthday", "joined_at", "points", "gender", "level", "growth", "card"),
    "products": ("unit", "code", "title", "brand"),
    "refunds": ("order_number", "amount", "reason"),
}
_SHAPES = {
    "phone": re.compile(r"^\+?[\d\s*()-]{7,20}(?:-\d{1,6})?$"),
    "money": re.compile(r"^[¥￥$€£]?-?[\d,]+(?:\.\d+)?元?$"),
    "count": re.compile(r"^-?[\d,]+(?:\.\d+)?\D{0,2}$"),
    "time": re.compile(r"^\d{1,4}[-/.年]\d{1,2}([-/.月]\d{1,4})?|^\d{8}$|^\d{14}$|^\d{5}(\.\d+)?$"),
    "id": re.compile(r"^[\w./#-]{1,60}$"),
}


class GuessedColumn(NamedTuple):
    place: int
    header: str
    confidence: float


class Guess(NamedTuple):
    """What the columns seem to mean. `confidence` is that of the least sure needed column; 0 if one is missing."""

    kind: str
    columns: dict[str, GuessedColumn]
    confidence: float
    missing: tuple[str, ...]  # groups of fields of which none was found, joined by " / "
    unused: tuple[str, ...]

    def mapping(self, header_row: int = 1) -> dict[str, Any]:
        """As the dict that is saved; places rather than names, because names may occur twice."""
        return {
            "kind": self.kind,
            "columns": {field: column.place for field, column in self.columns.items()},
            "date_formats": [], "money_unit": "major", "defaults": {}, "status_words": {}, "header_row": header_row,
        }  # fmt: skip


def guess_mapping(header: Sequence[str], rows: Sequence[Sequence[str]] = (), *, kind: str | None = None) -> Guess:
    """The likeliest meaning of each column, by its header (Chinese or English) and by how its cells look.

    Without `kind`, the kind of file that explains most of the header is taken.
    """
    if kind is not None:
        return _guess(kind, header, rows)
    guesses = [_guess(one, header, rows) for one in FIELDS]
    return max(guesses, key=lambda guess: (bool(guess.confidence), _weight(guess)))


def _weight(guess: Guess) -> float:
    told = sum(2.0 for field in _TELLING[guess.kind] if field in guess.columns)
    return told + sum(column.confidence for column in guess.columns.values())


def _guess(kind: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Guess:
    candidates: list[tuple[float, int, int, str]] = []
    for place, cell in enumerate(header):
        name = normal(cell)
        if not name or name in REJECT_NAMES:
            continue
        cells = [text for row in rows[:50] if place < len(row) and (text := plain(row[place]))]
        for rank, field in enumerate(FIELDS[kind]):
            score = _by_name(name, field) * _by_look(field, cells)
            if score >= 0.4:
                candidates.append((-score, rank, place, field.key))
    columns: dict[str, GuessedColumn] = {}
    taken: set[int] = set()
    for score, _, place, key in sorted(candidates):
        if key not in columns and place not in taken:
            columns[key] = GuessedColumn(place, header[place].strip(), round(-score, 2))
            taken.add(place)
    missing = []
    sure = 1.0
    for group in _NEEDED[kind]:
        best = max((columns[field].confidence for field in group if field in columns), default=0.0)
        sure = min(sure, best)
        if not best:
            missing.append(" / ".join(group))
    unused = tuple(
        cell.strip()
        for place, cell in enumerate(header)
        if cell.strip() and place not in taken and normal(cell) not in REJECT_NAMES
    )
    return Guess(kind, columns, round(sure, 2), tuple(missing), unused)


def _by_name(name: str, field: Field) -> float:
    if name in field.synonyms:
        return 0.97 - 0.002 * field.synonyms.index(name)  # the first synonyms are the plainest
    bare = re.sub(r"\(.*?\)", "", name)
    if bare and bare in field.synonyms:
        return 0.92
    best = 0.0
    for word in field.synonyms:
        if len(word) >= 2 and (word.isascii() and len(word) < 4) is False and word in name:
            best = max(best, 0.45 + 0.35 * len(word) / len(name))
    return best


def _by_look(field: Field, cells: Sequence[str]) -> float:
    shape = _SHAPES.get(field.shape)
    if shape is None or not cells:
        return 1.0
    share = sum(1 for cell in cells if shape.match(cell)) / len(cells)
    return 1.0 if share > 0.8 else 0.75 if share > 0.4 else 0.4


def checked(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    """The mapping itself if it can be used. Raises BadMapping naming what is wrong."""
    kind = mapping.get("kind", "orders")
    if kind not in FIELDS:
        raise BadMapping("mapping_kind", kind=str(kind), known=", ".join(FIELDS))
    columns = mapping.get("columns")
    if not isinstance(columns, Mapping) or not columns:
        raise BadMapping("mapping_empty")
    fields = {field.key for field in FIELDS[kind]}
    strange = [str(key) for key in columns if key not in fields]
    if strange:
        raise BadMapping("mapping_field", field=", ".join(strange), known=", ".join(sorted(fields)))
    for group in _NEEDED[kind]:
        if not any(field in columns for field in group):
            raise BadMapping("mapping_lacks", field=" / ".join(group))
    identity = mapping.get("identity")
    if identity not in (None, "row"):
        named = [identity] if isinstance(identity, str) else list(identity)
        if not named or any(field not in columns for field in named):
            raise BadMapping("mapping_identity", field=", ".join(map(str, named)) or "–")
    if mapping.get("money_unit", "major") not in ("major", "minor", "yuan", "fen"):
        raise BadMapping("mapping_unit", unit=str(mapping.get("money_unit")))
    return mapping


class BadMapping(ValueError):
    """The mapping itself is wrong. `code` names a sentence in problems.py."""

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code)
        self.code, self.params = code, params
