package embedded

import (
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
)

// engineLogger routes pebble's messages to slog: chatter to debug, errors to error.
type engineLogger struct {
	log *slog.Logger
}

var _ pebble.Logger = engineLogger{}

func (l engineLogger) Infof(format string, args ...any) {
	l.log.Debug("storage engine", "detail", fmt.Sprintf(format, args...))
}

func (l engineLogger) Errorf(format string, args ...any) {
	l.log.Error("storage engine", "detail", fmt.Sprintf(format, args...))
}

// engineFailure is what Fatalf panics with.
type engineFailure struct{ detail string }

func (f engineFailure) Error() string { return f.detail }

// Fatalf must not return. On a path of ours the panic is caught by Store.commit and
// poisons the store; in one of the engine's own goroutines it ends the process,
// which is right there: its manifest could not be written, and all that was
// acknowledged is in the write-ahead log.
func (l engineLogger) Fatalf(format string, args ...any) {
	f := engineFailure{detail: fmt.Sprintf(format, args...)}
	l.log.Error("storage engine failed", "detail", f.detail)
	panic(f)
}
