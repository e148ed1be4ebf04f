"""Columns of files: what DuckDB hands over is what stands in them, and nothing is guessed."""

import numpy as np
import pytest

from shuke.engine.insight import files


def test_what_is_written_is_read_again(tmp_path):
    columns = {"customer": np.array(["a'b", "c"]), "x": np.array([1.0, 2.0]), "mean": np.array([np.nan, 2.5])}
    for name in ("one.csv", "it's.parquet"):
        path = tmp_path / name
        files.write(path, columns)
        with files.Table(path) as table:
            assert table.columns == ["customer", "x", "mean"]
            assert table.texts("customer").tolist() == ["a'b", "c"]
            x, mean = table.numbers("x", "mean", missing=("mean",))
            with pytest.raises(files.BadFile, match="row 1, column mean"):
                table.numbers("mean")
        assert x.tolist() == [1.0, 2.0]
        assert np.isnan(mean[0])
        assert not list(tmp_path.glob("*.part"))


def test_customers_may_be_numbers_or_text_and_guests_are_counted_apart(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text("who,at,much\n007,2026-01-01,5\n,2026-01-02,9.5\n7,2026-01-03,1\n 007 ,2026-01-04,2\n")
    with files.Table(path) as table:
        told = table.orders("who", "at", "much")
    assert told.names.tolist() == ["007", "7"]  # a card number is no number
    assert told.names[told.customer].tolist().count("007") == 2
    assert (told.guests, told.guest_amount) == (1, 9.5)
    assert sorted(told.day.tolist()) == [20_454, 20_456, 20_457]


def test_a_file_that_is_none_is_refused(tmp_path):
    path = tmp_path / "not.parquet"
    path.write_text("hello")
    with pytest.raises(files.BadFile) as refused:
        files.Table(path)
    assert refused.value.code == "unreadable"
