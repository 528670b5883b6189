// The HTTP server around the gateway: its limits, and answers that are written by progress.

package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	headerTimeout  = 10 * time.Second // to send a request's headers
	requestTimeout = 60 * time.Second // to send a whole request
	idleTimeout    = 2 * time.Minute  // between two requests of a connection
	stallTimeout   = 30 * time.Second // without progress of an answer, either way
	maxHeaderBytes = 16 << 10
	writeStep      = 64 << 10 // what must get through within stallTimeout
)

type connectionKey struct{}

func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      stallTimeout, // the first step's; answer.Write renews it
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// OPTIONS * is an unknown path like any other.
		DisableGeneralOptionsHandler: true,
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
	begun bool
}

func (a *answer) WriteHeader(status int) {
	a.begun = true
	a.renew()
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.begun = true
	written := 0
	for {
		a.renew()
		step := p[written:min(written+writeStep, len(p))]
		n, err := a.ResponseWriter.Write(step)
		written += n
		if err != nil || written >= len(p) {
			return written, err
		}
	}
}

func (a *answer) renew() {
	_ = http.NewResponseController(a.ResponseWriter).SetWriteDeadline(time.Now().Add(stallTimeout))
}

// Unwrap lets an http.ResponseController flush.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// abort cuts the connection, so that nobody takes half an answer for a whole one. Chunked encoding
// shows the cut by itself; HTTP/1.0 ends every body by closing, so there it takes a reset.
func abort(r *http.Request) {
	c, isTCP := r.Context().Value(connectionKey{}).(*net.TCPConn)
	if isTCP && !r.ProtoAtLeast(1, 1) {
		_ = c.SetLinger(0)
	}
	panic(http.ErrAbortHandler)
}
