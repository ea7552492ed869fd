-- Closeout records of rollouts: append-only, one row per record, numbered within its key (lane and commit).

CREATE TABLE closeouts (
    lane   TEXT   NOT NULL,
    target TEXT   NOT NULL,             -- the source commit
    number BIGINT NOT NULL,             -- from 1; a later fact is a new row
    digest TEXT   NOT NULL,             -- of the record's values, without times
    at     TEXT   NOT NULL,
    record TEXT   NOT NULL,             -- canonical JSON, free of secrets
    seal   TEXT   NOT NULL,
    PRIMARY KEY (lane, target, number)
);
