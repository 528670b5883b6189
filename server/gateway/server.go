// The HTTP server around the gateway: its limits, and answers that are written by progress.

package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"time"

	"persona.example/persona-service/server/gateway/internal/guard"
)

const (
	headerTimeout  = 10 * time.Second // to send a request's headers
	requestTimeout = 60 * time.Second // to send a whole request; a body has less, by its length
	idleTimeout    = 2 * time.Minute  // between two requests of a connection
	stallTimeout   = 30 * time.Second // without progress of an answer, either way
	maxHeaderBytes = 12 << 10         // and 4 KiB more, which net/http adds; the server takes 12 KiB
	writeStep      = 64 << 10         // what must get through within stallTimeout
)

// patience is how slow a reader may be: how long a step may take, and how many bytes of an answer must get
// through in each second on the whole.
type patience struct {
	step time.Duration
	pace int
}

var (
	// An answer is held in memory until it is read.
	brisk = patience{step: stallTimeout, pace: 16 << 10}
	// Of an export, that is one chunk, and their number is bounded; its reader may have to think.
	patient = patience{step: 2 * time.Minute, pace: 1 << 10}
)

type connectionKey struct{}

func newServer(handler http.Handler, connections *guard.Connections, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      stallTimeout, // the first step's; answer.Write renews it
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// OPTIONS * is an unknown path like any other.
		DisableGeneralOptionsHandler: true,
		ConnState:                    connections.Note,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, c)
		},
	}
}

// answer is a ResponseWriter that gives every step of a body its own deadline, so that a slow reader
// may take its time and a stuck one may not.
type answer struct {
	http.ResponseWriter
	patience patience
	status   int           // 0 until it is begun
	written  int           // bytes of body
	waited   time.Duration // for the reader
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.renew()
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.status = cmp.Or(a.status, http.StatusOK)
	written := 0
	for {
		a.renew()
		begun := time.Now()
		step := p[written:min(written+writeStep, len(p))]
		n, err := a.ResponseWriter.Write(step)
		a.waited += time.Since(begun)
		written += n
		a.written += n
		if err != nil || written >= len(p) {
			return written, err
		}
	}
}

// renew gives the next step its time, or less where the reader has been slow all along.
func (a *answer) renew() {
	left := a.patience.step + time.Duration(a.written/a.patience.pace)*time.Second - a.waited
	deadline := time.Now().Add(min(a.patience.step, left))
	_ = http.NewResponseController(a.ResponseWriter).SetWriteDeadline(deadline)
}

// Unwrap lets an http.ResponseController flush.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// abort cuts the connection, so that nobody takes half an answer for a whole one. Chunked encoding
// shows the cut by itself; HTTP/1.0 ends every body by closing, so there it takes a reset.
func abort(r *http.Request) {
	c, _ := r.Context().Value(connectionKey{}).(net.Conn)
	if t, isTLS := c.(*tls.Conn); isTLS {
		c = t.NetConn()
	}
	if c, isTCP := c.(*net.TCPConn); isTCP && !r.ProtoAtLeast(1, 1) {
		_ = c.SetLinger(0)
	}
	panic(http.ErrAbortHandler)
}
