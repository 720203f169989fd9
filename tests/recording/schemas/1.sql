
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE volume (
    id       TEXT PRIMARY KEY,
    path     TEXT NOT NULL UNIQUE,
    added_ns INTEGER NOT NULL
) STRICT;

CREATE TABLE stream (
    id     INTEGER PRIMARY KEY,
    camera TEXT NOT NULL,
    name   TEXT NOT NULL,
    UNIQUE (camera, name)
) STRICT;

CREATE TABLE run (
    id            TEXT PRIMARY KEY,
    stream        INTEGER NOT NULL REFERENCES stream (id),
    started_ns    INTEGER NOT NULL,
    codec         TEXT NOT NULL,
    codec_string  TEXT NOT NULL,
    width         INTEGER NOT NULL,
    height        INTEGER NOT NULL,
    sample_entry  BLOB NOT NULL
) STRICT;
CREATE INDEX run_by_stream ON run (stream, started_ns);

CREATE TABLE segment (
    id             TEXT PRIMARY KEY,
    stream         INTEGER NOT NULL REFERENCES stream (id),
    run            TEXT NOT NULL REFERENCES run (id),
    sequence       INTEGER NOT NULL,
    volume         TEXT NOT NULL REFERENCES volume (id),
    path           TEXT NOT NULL,
    state          TEXT NOT NULL,
    start_ns       INTEGER NOT NULL,
    end_ns         INTEGER NOT NULL,
    first_dts      INTEGER NOT NULL,
    end_dts        INTEGER NOT NULL,
    bytes          INTEGER NOT NULL,
    fragments      INTEGER NOT NULL,
    frames         INTEGER NOT NULL,
    lost_packets   INTEGER NOT NULL,
    clock_state    TEXT NOT NULL,
    clock_offset_ns INTEGER,
    late           INTEGER NOT NULL DEFAULT 0,
    seal_hash      BLOB
) STRICT;
CREATE INDEX segment_by_time ON segment (stream, start_ns);
CREATE INDEX segment_by_age ON segment (volume, start_ns);
CREATE INDEX segment_open ON segment (stream) WHERE state = 'open';

CREATE TABLE span (
    id       INTEGER PRIMARY KEY,
    stream   INTEGER NOT NULL REFERENCES stream (id),
    start_ns INTEGER NOT NULL,
    end_ns   INTEGER NOT NULL,
    run      TEXT NOT NULL
) STRICT;
CREATE INDEX span_by_time ON span (stream, start_ns);

CREATE TABLE gap (
    id       TEXT PRIMARY KEY,
    stream   INTEGER NOT NULL REFERENCES stream (id),
    start_ns INTEGER NOT NULL,
    end_ns   INTEGER,
    reason   TEXT NOT NULL,
    detail   TEXT NOT NULL
) STRICT;
CREATE INDEX gap_by_time ON gap (stream, start_ns);

CREATE TABLE checkpoint (
    segment    TEXT NOT NULL REFERENCES segment (id) ON DELETE CASCADE,
    fragments  INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    seal_hash  BLOB NOT NULL,
    at_ns      INTEGER NOT NULL,
    PRIMARY KEY (segment, fragments)
) STRICT;

CREATE TABLE hold (
    id       TEXT PRIMARY KEY,
    camera   TEXT NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns   INTEGER NOT NULL,
    reason   TEXT NOT NULL,
    who      TEXT NOT NULL,
    until_ns INTEGER NOT NULL
) STRICT;

CREATE TABLE tombstone (
    segment    TEXT PRIMARY KEY,
    stream     INTEGER NOT NULL REFERENCES stream (id),
    volume     TEXT NOT NULL,
    path       TEXT NOT NULL,
    start_ns   INTEGER NOT NULL,
    end_ns     INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    seal       BLOB,
    deleted_ns INTEGER NOT NULL,
    why        TEXT NOT NULL,
    who        TEXT NOT NULL,
    done       INTEGER NOT NULL
) STRICT;
CREATE INDEX tombstone_by_time ON tombstone (stream, start_ns);
CREATE INDEX tombstone_unfinished ON tombstone (volume) WHERE done = 0;

CREATE TABLE outbox (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT NOT NULL UNIQUE,
    kind    TEXT NOT NULL,
    payload BLOB NOT NULL
) STRICT;
