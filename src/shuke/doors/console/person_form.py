"""The form of the member archive: one for somebody new and for changing what is known."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from shuke.doors.console import telling, words
from shuke.doors.console.access import StaffRequest
from shuke.engine.facts import Address, Birthday
from shuke.engine.referral import codes
from shuke.flows.join import Day, Said
from shuke.kit import money
from shuke.loyalty.queries.referral import by_code
from shuke.members import queries as members
from shuke.members.models import Member
from shuke.shops import queries as shops

DAYS, MOST_DAYS = 4, 40  # rows for special days: at least, at most
ASKED = ("sms", "email", "wecom", "phone", "post")
PLATFORMS = ("taobao", "tmall", "jd", "pinduoduo", "douyin", "youzan", "shopify", "woocommerce")


class PersonForm(forms.Form):
    """Fields come from what the shop keeps. `groups` are what the page shows, in its order."""

    def __init__(self, request: StaffRequest, *args: Any, member: Member | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request, self._member = request, member
        told = {**self.initial, **self.data}
        self._rows = min(
            MOST_DAYS, max(DAYS, 2 + max((i for i in range(MOST_DAYS) if told.get(f"day{i}_kind")), default=0))
        )
        self.kinds = [
            k
            for k in members.attribute_kinds(request.merchant)
            if not k.sensitive or shops.may(request.staff, "reveal")
        ]
        add = self.fields.__setitem__
        text = forms.CharField
        add("name", text(label=_("Name"), max_length=100, required=False))
        add("nickname", text(label=_("Nickname"), max_length=100, required=False))
        add(
            "gender",
            forms.ChoiceField(
                label=_("Gender"), required=False, choices=[("", "–"), ("f", _("female")), ("m", _("male"))]
            ),
        )
        add("phone", text(label=_("Phone"), max_length=20, required=False))
        add("phone2", text(label=_("Another phone"), max_length=20, required=False))
        add("email", forms.EmailField(label=_("E-mail"), required=False))
        platforms = [("", "–"), *((p, words.platform(p)) for p in PLATFORMS)]
        add("platform", forms.ChoiceField(label=_("Account on"), required=False, choices=platforms))
        add("account", text(label=_("Account name there"), max_length=100, required=False))
        for key, label in (("province", _("Province")), ("city", _("City"))):
            add(key, text(label=label, max_length=40, required=False))
        add("district", text(label=_("District"), max_length=40, required=False))
        add("street", text(label=_("Street and number"), max_length=200, required=False))
        add(
            "birth_year",
            forms.IntegerField(label=_("Birth year"), required=False, min_value=1900, max_value=request.now.year),
        )
        add("birth_month", forms.IntegerField(label=_("Month"), required=False, min_value=1, max_value=12))
        add("birth_day", forms.IntegerField(label=_("Day"), required=False, min_value=1, max_value=31))
        add("birth_lunar", forms.BooleanField(label=_("By the lunar calendar"), required=False))
        add("occupation", text(label=_("Occupation"), max_length=60, required=False))
        add("income_band", text(label=_("Income band"), max_length=30, required=False))
        add("tags", text(label=_("Tags, with commas between"), max_length=300, required=False))
        add("note", text(label=_("Remark"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})))
        for i in range(self._rows):
            kinds = [
                ("", "–"),
                ("wedding", _("Wedding")),
                ("child", _("Child's birthday")),
                ("other", _("Another day")),
            ]
            add(f"day{i}_kind", forms.ChoiceField(label=_("Special day"), required=False, choices=kinds))
            add(f"day{i}_name", text(label=_("Whose, or what"), max_length=40, required=False))
            add(f"day{i}_year", forms.IntegerField(label=_("Year"), required=False, min_value=1900, max_value=2100))
            add(f"day{i}_month", forms.IntegerField(label=_("Month"), required=False, min_value=1, max_value=12))
            add(f"day{i}_day", forms.IntegerField(label=_("Day"), required=False, min_value=1, max_value=31))
            add(f"day{i}_lunar", forms.BooleanField(label=_("Lunar"), required=False))
        for kind in self.kinds:
            add(f"attribute:{kind.key}", _attribute(kind))
        stores = [("", "–"), *((str(s.pk), s.name) for s in shops.stores(request.merchant))]
        served = member.served_by_id if member else None
        open_or_theirs = [s for s in shops.staff(request.merchant) if s.is_active or s.pk == served]
        staff = [("", "–"), *((str(s.pk), s.name or s.username) for s in open_or_theirs)]
        add("home_store", forms.ChoiceField(label=_("Home store"), required=False, choices=stores))
        add("served_by", forms.ChoiceField(label=_("Served by"), required=False, choices=staff))
        add("referred_by", text(label=_("Brought by (card number or code)"), max_length=20, required=False))
        add("acquired_by", text(label=_("Came by"), max_length=60, required=False))
        add("cost", forms.DecimalField(label=_("What that cost"), required=False, min_value=0, max_digits=12))
        answers = [("", _("not asked")), ("yes", _("yes")), ("no", _("no"))]
        for channel in ASKED:
            for purpose in telling.purposes():
                label = f"{telling.channel(channel)} · {telling.purpose(purpose)}"
                add(f"consent:{channel}:{purpose}", forms.ChoiceField(label=label, required=False, choices=answers))
        add("wording", text(label=_("Which text was agreed to"), max_length=40, required=False))
        add("evidence", text(label=_("Proof: number of the form, recording …"), max_length=500, required=False))
        for field in self.fields.values():
            plain = isinstance(field.widget, forms.CheckboxInput | forms.CheckboxSelectMultiple)
            field.widget.attrs["class"] = "form-check-input" if plain else "form-control"
            if isinstance(field.widget, forms.Select):
                field.widget.attrs["class"] = "form-select"

    @property
    def groups(self) -> list[tuple[str, list[Any]]]:
        """Heading and fields of each block of the page; special days and consents are laid out as tables."""
        told = [
            (_("Name and accounts"), ["name", "nickname", "gender", "platform", "account"]),
            (_("How to reach"), ["phone", "phone2", "email", "province", "city", "district", "street"]),
            (_("Birthday"), ["birth_year", "birth_month", "birth_day", "birth_lunar"]),
            (_("About"), ["occupation", "income_band", "tags", "note", *(f"attribute:{k.key}" for k in self.kinds)]),
            (_("In the shop"), ["home_store", "served_by", "referred_by", "acquired_by", "cost"]),
        ]
        return [(heading, [self[name] for name in names]) for heading, names in told]

    @property
    def days(self) -> list[list[Any]]:
        return [
            [self[f"day{i}_{part}"] for part in ("kind", "name", "year", "month", "day", "lunar")]
            for i in range(self._rows)
        ]

    @property
    def rows_of_days(self) -> dict[str, str]:
        """Special days are kept and changed as one list; so are the parts of the birthday."""
        told = {
            f"day{i}_{part}": "days"
            for i in range(self._rows)
            for part in ("kind", "name", "year", "month", "day", "lunar")
        }
        return told | {f"birth_{part}": "birthday" for part in ("year", "month", "day", "lunar")}

    @property
    def consents(self) -> list[tuple[str, list[Any]]]:
        return [(telling.channel(c), [self[f"consent:{c}:{p}"] for p in telling.purposes()]) for c in ASKED]

    def clean_referred_by(self) -> int | None:
        asked = self.cleaned_data["referred_by"].strip()
        if not asked:
            return None
        code = codes.read(asked)
        if code and (found := by_code(self._request.merchant, code)):
            return found.member_id
        try:
            return members.member_for(self._request.staff, asked).pk
        except members.NoSuchMember:
            raise forms.ValidationError(_("No member has this card or code.")) from None

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        if bool(told.get("birth_month")) != bool(told.get("birth_day")):
            self.add_error("birth_day", _("A birthday needs month and day; the year may stay open."))
        for i in range(self._rows):
            if told.get(f"day{i}_kind") and not (told.get(f"day{i}_month") and told.get(f"day{i}_day")):
                self.add_error(f"day{i}_day", _("A special day needs month and day; the year may stay open."))
        if told.get("account") and not told.get("platform"):
            self.add_error("platform", _("Say on which platform."))
        return told

    def said(self) -> Said:
        """What the form tells; of somebody known, only fields that differ from what was shown count."""
        told = self.cleaned_data
        profile: dict[str, Any] = {
            key: told[key]
            for key in (
                "name",
                "nickname",
                "gender",
                "province",
                "city",
                "occupation",
                "income_band",
                "acquired_by",
                "note",
            )
        }
        month, day = told["birth_month"], told["birth_day"]
        profile["birthday"] = (
            Birthday(told["birth_year"] or 0, month, day, told["birth_lunar"]) if month and day else None
        )
        profile["home_store"] = int(told["home_store"]) if told["home_store"] else None
        profile["served_by"] = int(told["served_by"]) if told["served_by"] else None
        profile["referred_by"] = told["referred_by"]
        cost = told["cost"]
        profile["acquisition_cost_minor"] = (
            None if cost is None else int(cost * 10 ** money.digits(self._request.merchant.currency))
        )
        street = told["street"].strip()
        address = Address(street, told["province"], told["city"], told["district"]) if street else None
        return Said(
            profile=profile,
            phones=[number for number in (told["phone"], told["phone2"]) if number.strip()],
            email=told["email"],
            addresses=[address] if address else [],
            nicknames=[(told["platform"], told["account"])] if told["account"] else [],
            attributes={k.key: told[f"attribute:{k.key}"] or None for k in self.kinds if told[f"attribute:{k.key}"] or self._member},
            tags=[] if self._member else tags_in(told["tags"]),
            days=[
                Day(told[f"day{i}_kind"], told[f"day{i}_name"], told[f"day{i}_year"] or 0, told[f"day{i}_month"],
                    told[f"day{i}_day"], told[f"day{i}_lunar"])
                for i in range(self._rows)
                if told[f"day{i}_kind"]
            ],
            consents=[
                (channel, purpose, told[f"consent:{channel}:{purpose}"] == "yes")
                for channel in ASKED
                for purpose in telling.purposes()
                if told[f"consent:{channel}:{purpose}"]
            ],
            wording=told["wording"],
            evidence=told["evidence"],
        )  # fmt: skip


def tags_in(text: str) -> list[str]:
    return list(dict.fromkeys(t.strip() for t in text.replace("，", ",").replace("、", ",").split(",") if t.strip()))


def known(request: StaffRequest, who: Member) -> dict[str, Any]:
    """What is known of somebody, as the form's first values. Contacts and consents are added to, never shown here."""
    told: dict[str, Any] = {
        key: getattr(who, key)
        for key in ("name", "nickname", "gender", "province", "city", "birth_year", "birth_month", "birth_day", "birth_lunar",
                    "occupation", "income_band", "note", "acquired_by")
    }  # fmt: skip
    told["home_store"], told["served_by"] = str(who.home_store_id or ""), str(who.served_by_id or "")
    told["referred_by"] = who.referred_by.card if who.referred_by else ""
    told["tags"] = ", ".join(who.tags)
    if who.acquisition_cost_minor is not None:
        told["cost"] = Decimal(who.acquisition_cost_minor) / 10 ** money.digits(request.merchant.currency)
    for i, day in enumerate(members.special_days(request.merchant, who.pk)[:MOST_DAYS]):
        told |= {f"day{i}_{part}": getattr(day, part) for part in ("kind", "name", "month", "day", "lunar")}
        told[f"day{i}_year"] = day.year or None
    for key, value in who.attributes.items():
        told[f"attribute:{key}"] = ("yes" if value else "no") if isinstance(value, bool) else value
    return told


def _attribute(kind: Any) -> forms.Field:
    label = kind.label_zh if words.language().startswith("zh") else kind.label_en
    options: Iterable[tuple[str, str]] = [(o, o) for o in kind.options]
    if kind.type == "choice":
        return forms.ChoiceField(label=label, required=False, choices=[("", "–"), *options])
    if kind.type == "choices":
        return forms.MultipleChoiceField(
            label=label, required=False, choices=options, widget=forms.CheckboxSelectMultiple
        )
    if kind.type == "yes_no":
        return forms.ChoiceField(label=label, required=False, choices=[("", "–"), ("yes", _("yes")), ("no", _("no"))])
    if kind.type == "number":
        return forms.DecimalField(label=label, required=False)
    if kind.type == "date":
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        return forms.DateField(label=label, required=False, widget=widget)
    return forms.CharField(label=label, required=False, max_length=500)
