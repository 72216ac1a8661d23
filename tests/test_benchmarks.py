import json
import subprocess
import sys

import pytest

import bench
import rounds
import tables
from rows import Row, at_most, describe_value

MACHINE = {
    "processor": "Some processor",
    "instructions": "AVX2",
    "cores": 2,
    "memory_gb": 8,
    "versions": {"Python": "3.13.0"},
}


def row(what, value, unit="x", target=None, reached=None, note=""):
    return dict(what=what, value=value, unit=unit, target=target, reached=reached, note=note)


def result(*rows, title="A round"):
    return {"title": title, "rows": list(rows)}


@pytest.fixture
def pages(tmp_path, monkeypatch):
    """bench.py's folders and pages, elsewhere: `benchmarks/fast.py` and `slow.py` are what measures."""
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "README.md").write_text(f"# Title\n\n{tables.BEGIN}\nold\n{tables.END}\n\nThe rest\n")
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "FOLDER", tmp_path / "benchmarks")
    monkeypatch.setattr(bench, "LATEST", tmp_path / "benchmarks" / "latest")
    monkeypatch.setattr(bench, "MEASURED", tmp_path / "benchmarks" / "measured.json")
    monkeypatch.setattr(bench, "PAGE", tmp_path / "benchmarks.md")
    monkeypatch.setattr(bench, "README", tmp_path / "README.md")
    return tmp_path


def write_benchmark(folder, name, content, status=0):
    text = (
        f'import sys\nwhere = sys.argv[sys.argv.index("--json") + 1]\nopen(where, "w").write({content!r})\n'
    )
    (folder / "benchmarks" / f"{name}.py").write_text(text + f"sys.exit({status})\n")


def run_bench(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["bench.py", *arguments])
    bench.main()


# --- The table --------------------------------------------------------------------------------------


def test_a_row_says_figure_target_and_whether_it_is_reached():
    rows = [row("time against Keras", 0.2345, target=0.3, reached=True), row("memory", 1234.5, "MB")]
    page = tables.make_page(tables.merge({}, {"rounds": result(*rows)}, "2026-01-02", MACHINE))
    assert "| time against Keras | 0.234 x | ≤ 0.300 x | yes |  |" in page
    assert "| memory | 1,234 MB |  |  |  |" in page
    assert "`make bench ARGS=rounds`: 1 of 1 target reached" in page
    assert "**2026-01-02**: Some processor, AVX2, 2 cores, 8 GB of memory; Python 3.13.0" in page


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1e-5, "1.0e-05 s"),
        (0.0, "0.0000 s"),
        (0.00012, "0.0001 s"),
        (0.5, "0.500 s"),
        (4.771, "4.77 s"),
        (21.05, "21.1 s"),
        (3206.2, "3,206 s"),
    ],
)
def test_figures_have_about_three_digits(value, expected):
    assert describe_value(value, "s") == expected


def test_a_target_is_reached_up_to_and_with_itself():
    assert [at_most("", value, "x", 1.0).reached for value in (0.9, 1.0, 1.1, None)] == [
        True,
        True,
        False,
        None,
    ]


def test_what_was_not_measured_this_time_keeps_its_figure_and_its_date():
    before = tables.merge({}, {"rounds": result(row("ours", 1.0), row("peer", 7.0))}, "2026-01-01", MACHINE)
    after = tables.merge(
        before, {"rounds": result(row("ours", 2.0), row("peer", None))}, "2026-02-02", MACHINE
    )
    ours, peer = after["benchmarks"]["rounds"]["rows"]
    assert (ours["value"], ours["run"]) == (2.0, "2026-02-02")
    assert (peer["value"], peer["run"]) == (7.0, "2026-01-01")
    assert "| peer | 7.00 x |  |  |  | 2026-01-01 |" in tables.make_page(after)


def test_what_was_never_measured_says_so():
    measured = tables.merge(
        {}, {"rounds": result(row("peer", None, note="needs --peers"))}, "2026-01-01", MACHINE
    )
    assert "| peer | not measured |  |  | needs --peers |" in tables.make_page(measured)


def test_a_row_that_a_benchmark_no_longer_has_is_gone_with_its_run():
    before = tables.merge({}, {"rounds": result(row("old name", 1.0))}, "2026-01-01", MACHINE)
    after = tables.merge(before, {"rounds": result(row("new name", 1.0))}, "2026-02-02", MACHINE)
    assert "old name" not in tables.make_page(after)
    assert list(after["runs"]) == ["2026-02-02"]


def test_a_benchmark_that_was_not_run_stays():
    before = tables.merge({}, {"rounds": result(row("a", 1.0))}, "2026-01-01", MACHINE)
    after = tables.merge(before, {"other": result(row("b", 2.0))}, "2026-02-02", MACHINE)
    assert after["benchmarks"]["rounds"] == before["benchmarks"]["rounds"]
    assert tables.without(after, ["other"])["benchmarks"].keys() == {"other"}


def test_runs_of_one_day_on_two_machines_are_told_apart():
    slow = MACHINE | {"processor": "Another"}
    before = tables.merge({}, {"a": result(row("a", 1.0))}, "2026-01-01", MACHINE)
    after = tables.merge(before, {"b": result(row("b", 1.0))}, "2026-01-01", slow)
    assert after["runs"] == {"2026-01-01": MACHINE, "2026-01-01 (2)": slow}
    assert after["benchmarks"]["b"]["rows"][0]["run"] == "2026-01-01 (2)"


def test_a_bar_in_a_note_does_not_break_the_table():
    measured = tables.merge({}, {"a": result(row("a|b", 1.0))}, "2026-01-01", MACHINE)
    assert "| a\\|b | 1.00 x |" in tables.make_page(measured)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": []},
        {"title": "A"},
        result({"what": "a", "value": 1.0}),
        result(row("a", "fast")),
        result(row("a", 1.0) | {"colour": "red"}),
    ],
)
def test_a_result_of_another_form_is_refused(wrong):
    with pytest.raises(ValueError, match=r"benchmarks/rounds\.py"):
        tables.check_form("rounds", wrong)


# --- README -----------------------------------------------------------------------------------------


def test_the_pages_are_those_of_the_figures():
    measured = bench.read_measured()
    readme = bench.README.read_text(encoding="utf-8")
    assert tables.with_short(readme, measured) == readme, "make bench ARGS=--from-latest"
    assert bench.PAGE.read_text(encoding="utf-8") == tables.make_page(measured)


def test_readmes_table_has_a_line_for_each_benchmark_with_the_figures_that_have_targets():
    rows = [
        row("seconds", 4.0, "s"),
        row("time", 0.2, target=0.3, reached=True),
        row("memory", 2, target=1, reached=False),
    ]
    short = tables.make_short(tables.merge({}, {"rounds": result(*rows)}, "2026-01-01", MACHINE))
    assert "| A round | time 0.200 x; memory 2.00 x | 1 of 2 targets reached |" in short
    assert "Some processor" in short


def test_a_readme_without_the_marks_is_an_error():
    with pytest.raises(ValueError, match="lacks the lines"):
        tables.with_short("# fedlab\n", {})


# --- make bench -------------------------------------------------------------------------------------


def test_bench_writes_figures_page_and_readme(pages, monkeypatch, capsys):
    write_benchmark(pages, "fast", json.dumps(result(row("time", 0.2, target=0.3, reached=True))))
    run_bench(monkeypatch)
    assert "0.200 x" in bench.PAGE.read_text()
    assert bench.README.read_text().startswith("# Title\n") and "0.200 x" in bench.README.read_text()
    assert bench.README.read_text().endswith("The rest\n")
    assert "A round" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "status"), [(json.dumps(result(row("time", 9.0))), 1), ("not json", 0), ('{"rows": []}', 0)]
)
def test_a_benchmark_that_fails_leaves_the_pages_as_they_were(pages, monkeypatch, content, status):
    write_benchmark(pages, "fast", json.dumps(result(row("time", 0.2))))
    run_bench(monkeypatch)
    before = [path.read_text() for path in (bench.PAGE, bench.README, bench.MEASURED)]
    write_benchmark(pages, "fast", json.dumps(result(row("time", 0.4))))
    write_benchmark(pages, "slow", content, status)
    with pytest.raises(SystemExit, match="slow"):
        run_bench(monkeypatch)
    assert [path.read_text() for path in (bench.PAGE, bench.README, bench.MEASURED)] == before
    run_bench(monkeypatch, "--from-latest")  # What ended well is kept.
    assert "0.400 x" in bench.PAGE.read_text()


def test_an_interrupt_leaves_the_pages_as_they_were(pages, monkeypatch):
    write_benchmark(pages, "fast", json.dumps(result(row("time", 0.2))))

    def interrupt(*unused, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(bench.subprocess, "run", interrupt)
    with pytest.raises(SystemExit, match="as they were"):
        run_bench(monkeypatch)
    assert not bench.PAGE.exists() and "old" in bench.README.read_text()


def test_an_unknown_benchmark_is_named(pages, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run_bench(monkeypatch, "fast")
    assert "there is no benchmark 'fast'" in capsys.readouterr().err


# --- The benchmarks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", bench.find_benchmarks())
def test_each_benchmark_says_how_it_is_used(name):
    command = [sys.executable, str(bench.FOLDER / f"{name}.py"), "--help"]
    help_text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "--json" in help_text
    assert f"python benchmarks/{name}.py" in help_text


def measured_rounds(loss_of_peer):
    contender = {name: rounds.Measured([8.0, 4.0, 5.0], 1000.0, 3.0) for name in (*rounds.OWN, *rounds.PEERS)}
    contender[rounds.OURS] = rounds.Measured([1.0, 1.0, 3.0], 500.0, 3.0)
    contender["FedJAX"] = rounds.Measured([2.0], 100.0, loss_of_peer)
    return contender


def test_rounds_compares_medians_with_the_others_and_the_limit():
    rows = {row.what: row for row in rounds.rows_of(measured_rounds(3.0), 0.25, "products", avx512=True)}
    assert rows["time against TFF's worker"].value == 0.2
    assert rows["time against Keras fit"].value == 0.2
    assert rows["time against FedJAX"].value == 0.5
    assert rows["time against the limit"].value == 4.0
    assert [rows[f"time against {name}"].reached for name in ("TFF's worker", "FedJAX", "the limit")] == [
        True,
        True,
        False,
    ]
    slow = rounds.rows_of(measured_rounds(3.0), 0.25, "products", avx512=False)
    assert next(row for row in slow if row.what == "time against TFF's worker").reached is False


def test_rounds_tells_a_peer_that_computes_something_else():
    def verdict(loss):
        rows = rounds.rows_of(measured_rounds(loss), 0.25, "products", avx512=True)
        return next(row.reached for row in rows if row.what.startswith("loss after one round, FedJAX"))

    assert verdict(3.0005) is True
    assert verdict(2.998) is False


def test_rounds_without_peers_leaves_their_figures_open():
    measured = {name: kept for name, kept in measured_rounds(3.0).items() if name in rounds.OWN}
    rows = rounds.rows_of(measured, 0.25, "products", avx512=True)
    open_rows = {row.what for row in rows if row.value is None}
    assert {row.what for row in rounds.rows_of(measured_rounds(3.0), 0.25, "", avx512=True)} == {
        row.what for row in rows
    }
    assert len(open_rows) == 4 * len(rounds.PEERS)


def test_the_limit_adds_each_products_fastest_form_as_often_as_a_round_needs_it():
    turns = [
        {
            "recurrent": {"forms": {"plain": 7e-3, "turned round": seconds}, "times": 100},
            "gradient": {"forms": {"plain": 2e-2}, "times": 1},
        }
        for seconds in (1e-3, 9e-3, 1e-3)
    ]
    fastest = rounds._fastest_forms(turns)
    assert fastest["recurrent"] == ("turned round", 1e-3, 100)
    # 2 clients x 5 batches x (100 x 1 ms + 20 ms)
    assert rounds._limit_of_a_round(fastest, 2) == pytest.approx(1.2)


def test_rows_are_written_in_the_common_form(tmp_path):
    from rows import write_rows

    write_rows(tmp_path / "rows.json", "A round", [Row("a", 1.0, "s")])
    tables.check_form("rounds", json.loads((tmp_path / "rows.json").read_text()))
