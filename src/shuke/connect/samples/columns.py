"""The header rows of sellers' exports, exactly as the platforms write them, spaces at the end included.

Kept apart from the importers on purpose: samples and readers state the layouts independently, so a slip in one shows.
"""

from __future__ import annotations

G0 = tuple(
    "订单编号 买家会员名 买家支付宝账号 买家应付货款 买家应付邮费 买家支付积分 总金额 返点积分 买家实际支付金额 买家实际支付积分 "
    "订单状态 买家留言 收货人姓名 收货地址 运送方式 联系电话 联系手机 订单创建时间 订单付款时间 宝贝标题 宝贝种类 物流单号 "
    "物流公司 订单备注 宝贝总数量 店铺Id 店铺名称 订单关闭原因".split()
)

# From 2016 on six headers carry a space at their end.
SPACED = ("收货地址", "联系电话", "订单付款时间", "宝贝标题", "宝贝种类", "物流单号")


def _spaced(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name + " " if name in SPACED else name for name in names)


_G1 = (
    *G0,
    *"卖家服务费 买家服务费 发票抬头 是否手机订单 分阶段订单信息 特权订金订单id 定金排名 修改后的sku 修改后的收货地址 异常信息 "
    "天猫卡券抵扣 集分宝抵扣 是否是O2O交易".split(),
)
_G2_TAIL = tuple(
    "新零售交易类型 新零售导购门店名称 新零售导购门店id 新零售发货门店名称 新零售发货门店id 退款金额 预约门店 确认收货时间 "
    "打款商家金额 含应开票给个人的个人红包".split()
)


def _after(names: tuple[str, ...], anchor: str, *more: str) -> tuple[str, ...]:
    place = names.index(anchor) + 1
    return (*names[:place], *more, *names[place:])


_G2 = (*_after(_G1, "特权订金订单id", "是否上传合同照片", "是否上传小票", "是否代付"), *_G2_TAIL)
_G3 = (
    *_after(_G2, "买家支付宝账号", "支付单号", "支付详情"),
    *"是否信用购 体验期结束时间 前N有礼 配送类型 主订单编号".split(),
)
_G4 = (
    *tuple(
        "订单编号 买家会员名 买家会员昵称 支付单号 支付详情 买家应付货款 买家应付邮费 买家支付积分 总金额 返点积分 买家实际支付金额 "
        "买家实际支付积分 订单状态 买家留言 收货人姓名 收货地址 运送方式 联系电话 联系手机 虚拟号过期时间 订单创建时间 订单付款时间 "
        "宝贝标题 宝贝种类 物流单号 物流公司 订单备注 宝贝总数量 店铺Id 店铺名称 订单关闭原因 卖家服务费 买家服务费 发票抬头 "
        "是否手机订单 分阶段订单信息 特权订金订单id 是否上传合同照片 是否上传小票 是否代付 定金排名 修改后的sku 修改后的收货地址 "
        "异常信息 天猫卡券抵扣 集分宝抵扣 是否是O2O交易".split()
    ),
    *_G2_TAIL,
    *"延迟发货自动赔付金额 预售订单 发货时间 商家备忘 主订单编号".split(),
)

G1, G2, G3, G4 = _spaced(_G1), _spaced(_G2), _spaced(_G3), _spaced(_G4)
G2_PAYMENT = _spaced(_after(_G2, "买家支付宝账号", "支付单号", "支付详情"))
G3_EXTRA = _spaced(
    (
        *_G3,
        *"满返红包金额 直播返现状态 返现金额 新零售成交门店昵称 新零售成交门店id 新零售成交经销商id 是否村淘订单".split(),
    )
)
TAOBAO_ORDERS = {"g0": G0, "g1": G1, "g2": G2, "g2-payment": G2_PAYMENT, "g3": G3, "g3-extra": G3_EXTRA, "g4": G4}

ITEMS_OLD = tuple("订单编号 标题 价格 购买数量 外部系统编号 商品属性 套餐信息 备注 订单状态 商家编码".split())
ITEMS_2022 = tuple(
    "子订单编号 主订单编号 标题 价格 购买数量 外部系统编号 商品属性 套餐信息 备注 订单状态 商家编码 支付单号 买家应付货款 "
    "买家实际支付金额 退款状态 退款金额 订单创建时间 订单付款时间".split()
)
ITEMS_NEW = tuple(
    "子订单编号 主订单编号 商品标题 商品价格 购买数量 外部系统编号 商品属性 套餐信息 商家备注 订单状态 商家编码 支付单号 "
    "买家应付货款 买家实付金额 退款状态 退款金额 订单创建时间 订单付款时间 商品ID".split()
)
TAOBAO_ITEMS = {"items-old": ITEMS_OLD, "items-2022": ITEMS_2022, "items-new": ITEMS_NEW}

TAOBAO_REFUNDS = tuple(
    "订单编号 退款编号 支付宝交易号 订单付款时间 商家编码 退款完结时间 买家会员名称 买家实际支付金额 宝贝标题 买家退款金额 "
    "手工退款/系统退款 是否需要退货 退款的申请时间 超时时间 退款状态 货物状态".split()
)
TAOBAO_SIMPLE = tuple(
    "订单编号 买家会员名 买家下单时间 买家付款时间 买家实付金额 订单状态 收货人姓名 联系手机 收货地址 宝贝标题 宝贝规格 运单号".split()
)

PINDUODUO = tuple(
    "商品 订单号 订单状态 商品总价(元) 邮费(元) 店铺优惠折扣(元) 平台优惠折扣(元) 多多支付立减金额(元) 用户实付金额(元) "
    "商家实收金额(元) 商品数量(件) 发货时间 确认收货时间 商品id 商品规格 样式ID 商家编码-规格维度 商家编码-商品维度 商家备注 "
    "售后状态 快递单号 快递公司 订单成交时间 是否分期 分期期数 手续费承担方 分期方式".split()
)
DOUYIN = tuple(
    "主订单编号 子订单编号 选购商品 商品规格 商品数量 商品ID 商家编码 商品单价 订单应付金额 运费 优惠总金额 平台优惠 商家优惠 "
    "达人优惠 商家改价 支付优惠 红包抵扣 支付方式 手续费 收件人 收件人手机号 省 市 区 街道 详细地址 是否修改过地址 买家留言 "
    "订单提交时间 旗帜颜色 商家备注 订单完成时间 支付完成时间 APP渠道 流量来源 订单状态 承诺发货时间 订单类型 鲁班落地页ID "
    "达人ID 达人昵称 所属门店ID 售后状态 取消原因 预约发货时间 仓库ID 仓库名称 是否安心购 广告渠道 流量类型 流量体裁 流量渠道 "
    "发货主体 发货主体明细 发货时间 降价类优惠 平台实际承担优惠金额 商家实际承担优惠金额 达人实际承担优惠金额 预计送达时间".split()
)
JD = tuple(
    "订单号 商品ID 商品名称 货号 订购数量 下单时间 京东价 订单金额 结算金额 余额支付 应付金额 运费金额 服务费 订单状态 订单类型 "
    "下单帐号 客户姓名 客户地址 联系电话 订单备注 商家备注 商家备注等级（等级1-5为由高到低） 发票类型 发票抬头 发票内容 "
    "增值税发票 付款确认时间 订单完成时间 订单来源 订单渠道 送装服务 仓库id 仓库名称".split()
)
YOUZAN_ORDERS = tuple(
    "订单号 销售渠道 归属店铺 订单类型 订单状态 推广方式 订单来源 订单创建时间 买家付款时间 交易成功时间 付款方式 支付流水号 "
    "商品金额合计 运费 店铺优惠合计 应收订单金额 订单实付金额 支付优惠合计 订单实收金额 订单抵用积分数 全部商品名称 商品种类数 "
    "订单配送方式 收货人省份 收货人城市 收货人地区 详细收货地址/提货地址 收货人/提货人 收货人手机号/提货人手机号 买家备注 "
    "订单星级 买家昵称 买家是否会员 买家手机号 下单网点 收银员 分销员 分销员 销售导购 专属导购 订单退款状态 订单已退款金额 "
    "商家订单备注".split()
)
YOUZAN_CUSTOMERS = tuple(
    "客户姓名 客户昵称 客户手机号 客户生日 客户性别 标签 是否会员 成长值 免费等级 付费等级 权益卡 客户积分 客户储值余额 消费次数 "
    "消费金额 累计退款金额 累计退款订单数 笔单价 上次消费时间 分销员 导购员 企微好友 来源渠道 来源方式 成为客户时间 成为会员时间 "
    "成为会员店铺 公众号 公众号关注时间 最近浏览时间 微信地域 所属区域".split()
)
ALIBABA_1688 = tuple(
    "订单编号 买家公司名 买家会员名 卖家公司名 卖家会员名 货品总价(元) 运费(元) 涨价或折扣(元) 实付款(元) 订单状态 订单创建时间 "
    "订单付款时间 发货方 收货人姓名 收货地址 联系手机 货品标题 单价(元) 数量 单位".split()
)
SHOPIFY_ORDERS = (
    *"Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,"
    "Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,"
    "Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,"
    "Lineitem fulfillment status".split(","),
    *(
        f"{side} {part}"
        for side in ("Billing", "Shipping")
        for part in ("Name", "Street", "Address1", "Address2", "Company", "City", "Zip", "Province", "Country", "Phone")
    ),
    *"Notes,Note Attributes,Cancelled at,Payment Method,Payment Reference,Refunded Amount,Vendor,Outstanding Balance,"
    "Employee,Location,Device ID,Id,Tags,Risk Level,Source,Lineitem discount,Tax 1 Name,Tax 1 Value,Tax 2 Name,"
    "Tax 2 Value,Tax 3 Name,Tax 3 Value,Tax 4 Name,Tax 4 Value,Tax 5 Name,Tax 5 Value,Phone,Receipt Number,Duties,"
    "Billing Province Name,Shipping Province Name,Payment ID,Payment Terms Name,Next Payment Due At,"
    "Payment References".split(","),
)
SHOPIFY_CUSTOMERS = tuple(
    "First Name,Last Name,Email,Accepts Email Marketing,Company,Address1,Address2,City,Province,Province Code,Country,"
    "Country Code,Zip,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Tags,Note,Tax Exempt".split(",")
)
WOOCOMMERCE = tuple(
    "order_id,order_number,date,status,shipping_total,shipping_tax_total,fee_total,tax_total,discount_total,order_total,"
    "refunded_total,order_currency,payment_method,shipping_method,customer_user,billing_first_name,billing_last_name,"
    "billing_company,billing_email,billing_phone,billing_address_1,billing_address_2,billing_postcode,billing_city,"
    "billing_state,billing_country,shipping_first_name,shipping_last_name,shipping_address_1,shipping_address_2,"
    "shipping_postcode,shipping_city,shipping_state,shipping_country,customer_note,paid_date,completed_date,"
    "order_item_1,order_item_2,order_item_3".split(",")
)
PLAIN_MEMBERS = tuple(
    "会员卡号 姓名 手机号 性别 生日 淘宝会员名 皮肤类型 护肤需求 宝宝小名 宝宝生日 宝宝性别 宝宝尺码 职业 收入档 微信号 "
    "登记日期 来源 积分余额 同意短信 备注".split()
)
PLAIN_ORDERS = tuple(
    "单号 下单时间 付款时间 手机号 姓名 会员卡号 实付金额 优惠金额 商品 数量 单价 商品编码 门店 导购 备注".split()
)
