// Package logqueue writes log lines from one goroutine, so that nobody who logs waits for whoever reads.
package logqueue

import (
	"bytes"
	"io"
	"sync/atomic"
	"time"
)

// Writer takes whole lines. It never blocks: what does not fit into its queue is counted and left out.
type Writer struct {
	lines   chan []byte
	dropped atomic.Int64 // since it was reported last
	lost    atomic.Int64 // ever
	stop    chan struct{}
	done    chan struct{}
}

// New starts a writer with a queue of so many lines. Before the first line that fits again it calls
// report with the number of those that did not, from the goroutine that may write to w.
func New(w io.Writer, size int, report func(dropped int64)) *Writer {
	q := &Writer{lines: make(chan []byte, size), stop: make(chan struct{}), done: make(chan struct{})}
	go q.run(w, report)
	return q
}

// Write queues a line or drops it; it never fails.
func (q *Writer) Write(line []byte) (int, error) {
	select {
	case q.lines <- bytes.Clone(line):
	default:
		q.dropped.Add(1)
		q.lost.Add(1)
	}
	return len(line), nil
}

// Dropped is how many lines were left out, ever.
func (q *Writer) Dropped() int64 { return q.lost.Load() }

// Close lets what is queued be written, within a time. What comes after it is lost.
func (q *Writer) Close(within time.Duration) {
	close(q.stop)
	select {
	case <-q.done:
	case <-time.After(within):
	}
}

func (q *Writer) run(w io.Writer, report func(int64)) {
	defer close(q.done)
	for {
		line, more := q.next()
		if n := q.dropped.Swap(0); n > 0 {
			report(n)
		}
		if !more {
			return
		}
		_, _ = w.Write(line) // nobody is left to be told
	}
}

// next waits for a line; once stopped it only takes what is there.
func (q *Writer) next() (line []byte, more bool) {
	select {
	case line = <-q.lines:
		return line, true
	case <-q.stop:
	}
	select {
	case line = <-q.lines:
		return line, true
	default:
		return nil, false
	}
}
