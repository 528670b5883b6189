// The HTTP server around the gateway, and its limits.

package main

import (
	"context"
	"crypto/tls"
	"log"
	"net"
	"net/http"
	"time"

	"persona.example/persona-service/server/gateway/internal/guard"
)

const (
	headerTimeout  = 10 * time.Second // to send a request's headers
	requestTimeout = 60 * time.Second // to send a whole request; a body has less, by its length
	idleTimeout    = 2 * time.Minute  // between two requests of a connection
	stallTimeout   = 30 * time.Second // for the server's next part of an export
	maxHeaderBytes = 12 << 10         // and 4 KiB more, which net/http adds; the server takes 12 KiB
)

type connectionKey struct{}

func newServer(handler *gateway, connections *guard.Connections, stall time.Duration) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      stall, // the first step's; answer.Write renews it
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// OPTIONS * is an unknown path like any other.
		DisableGeneralOptionsHandler: true,
		ConnState:                    connections.Note,
		ErrorLog:                     log.New(handler.watcher, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, c)
		},
	}
}

// abort cuts the connection, so that nobody takes half an answer for a whole one. Chunked encoding
// shows the cut by itself; HTTP/1.0 ends every body by closing, so there it takes a reset.
func abort(r *http.Request) {
	c, _ := r.Context().Value(connectionKey{}).(net.Conn)
	if t, isTLS := c.(*tls.Conn); isTLS {
		c = t.NetConn()
	}
	if c, isTCP := c.(interface{ SetLinger(seconds int) error }); isTCP && !r.ProtoAtLeast(1, 1) {
		_ = c.SetLinger(0)
	}
	panic(http.ErrAbortHandler)
}
