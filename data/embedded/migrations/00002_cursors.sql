-- +goose Up

-- How far readers of other systems are. state is theirs.
CREATE TABLE cursors (
    space TEXT   NOT NULL,
    name  TEXT   NOT NULL,
    state BYTEA  NOT NULL,
    saved BIGINT NOT NULL,
    PRIMARY KEY (space, name)
);

-- +goose Down
DROP TABLE cursors;
