// What can be seen of the gateway: its figures, and lines for what it refuses itself.

package main

import (
	"fmt"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/status"

	personav1 "persona.example/persona-service/generated/go/persona/v1"
	"persona.example/persona-service/server/gateway/internal/figures"
	"persona.example/persona-service/server/gateway/internal/guard"
	"persona.example/persona-service/server/gateway/internal/logqueue"
	"persona.example/persona-service/server/gateway/internal/sparing"
)

// version is that of the service which the gateway belongs to; a test holds it to pyproject.toml.
const version = "0.1.0"

// ownReasons are those of the gateway's own refusals.
var ownReasons = []personav1.ErrorReason{
	invalidFieldReason, messageTooLarge, unauthenticated, permissionDenied, internalReason, deadlineReason,
	unknownPath, methodNotAllowed, tooMany, unreachable,
}

// watcher notes what becomes of requests.
type watcher struct {
	figures *figures.Figures
	lines   *sparing.Log
}

func newWatcher(log *slog.Logger) *watcher {
	var reasons []string
	for _, reason := range ownReasons {
		reasons = append(reasons, reasonText(reason))
	}
	return &watcher{figures.New(version, reasons), sparing.New(log)}
}

// look adds figures of what is shared, waited for and connected.
func (w *watcher) look(g *gateway, connections *guard.Connections, lines *logqueue.Writer) {
	amounts := map[string]*guard.Shares{
		"requests": g.limits.requests, "parts": g.limits.parts, "wholes": g.limits.wholes,
		"bodies": g.limits.bodies, "answers": g.limits.answers,
		"calls": g.backend.calls.places, "exports": g.backend.exports.places,
	}
	for name, shares := range amounts {
		labels := map[string]string{"of": name}
		w.figures.Look("taken", "What requests hold of an amount that they share: places, or bytes of memory.", labels,
			func() float64 { return float64(shares.Taken()) })
		w.figures.Look("limit", "How much there is of such an amount.", labels, func() float64 { return float64(shares.Total()) })
		w.figures.Look("waiting", "Requests that wait for a part of such an amount.", labels,
			func() float64 { return float64(shares.Waiting()) })
	}
	w.figures.Look("connections", "Connections that clients have open.", nil, func() float64 { return float64(connections.Open()) })
	w.figures.Look("connections_waiting", "Those of them that came too fast for their address and wait for their turn.", nil,
		func() float64 { return float64(connections.Early()) })
	w.figures.Count("log_lines_dropped_total", "Lines of the gateway's log that found no room.",
		func() float64 { return float64(lines.Dropped()) })
}

// methods are those that are counted by their names.
var methods = map[string]bool{"GET": true, "HEAD": true, "POST": true, "PUT": true, "PATCH": true, "DELETE": true, "OPTIONS": true}

// begin counts a request, and its end by what is returned.
func (w *watcher) begin(c *call) (end func()) {
	counted := w.figures.Begin()
	return func() {
		method, status := c.r.Method, strconv.Itoa(c.w.status)
		if !methods[method] {
			method = "other"
		}
		if c.cut || c.w.status == 0 {
			status = "cut"
		}
		counted(method, status)
	}
}

// refused notes what the gateway refuses itself.
func (w *watcher) refused(c *call, httpStatus int, err error) {
	reason := errorInfo(status.Convert(err)).GetReason()
	w.figures.Refused(reason)
	w.lines.Write(slog.LevelInfo, reason, "refused", append(c.named(), "reason", reason, "status", httpStatus,
		"method", c.r.Method, "peer", c.address.String())...)
}

// named is what lines of the log tell a request by.
func (c *call) named() []any {
	fields := []any{"request_id", c.requestID}
	if trace := c.traceparent(); trace != "" {
		fields = append(fields, "trace_id", strings.Split(trace, "-")[1])
	}
	return fields
}

// handshakePrefix begins what net/http says of a handshake that failed.
const handshakePrefix = "http: TLS handshake error"

// Write takes what net/http has to say of connections, a line each; it is an http.Server's ErrorLog.
func (w *watcher) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	kind := "connection"
	if strings.HasPrefix(text, handshakePrefix) {
		kind = "handshake"
		w.figures.Handshakes.Inc()
	}
	w.lines.Write(slog.LevelWarn, kind, text)
	return len(line), nil
}

const (
	scrapeTimeout = 5 * time.Second // for a connection: one scrape
	scrapes       = 32              // connections at once; a new one ends the oldest
)

// listen serves GET /metrics on a port of its own, where that is asked for: the figures of a gateway that a
// server has started are on that one's page.
func (w *watcher) listen(o options, log *slog.Logger) error {
	if o.metrics == "" {
		return nil
	}
	listener, err := net.Listen(network(o.metrics), o.metrics)
	if err != nil {
		return fmt.Errorf("can't listen on %s (%w); choose another address with --metrics", o.metrics, cause(err))
	}
	connections := guard.Bound(listener, scrapes, scrapes, o.arrivals, o.proxies)
	served, err := o.serving.Listen(connections, log)
	if err != nil {
		return fmt.Errorf("can't serve metrics by TLS: %w", err)
	}
	w.figures.AddProcess()
	log.Info("metrics", "listening", listener.Addr().String())
	go w.serveFigures(served, connections, log)
	return nil
}

func (w *watcher) serveFigures(listener net.Listener, connections *guard.Connections, log *slog.Logger) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = rw.Write(w.figures.Page()) // who has gone away needs no answer
	})
	server := &http.Server{Handler: mux, ReadTimeout: scrapeTimeout, WriteTimeout: scrapeTimeout, ConnState: connections.Note, ErrorLog: stdlog.New(w, "", 0)}
	server.SetKeepAlivesEnabled(false)
	if err := server.Serve(listener); err != nil {
		log.Error("metrics are served no more", "reason", err.Error())
	}
}
