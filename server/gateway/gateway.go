// The way of a request: gateway.ServeHTTP → the runtime's mux → admit (checks that need the route) →
// generated code, which decodes path and body → backend, which sends the RPC → respond.

package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	routes "persona.example/persona-service/generated/gateway/persona/v1"
	personav1 "persona.example/persona-service/generated/go/persona/v1"
	"persona.example/persona-service/server/gateway/internal/cors"
	"persona.example/persona-service/server/gateway/internal/representation"
)

// gateway is the root handler. Nothing that cleans paths may stand in front of its mux: a redirect
// from …/personas/x/.. would reach the route that deletes all personas.
type gateway struct {
	mux     *runtime.ServeMux
	backend *backend
	limits  *limits
	origins cors.Origins
	packers representation.Packers
	own     map[string]func(*call) // by path
	secret  string
	brisk   patience
	watcher *watcher
	log     *slog.Logger
}

func newGateway(b *backend, o options, w *watcher, log *slog.Logger) (*gateway, error) {
	g := &gateway{
		backend: b, limits: newLimits(o), origins: o.origins, packers: representation.NewPackers(packers),
		secret: o.secret, brisk: brisk(o.stall), watcher: w, log: log,
	}
	g.own = g.ownPaths()
	g.mux = runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, newMarshaler()),
		runtime.SetQueryParameterParser(noQuery{}),
		runtime.WithUnescapingMode(runtime.UnescapingModeAllExceptReserved),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithWriteContentLength(),
		runtime.WithIncomingHeaderMatcher(noHeader),
		runtime.WithOutgoingHeaderMatcher(noHeader),
		runtime.WithOutgoingTrailerMatcher(noHeader),
		runtime.WithMiddlewares(g.admit),
		runtime.WithForwardResponseOption(respond),
		runtime.WithErrorHandler(g.fail),
		runtime.WithRoutingErrorHandler(g.misroute),
	)
	return g, g.register(b)
}

// register gives the mux the routes of every service of the contract.
func (g *gateway) register(b *backend) error {
	ctx := context.Background()
	return errors.Join(
		routes.RegisterPersonaServiceHandlerClient(ctx, g.mux, personav1.NewPersonaServiceClient(b)),
		routes.RegisterProjectServiceHandlerClient(ctx, g.mux, personav1.NewProjectServiceClient(b)),
		routes.RegisterResponseServiceHandlerClient(ctx, g.mux, personav1.NewResponseServiceClient(b)),
		routes.RegisterSimulationServiceHandlerClient(ctx, g.mux, personav1.NewSimulationServiceClient(b)),
		routes.RegisterComparisonServiceHandlerClient(ctx, g.mux, personav1.NewComparisonServiceClient(b)),
		routes.RegisterLibraryServiceHandlerClient(ctx, g.mux, personav1.NewLibraryServiceClient(b)),
	)
}

// noHeader forwards nothing: backend chooses what an RPC carries, respond what an answer does.
func noHeader(string) (string, bool) { return "", false }

// noQuery leaves the query alone: generated code reads it only for RPCs with unbound fields, so that
// DELETE …/personas?persona_id=5 would delete all. backend reads it, for every RPC.
type noQuery struct{}

func (noQuery) Parse(proto.Message, url.Values, *utilities.DoubleArray) error { return nil }

// ServeHTTP gives a request its id, refuses paths that could be mistaken, and routes it.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := g.newCall(&answer{ResponseWriter: w, request: r, packers: g.packers, patience: g.brisk}, r)
	setHeaders(w.Header(), c)
	g.origins.Allow(w.Header(), r)
	if r.ContentLength != 0 {
		c.readWithin(restGrace) // net/http reads what is left of a body before it answers
	}
	defer g.watcher.begin(c)()
	defer g.limits.count(c)
	defer c.endTurn()
	defer g.recover(c)
	defer c.release()
	defer c.w.release()
	if g.answersItself(c) {
		return
	}
	leave, refused := g.limits.enter(c)
	if refused != nil {
		c.writeProblem(0, refused)
		return
	}
	defer leave()
	r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
	r.URL = plainColons(r.URL)
	if !wellFormed(r.URL) {
		g.misroute(r.Context(), nil, nil, c.w, r, http.StatusNotFound)
		return
	}
	if r.Method == http.MethodHead { // net/http drops the body of the original's answer
		r.Method = http.MethodGet
	}
	g.mux.ServeHTTP(c.w, r)
}

// setHeaders sets what every answer has.
func setHeaders(h http.Header, c *call) {
	h.Set("X-Request-Id", c.requestID)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	closeWhereHidden(h, c.r)
}

// closeWhereHidden makes a connection end with the answer to a request that may be meant to smuggle another
// one past a proxy: in chunks, but with a length as well, or in chunks although of HTTP/1.0, which has none.
// net/http reads the one by its chunks and the other by its length, but hides the rest, so no connection of
// a chunked request or of HTTP/1.0 is used again (RFC 9112, 6.1).
func closeWhereHidden(h http.Header, r *http.Request) {
	if len(r.TransferEncoding) > 0 || !r.ProtoAtLeast(1, 1) {
		h.Set("Connection", "close")
	}
}

// wellFormed refuses what another program on the way could read as another path.
func wellFormed(u *url.URL) bool {
	path, rooted := strings.CutPrefix(u.EscapedPath(), "/")
	for _, segment := range strings.Split(path, "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil || plain == "" || plain == "." || plain == ".." || strings.Contains(plain, "/") {
			return false
		}
	}
	return rooted
}

// plainColons is an address with its colons as they are. In a path %3A means the same, but the mux would
// not find the verb behind one that is escaped. Nothing is decoded twice: %253A has no %3A in it.
func plainColons(u *url.URL) *url.URL {
	plain := *u
	plain.RawPath = escapedColon.Replace(u.RawPath)
	return &plain
}

var escapedColon = strings.NewReplacer("%3A", ":", "%3a", ":")

// verbInID is whether a route takes the end of a path for an id that is one with a verb, as that of
// DELETE …/personas/{persona_id} takes x:promote. No id has a colon, so it is not its path.
func verbInID(u *url.URL, params map[string]string) bool {
	path := u.EscapedPath()
	last := path[strings.LastIndexByte(path, '/')+1:]
	for _, value := range params {
		if value == last && strings.Contains(last, ":") {
			return true
		}
	}
	return false
}

// misroute answers for a path or a method that there is not, to a caller who may know what there is.
func (g *gateway) misroute(ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, code int) {
	if _, asking := ctx.Value(probeKey{}).(*probe); asking {
		return
	}
	c := callOf(ctx)
	if err := g.identify(c, r); err != nil {
		g.fail(ctx, nil, nil, w, r, err)
		return
	}
	allowed := ""
	if code == http.StatusMethodNotAllowed {
		allowed = strings.Join(g.methods(r), ", ")
	}
	if allowed == "" {
		c.writeProblem(http.StatusNotFound, refuse(codes.NotFound, unknownPath, "There is no such path."))
		return
	}
	c.writeNotAllowed(allowed)
}

// writeNotAllowed answers to a method that a path does not take.
func (c *call) writeNotAllowed(allowed string) {
	c.w.Header().Set("Allow", allowed)
	c.writeProblem(http.StatusMethodNotAllowed, refuse(codes.Unimplemented, methodNotAllowed, "This path takes only "+allowed+"."))
}

// probe asks the mux whether it has a route, without following it: admit answers yes and returns.
type probe struct{ matched bool }

type probeKey struct{}

// methods lists what a path takes. The mux has no such list, so it is asked method by method.
func (g *gateway) methods(r *http.Request) []string {
	var found []string
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		p := &probe{}
		ask := r.WithContext(context.WithValue(r.Context(), probeKey{}, p))
		ask.Method = method
		g.mux.ServeHTTP(nil, ask)
		if p.matched {
			found = append(found, method)
		}
		if p.matched && method == http.MethodGet {
			found = append(found, http.MethodHead)
		}
	}
	return found
}
