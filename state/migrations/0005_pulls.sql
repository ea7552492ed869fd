-- Pull requests of lanes: cycles of their monitors, deliveries step by step, and what a monitor remembers.

CREATE TABLE pull_cycles (
    lane    TEXT   NOT NULL,             -- PRODUCT/NODE/LANE
    number  BIGINT NOT NULL,             -- from 1 within the lane
    purpose TEXT   NOT NULL,             -- monitor or once
    result  TEXT   NOT NULL,
    content TEXT   NOT NULL,             -- digest of the record without its times
    at      TEXT   NOT NULL,
    last    TEXT   NOT NULL,             -- of the newest cycle with the same content, where they are counted
    times   BIGINT NOT NULL,
    record  TEXT   NOT NULL,
    seal    TEXT   NOT NULL,
    PRIMARY KEY (lane, number)
);

CREATE TABLE pull_deliveries (           -- append-only; the newest row of a pull request says how far it is
    lane    TEXT   NOT NULL,
    pull    BIGINT NOT NULL,
    number  BIGINT NOT NULL,             -- from 1 within lane and pull request
    at      TEXT   NOT NULL,
    record  TEXT   NOT NULL,
    seal    TEXT   NOT NULL,
    PRIMARY KEY (lane, pull, number)
);

CREATE TABLE pull_memory (
    lane    TEXT   NOT NULL PRIMARY KEY,
    at      TEXT   NOT NULL,
    record  TEXT   NOT NULL,
    seal    TEXT   NOT NULL
);
