// What the gateway answers itself, to everybody: whether it lives and whether the service does, and what there
// is to call, for programs and for people.

package main

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"persona.example/persona-service/generated/openapi"
	"persona.example/persona-service/server/gateway/internal/pages"
	"persona.example/persona-service/server/gateway/internal/representation"
)

const (
	probeTimeout = 2 * time.Second
	probeLife    = time.Second // so long one answer of the service's health is everybody's
)

// health asks the service how it is, one question at a time: many probes cost it no more than one.
type health struct {
	backend *backend

	mu      sync.Mutex
	until   time.Time
	serving bool
}

// isServing is whether the service says so, or said so a moment ago.
func (h *health) isServing(ctx context.Context) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Now().Before(h.until) {
		return h.serving
	}
	// A probe that is given up must not speak for the others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	h.serving = h.backend.isServing(ctx)
	h.until = time.Now().Add(probeLife)
	return h.serving
}

// ownPaths are those that the gateway answers itself, before any limit of an address: whoever probes runs
// it, perhaps from behind a proxy that is not trusted, and what is static costs nothing.
func (g *gateway) ownPaths() map[string]func(*call) {
	state := &health{backend: g.backend}
	paths := map[string]func(*call){
		"/healthz": func(c *call) { c.writeJSON(`{"status":"LIVING"}`) },
		"/readyz": func(c *call) {
			if !state.isServing(c.r.Context()) {
				c.writeProblem(0, tryLater(unreachable, "The service is not ready."))
				return
			}
			c.writeJSON(`{"status":"SERVING"}`)
		},
		"/openapi.json": g.static("application/json", openapi.Document),
	}
	for _, page := range pages.All() {
		serve := g.static(page.ContentType, page.Content)
		paths[page.Path] = func(c *call) {
			c.w.Header().Set("Content-Security-Policy", pages.Policy)
			serve(c)
		}
	}
	return paths
}

// static serves what never changes, packed once.
func (g *gateway) static(contentType string, content []byte) func(*call) {
	tag, packed := representation.Tag(content), g.packers.Pack(content)
	return func(c *call) {
		h := c.w.Header()
		h.Set("Content-Type", contentType)
		h.Set("Content-Length", strconv.Itoa(len(content)))
		_, _ = c.w.writeForm(content, tag, func([]byte) []byte { return packed }) // who has gone away needs no answer
	}
}

// answersItself is whether a request is none that the service would have to answer.
func (g *gateway) answersItself(c *call) bool {
	if g.origins.Preflight(c.w.Header(), c.r) {
		c.w.WriteHeader(http.StatusNoContent)
		return true
	}
	serve := g.own[c.r.URL.Path]
	switch {
	case serve == nil:
		return false
	case c.r.Method == http.MethodGet || c.r.Method == http.MethodHead:
		serve(c)
	default:
		c.writeNotAllowed("GET, HEAD")
	}
	return true
}

func (c *call) writeJSON(text string) {
	h := c.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	c.w.WriteHeader(http.StatusOK) // said, so that nobody keeps it
	_, _ = c.w.Write([]byte(text)) // a client that has gone away needs no answer
}

// isServing asks the service's health, past all calls that wait, and whether each connection can carry some.
func (b *backend) isServing(ctx context.Context) bool {
	answer, err := healthpb.NewHealthClient(b.calls.connections[0]).Check(ctx, &healthpb.HealthCheckRequest{})
	b.link.note(err)
	return err == nil && answer.GetStatus() == healthpb.HealthCheckResponse_SERVING &&
		b.calls.reconnect(ctx) && b.exports.reconnect(ctx)
}
