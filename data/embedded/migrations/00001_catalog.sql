-- The catalog. Every key starts with its space. Times are milliseconds since 1970
-- UTC by the database's clock unless a name says otherwise; JSON is TEXT. Types and
-- statements are those that PostgreSQL knows too.

-- +goose Up

-- Named numbers of a space: "items" is the version of the newest item write;
-- "flush_requested" and "flush_done" count requests to bring the lake up to date.
CREATE TABLE counters (
    space TEXT   NOT NULL,
    name  TEXT   NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (space, name)
);

-- A deleted item stays as a tombstone (body NULL), for readers who ask what changed.
CREATE TABLE items (
    space   TEXT   NOT NULL,
    id      TEXT   NOT NULL,
    version BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    body    TEXT,
    PRIMARY KEY (space, id)
);
CREATE INDEX items_by_version ON items (space, version);

CREATE TABLE models (
    space        TEXT   NOT NULL,
    version      TEXT   NOT NULL,
    status       TEXT   NOT NULL,
    created      BIGINT NOT NULL,
    artifact     TEXT   NOT NULL,
    checksum     TEXT   NOT NULL,
    bytes        BIGINT NOT NULL,
    watermark    BIGINT NOT NULL,
    interactions BIGINT NOT NULL,
    metrics      TEXT,
    config       TEXT,
    reason       TEXT   NOT NULL,
    PRIMARY KEY (space, version)
);
CREATE INDEX models_by_status ON models (space, status);

-- What served, as a stack with its whole history: back is the seq that a rollback
-- returns to, 0 for none. The highest seq is what serves.
CREATE TABLE promotions (
    space   TEXT   NOT NULL,
    seq     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    version TEXT   NOT NULL,
    back    BIGINT NOT NULL,
    rolled  BIGINT NOT NULL,
    PRIMARY KEY (space, seq)
);

CREATE TABLE jobs (
    space     TEXT   NOT NULL,
    id        TEXT   NOT NULL,
    kind      TEXT   NOT NULL,
    state     TEXT   NOT NULL,
    started   BIGINT NOT NULL,
    finished  BIGINT NOT NULL,
    heartbeat BIGINT NOT NULL,
    progress  DOUBLE PRECISION NOT NULL,
    stage     TEXT   NOT NULL,
    message   TEXT   NOT NULL,
    model     TEXT   NOT NULL,
    PRIMARY KEY (space, id)
);
CREATE INDEX jobs_by_start ON jobs (space, started, id);

-- A released or expired lease keeps its row: the fence must go on growing.
CREATE TABLE leases (
    space       TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    owner       TEXT   NOT NULL,
    fence       BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    PRIMARY KEY (space, name)
);

CREATE TABLE evaluations (
    space   TEXT   NOT NULL,
    id      TEXT   NOT NULL,
    created BIGINT NOT NULL,
    model   TEXT   NOT NULL,
    dataset TEXT   NOT NULL,
    report  TEXT   NOT NULL,
    PRIMARY KEY (space, id)
);
CREATE INDEX evaluations_by_creation ON evaluations (space, created, id);

-- Idempotency keys. While status is 0 the first request is still being answered,
-- and held_until is when it is taken for dead.
CREATE TABLE requests (
    space        TEXT   NOT NULL,
    key          TEXT   NOT NULL,
    body_hash    TEXT   NOT NULL,
    expires      BIGINT NOT NULL,
    held_until   BIGINT NOT NULL,
    status       BIGINT NOT NULL,
    content_type TEXT   NOT NULL,
    body         BYTEA,
    PRIMARY KEY (space, key)
);
CREATE INDEX requests_by_expiry ON requests (space, expires);

-- Running servers. roles is a JSON array.
CREATE TABLE processes (
    space   TEXT   NOT NULL,
    owner   TEXT   NOT NULL,
    addr    TEXT   NOT NULL,
    roles   TEXT   NOT NULL,
    started BIGINT NOT NULL,
    seen    BIGINT NOT NULL,
    PRIMARY KEY (space, owner)
);

-- +goose Down
DROP TABLE processes;
DROP TABLE requests;
DROP TABLE evaluations;
DROP TABLE leases;
DROP TABLE jobs;
DROP TABLE promotions;
DROP TABLE models;
DROP TABLE items;
DROP TABLE counters;
