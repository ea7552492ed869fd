-- One schema for SQLite and PostgreSQL: only TEXT and BIGINT, keys and digests as hexadecimal text.

CREATE TABLE meta (
    one     BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    lineage TEXT   NOT NULL,            -- which state this is; never changes
    key     TEXT   NOT NULL,            -- of the fingerprints; 32 random bytes
    created TEXT   NOT NULL,
    serial  BIGINT NOT NULL,            -- grows with every write of records
    seal    TEXT   NOT NULL             -- of lineage, key and created
);

CREATE TABLE lease (
    one       BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    token     BIGINT NOT NULL,          -- grows with every holder; checked by every write of a run
    who       TEXT   NOT NULL,          -- "" when nobody holds it
    operation TEXT   NOT NULL,
    plan      TEXT   NOT NULL,
    since     TEXT   NOT NULL,
    process   TEXT   NOT NULL,          -- which process of which boot of which machine
    expires   BIGINT NOT NULL,          -- milliseconds, wall clock
    steady    BIGINT NOT NULL           -- the same moment on the clock of that boot
);

CREATE TABLE runs (
    number    BIGINT NOT NULL PRIMARY KEY,
    plan      TEXT   NOT NULL,
    document  TEXT   NOT NULL,          -- the plan itself, kept for the newest runs only
    selection TEXT   NOT NULL,
    operation TEXT   NOT NULL,
    resumes   BIGINT,                   -- the run that this one goes on with
    who       TEXT   NOT NULL,
    tool      TEXT   NOT NULL,
    token     BIGINT NOT NULL,
    started   TEXT   NOT NULL,
    ended     TEXT,
    outcome   TEXT,
    seal          TEXT NOT NULL,        -- of what is known at the start, without the document
    seal_document TEXT NOT NULL,
    seal_end      TEXT                  -- of number, ended and outcome
);

CREATE TABLE journal (
    run     BIGINT NOT NULL REFERENCES runs (number),
    seq     BIGINT NOT NULL,
    address TEXT   NOT NULL,
    phase   TEXT   NOT NULL CHECK (phase IN ('BEGIN', 'APPLIED', 'END')),
    action  TEXT   NOT NULL,
    result  TEXT   NOT NULL,
    at      TEXT   NOT NULL,
    detail  TEXT   NOT NULL,
    seal    TEXT   NOT NULL,            -- digest of the row and of the seal before it
    PRIMARY KEY (run, seq)
);

-- One row per version: what a run applied. The newest is current until it is deleted or forgotten;
-- the one before it is the pre-image that `undo` goes back to.
CREATE TABLE records (
    address     TEXT   NOT NULL,
    run         BIGINT NOT NULL REFERENCES runs (number),
    current     BIGINT NOT NULL CHECK (current IN (0, 1)),
    action      TEXT   NOT NULL,
    api_version TEXT   NOT NULL,
    owned_by    TEXT   NOT NULL,
    scope       TEXT   NOT NULL,
    uid         TEXT   NOT NULL,
    applied     TEXT   NOT NULL,
    expects     TEXT   NOT NULL,        -- the version that the plan meant it to have, "" where none could tell
    at          TEXT   NOT NULL,
    source      TEXT   NOT NULL,
    document    TEXT   NOT NULL,        -- desired document with references and fingerprints, "" for a delete
    before      TEXT   NOT NULL,        -- the fields as they were, as the plan saw them
    seal        TEXT   NOT NULL,        -- of the row without the two columns above
    seal_long   TEXT   NOT NULL,        -- of those two
    PRIMARY KEY (address, run)
);

CREATE INDEX records_current ON records (current, owned_by);
