-- The index of what was recorded. One SQLite file, written by the recorder process alone; others open it
-- read-only. Times are UTC nanoseconds since the Unix epoch, media time is 90 kHz ticks.
-- A row that is committed here (synchronous=FULL) is acknowledged: its bytes were fsynced before.

-- Facts about this file itself: 'version' is the schema's number, 'alive_ns' when the recorder last committed
-- footage, 'chain:<stream>' the newest seal of the stream's chain as JSON (chain_order.py),
-- 'boot:<volume>' the kernel's boot id when the volume was last reconciled with its files (another one means that
-- the power was off since), 'keep:<camera>/<stream>' how long its footage is kept, as JSON,
-- 'doubted_ns' when the clock was last seen to leap days ahead.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- Folders that hold segments. The identity stands in the folder's xomyen-volume.json too, so that a wrong or
-- unmounted disk is refused instead of filled.
CREATE TABLE volume (
    id       TEXT PRIMARY KEY,          -- UUID in the volume's identity file
    path     TEXT NOT NULL UNIQUE,      -- absolute
    added_ns INTEGER NOT NULL
) STRICT;

-- A camera's stream; the small number keeps the other tables small.
CREATE TABLE stream (
    id     INTEGER PRIMARY KEY,
    camera TEXT NOT NULL,               -- camera id
    name   TEXT NOT NULL,               -- main | sub
    UNIQUE (camera, name)
) STRICT;

-- An unbroken stretch of media time with one codec configuration.
CREATE TABLE run (
    id            TEXT PRIMARY KEY,
    stream        INTEGER NOT NULL REFERENCES stream (id),
    started_ns    INTEGER NOT NULL,
    codec         TEXT NOT NULL,        -- h264 | h265
    codec_string  TEXT NOT NULL,        -- RFC 6381
    width         INTEGER NOT NULL,     -- pixels
    height        INTEGER NOT NULL,
    sample_entry  BLOB NOT NULL         -- avc1 or hvc1 box
) STRICT;
CREATE INDEX run_by_stream ON run (stream, started_ns);

-- One file.
CREATE TABLE segment (
    id             TEXT PRIMARY KEY,
    stream         INTEGER NOT NULL REFERENCES stream (id),
    run            TEXT NOT NULL REFERENCES run (id),
    sequence       INTEGER NOT NULL,    -- counts the stream's segments
    volume         TEXT NOT NULL REFERENCES volume (id),
    path           TEXT NOT NULL,       -- relative to the volume
    state          TEXT NOT NULL,       -- open | sealed | recovered
    start_ns       INTEGER NOT NULL,    -- wall time of the first picture shown
    end_ns         INTEGER NOT NULL,    -- of the end of the last picture; of an open one: of what is on disk for certain
    first_dts      INTEGER NOT NULL,    -- run's media time in ticks
    end_dts        INTEGER NOT NULL,
    bytes          INTEGER NOT NULL,    -- header and fragments; of an open one: of what is on disk for certain
    fragments      INTEGER NOT NULL,
    frames         INTEGER NOT NULL,
    lost_packets   INTEGER NOT NULL,
    clock_state    TEXT NOT NULL,       -- synchronised | unsynchronised | stepped
    clock_offset_ns INTEGER,            -- camera's clock minus node's; NULL when unknown
    late           INTEGER NOT NULL DEFAULT 0, -- 1: filled in afterwards from the camera's own memory
    seal_hash      BLOB                 -- SHA-256 of the final seal's statement; NULL while open
) STRICT;
CREATE INDEX segment_by_time ON segment (stream, start_ns);
CREATE INDEX segment_by_age ON segment (volume, start_ns);
CREATE INDEX segment_open ON segment (stream) WHERE state = 'open';

-- Unbroken coverage of a stream, kept up to date by the writer so that a month's timeline is a small query.
-- Consecutive segments of one run share a span.
CREATE TABLE span (
    id       INTEGER PRIMARY KEY,
    stream   INTEGER NOT NULL REFERENCES stream (id),
    start_ns INTEGER NOT NULL,
    end_ns   INTEGER NOT NULL,
    run      TEXT NOT NULL
) STRICT;
CREATE INDEX span_by_time ON span (stream, start_ns);

-- A stretch that should have been recorded and was not, with its reason.
CREATE TABLE gap (
    id       TEXT PRIMARY KEY,
    stream   INTEGER NOT NULL REFERENCES stream (id),
    start_ns INTEGER NOT NULL,
    end_ns   INTEGER,                   -- NULL while it lasts
    reason   TEXT NOT NULL,             -- xomyen.terms.words.GapReason
    detail   TEXT NOT NULL              -- English, no secrets
) STRICT;
CREATE INDEX gap_by_time ON gap (stream, start_ns);

-- Signed states of a segment that is still being written.
CREATE TABLE checkpoint (
    segment    TEXT NOT NULL REFERENCES segment (id) ON DELETE CASCADE,
    fragments  INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    seal_hash  BLOB NOT NULL,
    at_ns      INTEGER NOT NULL,
    PRIMARY KEY (segment, fragments)
) STRICT;

-- Footage that retention must leave alone.
CREATE TABLE hold (
    id       TEXT PRIMARY KEY,
    camera   TEXT NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns   INTEGER NOT NULL,
    reason   TEXT NOT NULL,
    who      TEXT NOT NULL,
    until_ns INTEGER NOT NULL           -- the hold itself ends then
) STRICT;

-- What was deleted; keeps the seal, so that the chain stays checkable.
CREATE TABLE tombstone (
    segment    TEXT PRIMARY KEY,
    stream     INTEGER NOT NULL REFERENCES stream (id),
    volume     TEXT NOT NULL,
    path       TEXT NOT NULL,
    start_ns   INTEGER NOT NULL,
    end_ns     INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    seal       BLOB,                    -- statement and signature
    deleted_ns INTEGER NOT NULL,
    why        TEXT NOT NULL,
    who        TEXT NOT NULL,
    done       INTEGER NOT NULL         -- 0: the file may still be there (deletion began), 1: gone
) STRICT;
CREATE INDEX tombstone_by_time ON tombstone (stream, start_ns);
CREATE INDEX tombstone_unfinished ON tombstone (volume) WHERE done = 0;

-- Events on their way to the bus; written in the transaction of the rows they tell of, removed when the bus has them.
CREATE TABLE outbox (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT NOT NULL UNIQUE,       -- NATS message id
    kind    TEXT NOT NULL,              -- last token(s) of the subject: segment, gap, camera, chain, alarm
    payload BLOB NOT NULL               -- JSON
) STRICT;
