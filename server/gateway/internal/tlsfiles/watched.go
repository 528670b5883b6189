// Package tlsfiles makes TLS of files, and heeds at the next handshake that they have changed.
package tlsfiles

import (
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// watched is what files hold now, or, where they can't be used, held when they last could.
type watched[T any] struct {
	paths []string
	read  func() (T, error)
	log   *slog.Logger

	mu    sync.Mutex
	state []fileState
	value T
	// Of files that could not be used: when to try again, and why that was so.
	retryAt time.Time
	told    string
}

// retryAfter is how long files are left alone that could not be used. What ends that, such as a right to
// read them or a time from which they are valid, need not show in their times.
const retryAfter = time.Second

// fileState is by what a change shows; os.SameFile tells that another file has the name.
type fileState struct {
	info os.FileInfo
	time time.Time
	size int64
}

// watch reads files for the first time; it must be possible.
func watch[T any](log *slog.Logger, read func() (T, error), paths ...string) (*watched[T], error) {
	w := &watched[T]{paths: slices.DeleteFunc(paths, func(p string) bool { return p == "" }), read: read, log: log}
	w.state = w.look()
	var err error
	w.value, err = read()
	return w, err
}

// current is asked at every handshake, so it looks at the files' times only.
func (w *watched[T]) current() T {
	w.mu.Lock()
	defer w.mu.Unlock()
	state := w.look()
	again := !w.retryAt.IsZero() && time.Now().After(w.retryAt)
	if slices.EqualFunc(state, w.state, same) && !again {
		return w.value
	}
	w.state = state // before they are read: what changes meanwhile is read again
	value, err := w.read()
	if err != nil { // most likely one of them has been replaced and the next not yet
		w.retryAt = time.Now().Add(retryAfter)
		if told := err.Error(); told != w.told {
			w.told = told
			w.log.Warn("changed files of TLS not taken", "reason", told)
		}
		return w.value
	}
	w.log.Info("changed files of TLS taken")
	w.value, w.retryAt, w.told = value, time.Time{}, ""
	return value
}

func (w *watched[T]) look() []fileState {
	states := make([]fileState, len(w.paths))
	for i, path := range w.paths {
		if info, err := os.Stat(path); err == nil {
			states[i] = fileState{info, info.ModTime(), info.Size()}
		}
	}
	return states
}

func same(a, b fileState) bool {
	return a.time.Equal(b.time) && a.size == b.size && (a.info == nil || os.SameFile(a.info, b.info))
}
