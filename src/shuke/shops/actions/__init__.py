"""Everything that writes the seller's own tables: merchants, stores, the people of the shop, tokens."""

from shuke.shops.actions.factors import (
    begin_factor,
    coming_factor,
    confirm_factor,
    drop_own_factor,
    fits,
    new_recovery_codes,
)
from shuke.shops.actions.passwords import WeakPassword, new_password, set_own_password, set_password
from shuke.shops.actions.people import (
    add_staff,
    ask_for_factor,
    change_staff,
    close_staff,
    create_staff,
    reopen_staff,
    reset_password,
    stand_at,
    stores_named,
    take_factor,
)
from shuke.shops.actions.places import UnknownZone, create_merchant, create_store, ensure_stores, set_clock_shift
from shuke.shops.actions.refusals import StaffRefused, UsernameTaken
from shuke.shops.actions.sessions import arrived, end_other_sessions, end_session, seen
from shuke.shops.actions.tokens import make_token, revoke_token

__all__ = [
    "StaffRefused",
    "UnknownZone",
    "UsernameTaken",
    "WeakPassword",
    "add_staff",
    "arrived",
    "ask_for_factor",
    "begin_factor",
    "change_staff",
    "close_staff",
    "coming_factor",
    "confirm_factor",
    "create_merchant",
    "create_staff",
    "create_store",
    "drop_own_factor",
    "end_other_sessions",
    "end_session",
    "ensure_stores",
    "fits",
    "make_token",
    "new_password",
    "new_recovery_codes",
    "reopen_staff",
    "reset_password",
    "revoke_token",
    "seen",
    "set_clock_shift",
    "set_own_password",
    "set_password",
    "stand_at",
    "stores_named",
    "take_factor",
]
