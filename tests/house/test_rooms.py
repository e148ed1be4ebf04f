"""The rules of the rooms that import-linter cannot see."""

from __future__ import annotations

import ast
import re

from django.apps import apps
from django.db import models

from tests.house.source import ROOMS, calls, modules, strings

# Rows that belong to no merchant, or whose uniqueness is wider than one on purpose.
NOT_BY_MERCHANT = {
    "kit_job_ready": "workers serve all merchants from one queue",
    "kit_job_running": "workers serve all merchants from one queue",
    "shops_staff.username": "the sign-in page asks for no merchant",
    "kit_job.key": "the key's text names the merchant",
}


def room_of(model) -> str:
    return model.__module__.split(".")[1]


def our_models():
    return [model for model in apps.get_models() if model.__module__.startswith("shuke.")]


def test_foreign_keys_point_down():
    upward = [
        f"{model.__name__}.{field.name} → {field.related_model.__name__}"
        for model in our_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey)
        and field.related_model.__module__.startswith("shuke.")
        and ROOMS.index(room_of(field.related_model)) > ROOMS.index(room_of(model))
    ]
    assert upward == []


def test_every_table_name_is_pinned_and_names_its_room():
    loose = [m.__name__ for m in our_models() if not m._meta.db_table.startswith(f"{room_of(m)}_")]
    assert loose == []


def test_the_merchant_comes_first_in_every_unique_constraint_and_index():
    wrong = []
    for model in our_models():
        meta = model._meta
        if meta.db_table == "shops_merchant":
            continue
        for kept in [c for c in meta.constraints if isinstance(c, models.UniqueConstraint)] + list(meta.indexes):
            first = (list(kept.fields) or [""])[0].lstrip("-").removesuffix("_id")
            if first != "merchant" and kept.name not in NOT_BY_MERCHANT:
                wrong.append(kept.name)
        for field in meta.local_fields:
            alone = field.db_index and not field.unique and field.name != "merchant"
            if (field.unique and not field.primary_key) or alone:
                name = f"{meta.db_table}.{field.name}"
                if name not in NOT_BY_MERCHANT:
                    wrong.append(name)
    assert wrong == []


# The installation's own: its merchants, and its master keys.
OF_NOBODY = {"shops_merchant", "kit_index_keys", "kit_retired_key"}


def test_every_row_names_its_merchant():
    without = [
        m.__name__
        for m in our_models()
        if m._meta.db_table not in OF_NOBODY and "merchant_id" not in {f.attname for f in m._meta.local_fields}
    ]
    assert without == []


# ---- only actions write --------------------------------------------------------------------------------------------
# The tools that own a table, or are the way to write one.
TOOLS = {"kit/jobs.py", "kit/audit.py", "kit/bulk.py"}
SCRATCH = {"orders/foresight.py"}  # writes to a scratch file of its own, never to the shop's database
SQL_WRITE = re.compile(
    r"^\s*(INSERT\s+INTO|INSERT\s+OR|REPLACE\s+INTO|DELETE\s+FROM|UPDATE\s+\w+\s+(SET|AS)\b|TRUNCATE)", re.I
)
MANAGER_WRITES = {
    "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "update", "delete",
    "acreate", "abulk_create", "aupdate", "adelete",
}  # fmt: skip


def writes(tree: ast.Module) -> list[str]:
    """Lines that change the database: managers and querysets, save() of a model, the bulk tool, SQL text."""
    found = []
    for node, name in calls(tree):
        if not isinstance(node.func, ast.Attribute):
            continue
        receiver = ast.unparse(node.func.value)
        by_manager = name in MANAGER_WRITES and ".objects" in receiver
        by_queryset = name in {"update", "aupdate"} and node.keywords and not node.args and "super()" not in receiver
        by_model = name == "save" and any(
            k.arg in ("update_fields", "force_insert", "force_update") for k in node.keywords
        )
        by_tool = receiver == "bulk" and name in {"insert", "insert_new", "update", "execute"}
        if by_manager or by_queryset or by_model or by_tool:
            found.append(f"{node.lineno}: {receiver[-40:]}.{name}")
    found += [f"{text.lineno}: SQL" for text in strings(tree) if SQL_WRITE.match(text.value)]
    return found


def test_only_actions_write():
    wrong = [
        f"{path}:{line}"
        for path, tree in modules()
        if path.as_posix() not in TOOLS | SCRATCH and "actions" not in path.parts and path.name != "actions.py"
        for line in writes(tree)
    ]
    assert wrong == []


def test_the_search_for_writes_finds_them():
    source = """
Member.objects.filter(pk=1).update(name="x")
same.update(state="done")
staff.save(update_fields=["password"])
bulk.insert("orders_order", columns, rows)
cursor.execute("DELETE FROM orders_order")
counts.update({"a": 1})
digest.update(b"x")
form.save()
"""
    assert [line.partition(":")[0] for line in writes(ast.parse(source))] == ["2", "3", "4", "5", "6"]


def test_models_decide_nothing():
    """No save() with side effects, no signals: what happens is said in actions and flows."""
    wrong = []
    for path, tree in modules():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.FunctionDef)
                and path.name == "models.py"
                and node.name in ("save", "delete", "clean")
            ):
                wrong.append(f"{path}:{node.lineno} {node.name}")
            if isinstance(node, ast.ImportFrom) and node.module in ("django.dispatch", "django.db.models.signals"):
                wrong.append(f"{path}:{node.lineno} signals")
    assert wrong == []


def test_only_connect_opens_a_connection_to_other_people():
    wrong = [
        f"{path}:{node.lineno}"
        for path, tree in modules()
        if path.parts[0] != "connect"
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and node.module in ("urllib.request", "http.client"))
        or (isinstance(node, ast.Import) and any(a.name in ("urllib.request", "http.client") for a in node.names))
    ]
    assert wrong == []


def test_the_wall_clock_is_read_in_one_place():
    """A hidden clock makes imports, replays and tests lie: `now` is passed in, and only doors and workers ask for it."""
    wrong = []
    for path, tree in modules():
        if path.as_posix() == "kit/clock.py" or path.parts[0] == "doors":
            continue
        for node, name in calls(tree):
            read = ast.unparse(node.func)
            if (
                read in ("datetime.now", "datetime.utcnow", "date.today", "datetime.today", "timezone.now", "time.time")
                and name
            ):
                wrong.append(f"{path}:{node.lineno} {read}")
    assert wrong == []


def test_rooms_that_were_forbidden_stay_unbuilt():
    names = {"utils", "helpers", "managers", "services", "common", "misc"}
    assert [str(path) for path, _ in modules() if names & {*path.parts, path.stem}] == []
