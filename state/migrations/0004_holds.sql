-- Holds of lanes, and the targets that rollouts of a lane had: append-only, numbered within the lane.

CREATE TABLE holds (
    lane   TEXT   NOT NULL,             -- PRODUCT/NODE/LANE
    number BIGINT NOT NULL,             -- from 1; the newest row says how it stands
    state  TEXT   NOT NULL CHECK (state IN ('set', 'released')),
    target TEXT   NOT NULL,             -- the source commit that is rolled out, "" for none
    reason TEXT   NOT NULL,
    run    BIGINT NOT NULL,             -- the run that rolls it out, 0 for none
    who    TEXT   NOT NULL,
    at     TEXT   NOT NULL,
    seal   TEXT   NOT NULL,
    PRIMARY KEY (lane, number)
);

CREATE TABLE targets (
    lane   TEXT   NOT NULL,
    number BIGINT NOT NULL,             -- from 1; whoever has a smaller one than the newest is superseded
    target TEXT   NOT NULL,             -- the source commit
    who    TEXT   NOT NULL,
    at     TEXT   NOT NULL,
    seal   TEXT   NOT NULL,
    PRIMARY KEY (lane, number)
);
