"""The import wizard through the browser's door: every step, every refusal, and what must never happen."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from shuke.connect.samples import layouts
from shuke.doors.console import uploads
from shuke.flows import import_jobs, timetable
from shuke.kit import clock, jobs
from shuke.kit.models import Job
from shuke.members.models import Member
from shuke.orders.models import ColumnMapping, ImportBatch, Order

TILL = "单号,日期,手机,实收,品名\n" + "".join(
    f"T{i},2026-02-{i:02d} 10:00:00,190123400{i:02d},{i}0.50,面霜\n" for i in range(1, 11)
)
STRANGE = "eins,zwei,drei,vier\n" + "".join(
    f"Q{i},2026-02-{i:02d} 10:00:00,190123400{i:02d},{i}0.50\n" for i in range(1, 6)
)


@pytest.fixture
def owner(client, lan):
    client.force_login(lan.owner)
    client.cookies["django_language"] = "en"
    return client


def upload(client, *files, **more):
    """POST some (name, text or bytes) files; the answer."""
    sent = [SimpleUploadedFile(n, t.encode() if isinstance(t, str) else t) for n, t in files]
    return client.post(reverse("console:imports"), {"files": sent, **more})


def work(*outcomes):
    """Do what is due, as the worker would."""
    timetable.install()
    ended = []
    while running := jobs.claim(worker="test", now=clock.utc_now()):
        ended.append(jobs.run(running))
    assert ended == list(outcomes), list(Job.objects.values_list("name", "state", "error"))


def preview(client, batch):
    return client.get(
        reverse("console:import-preview", args=[batch.pk]), headers={"HX-Request": "true"}
    ).content.decode()


@pytest.mark.parametrize("role", ["assistant", "auditor"])
def test_who_may_not_import_sees_none_of_its_pages(client, lan, role):
    client.force_login(getattr(lan, role))
    assert client.get(reverse("console:imports")).status_code == 403
    assert upload(client, ("till.csv", TILL)).status_code == 403
    assert not ImportBatch.objects.exists()


def test_every_page_of_an_import_is_404_for_another_merchant(owner, client, lan, mingde):
    upload(owner, ("till.csv", TILL))
    batch = ImportBatch.objects.get()
    client.force_login(mingde.owner)
    for name in ("import", "import-preview", "import-state", "import-rejects"):
        assert client.get(reverse(f"console:{name}", args=[batch.pk])).status_code == 404
    for name in ("import-run", "import-undo"):
        assert client.post(reverse(f"console:{name}", args=[batch.pk])).status_code == 404
    assert client.post(reverse("console:import-mapping", args=[batch.pk, 0])).status_code == 404
    assert "till.csv" not in client.get(reverse("console:imports")).content.decode()


def test_from_upload_to_undo(owner, lan):
    answer = upload(
        owner, ("till.csv", TILL), ("bad.csv", TILL.replace("2026-02-03 10:00:00", "sometime").replace("T", "U"))
    )
    batch = ImportBatch.objects.get()
    assert answer["Location"] == reverse("console:import", args=[batch.pk])
    page = owner.get(answer["Location"]).content.decode()
    assert "Plain table of orders" in page
    seen = preview(owner, batch)
    assert "What would happen" in seen
    assert "<dt>New orders</dt><dd>19</dd>" in seen
    assert "<dt>Rows kept out</dt><dd>1</dd>" in seen
    assert "bad.csv, row 4" in seen
    assert not Order.objects.exists()
    assert not Member.objects.exists()

    owner.post(reverse("console:import-run", args=[batch.pk]))
    owner.post(reverse("console:import-run", args=[batch.pk]))  # pressed twice
    waiting = owner.get(
        reverse("console:import-state", args=[batch.pk]), headers={"HX-Request": "true"}
    ).content.decode()
    assert "every 1s" in waiting
    work("done")
    done = owner.get(reverse("console:import", args=[batch.pk])).content.decode()
    assert "every 1s" not in done
    assert Order.objects.count() == 19
    assert "Rows kept out, with reasons" in done
    file = b"".join(owner.get(reverse("console:import-rejects", args=[batch.pk])).streaming_content).decode("utf-8-sig")
    assert "sometime" in file

    back = owner.post(reverse("console:import-undo", args=[batch.pk]), follow=True).content.decode()
    assert "Undone: 19 orders removed" in back
    assert not Order.objects.exists()
    assert set(Member.objects.values_list("state", flat=True)) == {"undone"}
    again = owner.post(reverse("console:import-undo", args=[batch.pk]), follow=True).content.decode()
    assert "This import was undone already." in again


def test_the_same_file_again_says_that_nothing_would_change(owner, lan):
    for _ in range(2):
        upload(owner, ("till.csv", TILL))
        batch = ImportBatch.objects.latest("started_at", "id")
        seen = preview(owner, batch)
        owner.post(reverse("console:import-run", args=[batch.pk]))
        work("done")
    assert "importing them would change nothing" in seen
    assert Order.objects.count() == 10


def test_an_undo_is_refused_with_a_reason_while_a_later_import_depends_on_it(owner, lan):
    upload(owner, ("a.csv", TILL))
    first = ImportBatch.objects.get()
    owner.post(reverse("console:import-run", args=[first.pk]))
    work("done")
    upload(owner, ("b.csv", TILL.replace("20.50", "25.50")))
    second = ImportBatch.objects.exclude(pk=first.pk).get()
    owner.post(reverse("console:import-run", args=[second.pk]))
    work("done")
    page = owner.post(reverse("console:import-undo", args=[first.pk]), follow=True).content.decode()
    assert "changed after it, so it cannot simply be taken back" in page
    assert str(second.pk) in page
    assert Order.objects.count() == 10


def test_strange_columns_are_asked_for_once_and_remembered(owner, lan):
    upload(owner, ("fremd.csv", STRANGE))
    batch = ImportBatch.objects.get()
    address = reverse("console:import", args=[batch.pk])
    page = owner.get(address).content.decode()
    assert "This is no export of a platform we know" in page
    assert "import-preview" not in page
    assert "c-preview" not in page
    answer = {"kind": "orders", "kind_was": "orders", "unit": "major", "name": "our old till", "column-0": "number"}
    lacking = owner.post(reverse("console:import-mapping", args=[batch.pk, 0]), answer)
    assert lacking.status_code == 422
    assert "Say which column holds:" in lacking.content.decode()
    answer |= {"column-1": "created_at", "column-2": "phone", "column-3": "paid"}
    assert owner.post(reverse("console:import-mapping", args=[batch.pk, 0]), answer)["Location"] == address
    assert "<dt>New orders</dt><dd>5</dd>" in preview(owner, batch)
    assert ColumnMapping.objects.get().name == "our old till"
    upload(owner, ("fremd2.csv", STRANGE))
    second = ImportBatch.objects.exclude(pk=batch.pk).get()
    page = owner.get(reverse("console:import", args=[second.pk])).content.decode()
    assert "columns as in “our old till”" in page
    assert "<dt>New orders</dt><dd>5</dd>" in preview(owner, second)


def test_a_file_that_is_no_table_is_refused_in_a_sentence(owner, lan):
    page = upload(owner, ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8)).headers["Location"]
    said = owner.get(page).content.decode()
    assert 'role="alert"' in said
    assert "Choose other files" in said
    assert "import-run" not in said


def test_a_large_file_is_checked_by_the_worker(owner, lan, monkeypatch):
    monkeypatch.setattr(import_jobs, "AT_ONCE_ROWS", 5)
    upload(owner, ("till.csv", TILL))
    batch = ImportBatch.objects.get()
    assert "the worker checks it" in preview(owner, batch)
    assert "the worker checks it" in preview(owner, batch)
    assert Job.objects.filter(name=import_jobs.PREVIEW).count() == 1
    work("done")
    assert "<dt>New orders</dt><dd>10</dd>" in preview(owner, batch)
    assert not Order.objects.exists()


def test_a_large_undo_is_done_by_the_worker_and_its_refusal_is_said(owner, lan, monkeypatch):
    upload(owner, ("a.csv", TILL))
    first = ImportBatch.objects.get()
    owner.post(reverse("console:import-run", args=[first.pk]))
    work("done")
    upload(owner, ("b.csv", TILL.replace("20.50", "25.50")))
    second = ImportBatch.objects.exclude(pk=first.pk).get()
    owner.post(reverse("console:import-run", args=[second.pk]))
    work("done")
    monkeypatch.setattr(import_jobs, "AT_ONCE_ORDERS", 0)
    owner.post(reverse("console:import-undo", args=[first.pk]))
    assert "Taking the import back" in owner.get(reverse("console:import", args=[first.pk])).content.decode()
    work("failed")
    assert "changed after it" in owner.get(reverse("console:import", args=[first.pk])).content.decode()
    for batch in (second, first):
        owner.post(reverse("console:import-undo", args=[batch.pk]))
        work("done")
    assert not Order.objects.exists()


def test_uploads_stop_at_the_limit_and_go_nowhere_else(owner, client, lan, monkeypatch):
    uploads_page = "console:imports"
    monkeypatch.setitem(uploads.TAKES_FILES, uploads_page, 100)
    page = owner.post(reverse("console:imports"), {"files": SimpleUploadedFile("a.csv", TILL.encode())}, follow=True)
    assert "Send the files in several parts" in page.content.decode()
    monkeypatch.setitem(uploads.TAKES_FILES, uploads_page, uploads.LIMIT)
    monkeypatch.setattr(uploads, "MOST_FILES", 1)
    page = upload(owner, ("a.csv", TILL), ("b.csv", TILL))
    assert "At most 1 files at once" in owner.get(page["Location"]).content.decode()
    assert not ImportBatch.objects.exists()
    nothing = owner.post(reverse("console:imports"), {})
    assert "Choose at least one file." in owner.get(nothing["Location"]).content.decode()


def test_other_pages_take_no_files_at_all(client, lan):
    request = client.post(
        "/sign-in", {"username": "x", "password": "y", "f": SimpleUploadedFile("a", b"x" * 5000)}
    ).wsgi_request
    assert request.FILES == {}


def test_uploaded_files_are_on_disk_and_never_in_memory(owner, lan, monkeypatch):
    seen = []
    start = import_jobs.imports.start
    monkeypatch.setattr(
        import_jobs.imports, "start", lambda **told: (seen.extend(p for p, _ in told["files"]), start(**told))[1]
    )
    upload(owner, ("till.csv", TILL))
    assert len(seen) == 1
    assert seen[0].name.endswith(".upload.csv")


@pytest.mark.parametrize("key", ["taobao-orders-g4", "youzan-customers"])
def test_a_sample_file_can_be_fetched_and_imported(owner, lan, key):
    answer = owner.get(reverse("console:import-sample", args=[key]))
    assert answer["Content-Disposition"].startswith("attachment;")
    name = next(one.file for one in layouts.CATALOGUE if one.key == key)
    upload(owner, (name, answer.content))
    seen = preview(owner, ImportBatch.objects.get())
    assert "What would happen" in seen
    assert owner.get(reverse("console:import-sample", args=["no-such"])).status_code == 404


def test_the_list_of_imports_costs_the_same_at_one_and_at_three(owner, lan, django_assert_num_queries):
    upload(owner, ("a.csv", TILL))
    owner.get(reverse("console:imports"))
    with django_assert_num_queries(5):  # session, person, merchant, imports, stores
        owner.get(reverse("console:imports"))
    upload(owner, ("b.csv", TILL))
    upload(owner, ("c.csv", TILL))
    with django_assert_num_queries(5):
        owner.get(reverse("console:imports"))


def test_columns_without_an_order_number_ask_what_makes_a_row_the_same_purchase(owner, lan):
    upload(owner, ("fremd.csv", STRANGE))
    batch = ImportBatch.objects.get()
    columns = {"column-1": "created_at", "column-2": "phone", "column-3": "paid"}
    answer = {"kind": "orders", "kind_was": "orders", "unit": "major", "name": "till", "look": "1", **columns}
    asked = owner.post(reverse("console:import-mapping", args=[batch.pk, 0]), answer).content.decode()
    assert "When these agree: zwei, drei." in asked
    del answer["look"]
    owner.post(reverse("console:import-mapping", args=[batch.pk, 0]), {**answer, "identity": "row"})
    assert ColumnMapping.objects.get().mapping["identity"] == "row"
    seen = preview(owner, batch)
    assert "<dt>New orders</dt><dd>5</dd>" in seen
    assert "whole rows are compared" in seen
    numbered = {**answer, "column-0": "number", "identity": "row"}
    owner.post(reverse("console:import-mapping", args=[batch.pk, 0]), numbered)
    assert "identity" not in ColumnMapping.objects.get().mapping


@pytest.mark.parametrize(
    ("content", "english", "chinese"),
    [
        (b"", "is empty", "是空文件"),
        (b"PK\x03\x04half a workbook", "damaged or only half there", "已损坏或不完整"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "is not a table", "不是表格"),
    ],
    ids=["empty", "half", "picture"],
)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_bad_file_is_refused_in_the_language_of_the_page(owner, lan, content, english, chinese, language):
    owner.cookies["django_language"] = language
    answer = owner.get(upload(owner, ("orders.csv", content))["Location"], headers={"Accept-Language": language})
    page = answer.content.decode()
    assert (english if language == "en" else chinese) in page
    assert 'role="alert"' in page
    assert not Order.objects.exists()
