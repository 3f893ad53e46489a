-- +goose Up

-- Versions of the segment rules. text is immutable. Those that were live are kept
-- for good: markers in the log name them.
CREATE TABLE rules (
    space     TEXT   NOT NULL,
    seq       BIGINT NOT NULL,
    version   TEXT   NOT NULL,
    state     TEXT   NOT NULL,
    text      TEXT   NOT NULL,
    author    TEXT   NOT NULL,
    note      TEXT   NOT NULL,
    created   BIGINT NOT NULL,
    published BIGINT NOT NULL DEFAULT 0,
    publisher TEXT   NOT NULL DEFAULT '',
    previous  TEXT   NOT NULL DEFAULT '',
    source    TEXT   NOT NULL DEFAULT '',
    backfill  TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (space, seq),
    UNIQUE (space, version)
);

CREATE UNIQUE INDEX rules_live ON rules (space) WHERE state = 'live';
CREATE UNIQUE INDEX rules_draft ON rules (space) WHERE state = 'draft';

-- +goose Down
DROP TABLE rules;
