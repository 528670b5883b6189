// Package sparing logs what may come in floods: so many lines a second of each kind, and how many were left out.
package sparing

import (
	"context"
	"log/slog"
	"sync"

	"golang.org/x/time/rate"
)

const (
	perSecond = 5  // lines of one kind
	burst     = 50 // at once
)

// Log writes lines of kinds, of which there must be few.
type Log struct {
	log *slog.Logger

	mu    sync.Mutex
	kinds map[string]*kind
}

type kind struct {
	lines   *rate.Limiter
	omitted int // since the last line
}

// New writes to a log.
func New(log *slog.Logger) *Log { return &Log{log: log, kinds: map[string]*kind{}} }

// Write writes a line of a kind, unless there were too many of late; the next one says how many were omitted.
func (l *Log) Write(level slog.Level, name, message string, fields ...any) {
	if !l.log.Enabled(context.Background(), level) {
		return
	}
	omitted, allowed := l.count(name)
	if !allowed {
		return
	}
	if omitted > 0 {
		fields = append(fields, "omitted", omitted)
	}
	l.log.Log(context.Background(), level, message, fields...)
}

// count is whether a line of a kind may be written, and how many before it were not.
func (l *Log) count(name string) (omitted int, allowed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.kinds[name]
	if k == nil {
		k = &kind{lines: rate.NewLimiter(perSecond, burst)}
		l.kinds[name] = k
	}
	if !k.lines.Allow() {
		k.omitted++
		return 0, false
	}
	omitted, k.omitted = k.omitted, 0
	return omitted, true
}
