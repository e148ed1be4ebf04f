"""How a shop puts its points into its books: by which method, with which expectation, on which accounts."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

METHODS = ("deferral", "provision", "none")
Role = Literal["revenue", "contract_liability", "expense", "provision", "redeemed"]
ROLES = get_args(Role)
CHARTS = ("cas", "small", "ifrs")
Code = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z .:_-]{0,29}$")]


class Account(BaseModel):
    """An account of the shop's own books."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    code: Code
    name: Annotated[str, Field(max_length=60)] = ""


class BadPolicy(ValueError):
    """The settings cannot be used; `field` says where."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(f"{field}: {text}" if field else text)
        self.field = field


def _chart(**codes: tuple[str, str]) -> dict[str, Account]:
    return {role: Account(code=code, name=name) for role, (code, name) in codes.items()}


# cas: 企业会计准则; small: 小企业会计准则 (财会〔2011〕17号), which knows neither 合同负债 nor 预计负债; ifrs prescribes no codes.
DEFAULTS: dict[str, dict[str, Account]] = {
    "cas": _chart(
        revenue=("6001", "主营业务收入"),
        contract_liability=("2205", "合同负债"),
        expense=("6601", "销售费用"),
        provision=("2801", "预计负债"),
        redeemed=("6001", "主营业务收入"),
    ),
    "small": _chart(
        revenue=("5001", "主营业务收入"),
        contract_liability=("2203", "预收账款"),
        expense=("5601", "销售费用"),
        provision=("2241", "其他应付款"),
        redeemed=("5001", "主营业务收入"),
    ),
    "ifrs": _chart(
        revenue=("4000", "Revenue"),
        contract_liability=("2400", "Contract liabilities"),
        expense=("6300", "Selling expenses"),
        provision=("2500", "Provisions"),
        redeemed=("4000", "Revenue"),
    ),
}


class Policy(BaseModel):
    """Defaults are those of 企业会计准则; `of` makes them from what was kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    method: Literal["deferral", "provision", "none"] = "deferral"
    # None: estimated from the shop's own past, and no breakage at all while that is too thin.
    expected_percent: Annotated[Decimal, Field(ge=0, le=100, max_digits=6, decimal_places=3)] | None = None
    tax_permille: Annotated[int, Field(ge=0, le=500)] = 0  # value-added tax within the shop's prices
    chart: Literal["cas", "small", "ifrs"] = "cas"
    accounts: dict[Role, Account] = {}
    per: Literal["month", "day"] = "month"
    prefix: Annotated[str, Field(pattern=r"^[0-9A-Za-z一-鿿-]{0,8}$")] = "P"

    def account(self, role: str) -> Account:
        return dict(self.accounts).get(role) or DEFAULTS[self.chart][role]  # type: ignore[call-overload]

    @property
    def expected_millionths(self) -> int | None:
        return None if self.expected_percent is None else int(self.expected_percent * 10_000)


def of(plain: dict[str, Any]) -> Policy:
    """Settings from plain values. Raises BadPolicy, which says in which field."""
    try:
        return Policy.model_validate(plain)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadPolicy(".".join(str(part) for part in first["loc"]), first["msg"]) from error


def default_for(currency: str) -> Policy:
    return Policy(chart="cas" if currency == "CNY" else "ifrs")
