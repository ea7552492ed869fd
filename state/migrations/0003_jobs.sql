-- Commands that go on without the client that began them. What a job came to is told by its end, or by its process.

CREATE TABLE jobs (
    number  BIGINT NOT NULL PRIMARY KEY,
    name    TEXT   NOT NULL,            -- what it does, for people
    command TEXT   NOT NULL,            -- its words, as JSON
    who     TEXT   NOT NULL,
    tool    TEXT   NOT NULL,
    created TEXT   NOT NULL,
    process TEXT   NOT NULL,            -- which process of which boot of which machine; "" until it began
    started TEXT   NOT NULL,
    ended   TEXT   NOT NULL,
    code    BIGINT,                     -- its exit code
    seal    TEXT   NOT NULL             -- of all the columns before
);
