import pytest

from fedlab.datasets.reports import ClientReport, report_speeches


def test_speeches_are_counted_as_they_are_cut():
    report = report_speeches("A", ["d" * 900, "h" * 730])
    # 16 windows of 101 make 2 batches of 8; 14 of the 1630 characters are left.
    assert report == ClientReport("A", 2, 1630, 0, 16, 2, 14)


@pytest.mark.parametrize(("unknown", "left_out"), [("replace", 3), ("drop", 1)])
def test_unknown_characters_count_where_they_are_replaced(unknown, left_out):
    report = report_speeches("A", ["ééabcde"], batch_size=2, sequence_length_chars=1, unknown=unknown)
    assert (report.num_unknown, report.num_batches, report.num_characters_left_out) == (2, 1, left_out)


def test_a_client_without_a_whole_batch_is_too_small():
    assert report_speeches("A", ["d" * 807]).is_too_small
    assert not report_speeches("A", ["d" * 808]).is_too_small
    assert report_speeches("A", []).num_speeches == 0
