"""The index: schema versions, spans, transactions."""

import sqlite3
from pathlib import Path

import pytest
from tests.footage import CAMERA

from xomyen.recording import index as index_module
from xomyen.recording.index import Index, IndexTooNewError
from xomyen.recording.index_reader import IndexReader
from xomyen.recording.rows import Run, Segment
from xomyen.terms.errors import NoFootage
from xomyen.terms.ids import new_id
from xomyen.terms.time import NS_PER_SECOND
from xomyen.terms.words import ClockState, SegmentState, StreamName, VideoCodec

VOLUME = "01890000-0000-7000-8000-00000000aaaa"
S = NS_PER_SECOND


@pytest.fixture
def index(tmp_path: Path) -> Index:
    opened = Index(str(tmp_path / "index.sqlite"))
    opened.open()
    with opened.transaction():
        opened.put_volume(VOLUME, "/v", 0)
    return opened


def put(index: Index, run: str, start_s: int, end_s: int, sequence: int = 1, segment: str | None = None) -> Segment:
    row = Segment(
        segment or new_id(), CAMERA, StreamName.MAIN, run, sequence, VOLUME, "/v/a", SegmentState.OPEN,
        start_s * S, end_s * S, 0, 1, 1, 1, 1, 0, ClockState.SYNCHRONISED, None, False, None,
    )  # fmt: skip
    with index.transaction():
        index.put_run(Run(run, CAMERA, StreamName.MAIN, 0, VideoCodec.H264, "avc1.640028", 1, 1, b"x"))
        index.put_segment(row, f"a-{row.id}")
    return row


def spans(index: Index) -> list[tuple[int, int]]:
    with IndexReader(index.path) as reader:
        return [(s.start_ns // S, s.end_ns // S) for s in reader.spans(CAMERA, "main", 0, 1 << 62)]


def test_segments_of_one_run_share_a_span(index: Index) -> None:
    run = new_id()
    put(index, run, 0, 30)
    first = put(index, run, 30, 40, 2)
    put(index, run, 30, 60, 2, first.id)
    assert spans(index) == [(0, 60)]


def test_another_run_or_an_overlap_begins_another_span(index: Index) -> None:
    run = new_id()
    put(index, run, 100, 130)
    put(index, new_id(), 130, 160, 2)
    put(index, new_id(), 90, 120, 3)
    assert spans(index) == [(90, 120), (100, 130), (130, 160)]


def test_a_span_goes_on_after_a_restart(index: Index, tmp_path: Path) -> None:
    run = new_id()
    row = put(index, run, 0, 10)
    index.close()
    again = Index(index.path)
    again.open()
    put(again, run, 0, 12, 1, row.id)
    assert spans(again) == [(0, 12)]


def test_a_start_refined_moves_its_span(index: Index) -> None:
    run = new_id()
    row = put(index, run, 5, 10)
    put(index, run, 4, 11, 1, row.id)
    assert spans(index) == [(4, 11)]


def test_pictures_missing_within_a_segment_are_not_covered_also_after_a_restart(index: Index) -> None:
    run = new_id()
    row = put(index, run, 0, 20)
    with index.transaction():
        index.take_coverage(row, 5 * S, 9 * S)
    put(index, run, 0, 22, 1, row.id)
    put(index, run, 22, 30, 2)
    assert spans(index) == [(0, 5), (9, 30)]
    index.close()
    again = Index(index.path)
    again.open()
    last = put(again, run, 30, 40, 3)
    with again.transaction():
        again.take_coverage(last, 33 * S, 37 * S)
    again.close()
    again.open()
    put(again, run, 30, 44, 3, last.id)
    assert spans(again) == [(0, 5), (9, 33), (37, 44)]


def test_deleting_shortens_splits_or_removes_spans(index: Index) -> None:
    run = new_id()
    rows = [put(index, run, n * 10, n * 10 + 10, n + 1) for n in range(4)]
    assert spans(index) == [(0, 40)]
    with index.transaction():
        index.bury(rows[1], "a", None, 0, "test", "test", done=True)
    assert spans(index) == [(0, 10), (20, 40)]
    with index.transaction():
        index.bury(rows[0], "a", None, 0, "test", "test", done=True)
        index.bury(rows[3], "a", None, 0, "test", "test", done=True)
    assert spans(index) == [(20, 30)]


def test_a_failed_transaction_leaves_nothing(index: Index) -> None:
    def change() -> None:
        with index.transaction():
            index.set_meta("a", "b")
            index.stream_number("x", "main")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()
    assert index.meta("a") is None
    with index.transaction():
        assert index.stream_number(CAMERA, "main") == 1


def test_a_newer_index_is_refused(index: Index) -> None:
    with index.transaction():
        index.set_meta("version", "999")
    index.close()
    with pytest.raises(IndexTooNewError, match="update the program"):
        Index(index.path).open()


SCHEMAS = Path(__file__).with_name("schemas")


def shape(database: sqlite3.Connection) -> dict[str, object]:
    """Tables with their columns, keys and indexes; not how they came about."""
    tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    found: dict[str, object] = {}
    for table in tables:
        found[table] = sorted(database.execute(f"PRAGMA table_xinfo({table})").fetchall(), key=lambda row: row[1])
        found[f"{table} refers to"] = sorted(row[2:] for row in database.execute(f"PRAGMA foreign_key_list({table})"))
    for name, table in database.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'index'").fetchall():
        found[f"{table} by {name}"] = [row[2] for row in database.execute(f"PRAGMA index_info({name})")]
    return found


def at_version(path: Path, version: int) -> None:
    """An index as the program made it when that schema was the newest."""
    database = sqlite3.connect(path)
    database.executescript((SCHEMAS / f"{version}.sql").read_text("utf-8"))
    database.execute("INSERT INTO meta (key, value) VALUES ('version', ?)", (str(version),))
    database.execute("INSERT INTO volume (id, path, added_ns) VALUES (?, '/v', 7)", (VOLUME,))
    database.commit()
    database.close()


@pytest.mark.parametrize("version", range(1, index_module.SCHEMA_VERSION + 1))
def test_every_released_version_is_migrated(tmp_path: Path, version: int) -> None:
    # The newest one stands among them, so that no change of the schema goes without a version of its own.
    at_version(tmp_path / "old.sqlite", version)
    old, new = Index(str(tmp_path / "old.sqlite")), Index(str(tmp_path / "new.sqlite"))
    old.open()
    new.open()
    assert shape(old.database) == shape(new.database)
    assert old.meta("version") == str(index_module.SCHEMA_VERSION)
    assert old.database.execute("SELECT path, added_ns FROM volume").fetchall() == [("/v", 7)]


def test_a_step_to_the_next_version_keeps_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_version(tmp_path / "index.sqlite", 1)
    monkeypatch.setattr(index_module, "SCHEMA_VERSION", 2)
    monkeypatch.setattr(index_module, "MIGRATIONS", {1: "ALTER TABLE volume ADD COLUMN note TEXT;"})
    new = Index(str(tmp_path / "index.sqlite"))
    new.open()
    assert new.meta("version") == "2"
    assert new.database.execute("SELECT path, note FROM volume").fetchall() == [("/v", None)]


def test_a_migration_that_fails_leaves_the_old_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Index(str(tmp_path / "index.sqlite"))
    old.open()
    old.close()
    monkeypatch.setattr(index_module, "SCHEMA_VERSION", 2)
    monkeypatch.setattr(
        index_module, "MIGRATIONS", {1: "ALTER TABLE volume ADD COLUMN note TEXT; INSERT INTO nowhere VALUES (1);"}
    )
    with pytest.raises(sqlite3.OperationalError):
        Index(str(tmp_path / "index.sqlite")).open()
    database = sqlite3.connect(tmp_path / "index.sqlite")
    assert database.execute("SELECT value FROM meta WHERE key = 'version'").fetchone() == ("1",)
    assert "note" not in [row[1] for row in database.execute("PRAGMA table_info(volume)")]


def test_a_reader_sees_segments_that_overlap_the_range(index: Index) -> None:
    run = new_id()
    for n in range(5):
        put(index, run, n * 10, n * 10 + 10, n + 1)
    with IndexReader(index.path) as reader:
        assert [s.sequence for s in reader.segments(CAMERA, "main", 15 * S, 30 * S)] == [2, 3]
        assert reader.first_ns(CAMERA, "main") == 0
        assert len(reader.open_segments()) == 5
        assert reader.streams() == [(CAMERA, StreamName.MAIN)]


def test_without_an_index_there_is_no_footage(tmp_path: Path) -> None:
    with pytest.raises(NoFootage):
        IndexReader(tmp_path / "index.sqlite")
