// What the gateway knows of one request, and the checks that need its route.

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"persona.example/persona-service/server/gateway/internal/guard"
)

const (
	defaultTimeout = 10 * time.Second
	maxTimeout     = 60 * time.Second

	// The server believes the address for the secret that only it and its gateway know.
	secretKey  = "persona-gateway-secret"
	addressKey = "persona-caller-address"
)

// call is one request on its way. What is wrong with it waits here until the RPC is known, and with it
// who may hear of it; generated code would keep only the text of an error.
type call struct {
	w         *answer
	r         *http.Request // as it came: a HEAD is still a HEAD
	requestID string
	fault     error // what is wrong beside the body
	theirs    error // what the server has refused it with last
	cut       bool  // whether its answer was broken off, or it ended since its caller left

	watcher          *watcher
	limits           *limits
	network, address netip.Addr     // who calls, as it is counted and as it is
	secret           string         // by which the server knows the gateway; "" has none
	bodyRoom         *guard.Taken   // to decode it
	bodyParts        []*guard.Taken // that have come
	bodyWhole        *guard.Taken   // a place for all of it, in place of more parts
	late             bool           // whether it came too slowly
	bodyTurn         *guard.Turn
	bodyLength       int64 // of what was decoded, or waited for in vain
	answerRoom       *guard.Taken

	params  map[string]string // bound in the path
	query   url.Values
	key     string        // Idempotency-Key, "" has none
	timeout time.Duration // that is left; a body's coming takes none of it
	hurries bool          // whether its caller has said how long it waits
	body    body
	tried   bool   // whether nothing is to be made, even if its answer has an id that its caller gave
	member  string // the field of the RPC's request that the body is, once it is sent; "" where there is no such field
}

type callKey struct{}

// callOf finds the call that a context belongs to.
func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

func (g *gateway) newCall(w *answer, r *http.Request) *call {
	c := &call{w: w, r: r, timeout: defaultTimeout, watcher: g.watcher, limits: g.limits, secret: g.secret}
	c.network, c.address = g.limits.callerOf(r)
	if ids := r.Header.Values("X-Request-Id"); len(ids) == 1 && requestIDForm.MatchString(ids[0]) {
		c.requestID = ids[0]
	} else {
		c.requestID = newUUID()
	}
	return c
}

// admit checks what every route asks of a request, before generated code reads it. What is wrong with
// the request itself waits until the RPC is known, and with it who may call it.
func (g *gateway) admit(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, params map[string]string) {
		otherPath := verbInID(r.URL, params)
		if p, asking := r.Context().Value(probeKey{}).(*probe); asking {
			p.matched = !otherPath
			return
		}
		if otherPath {
			g.misroute(r.Context(), nil, nil, w, r, http.StatusMethodNotAllowed)
			return
		}
		c := callOf(r.Context())
		c.params = params
		if err := g.receive(c, r); err != nil {
			g.fail(r.Context(), nil, nil, w, r, err)
			return
		}
		r.Header.Del("Te")                              // or the runtime would switch to trailers
		r.Header.Del("Grpc-Timeout")                    // … would apply it to whole lists and exports
		r.Form, r.PostForm = url.Values{}, url.Values{} // … would read the query, and a form from the body
		next(w, r, params)
	}
}

// receive reads what a request says beside its body, and lets the body come. It returns why the caller
// is refused; what is wrong with the request is left in the call.
func (g *gateway) receive(c *call, r *http.Request) error {
	if err := c.checkAuthorization(r); err != nil {
		return err
	}
	c.fault = c.read(r)
	if r.ContentLength != 0 {
		if err := g.checkToken(r.Context(), c); err != nil {
			return err
		}
		c.readWithin(restGrace)
	}
	if c.fault == nil {
		c.fault = c.openBody(r)
	}
	if c.fault != nil {
		r.Body = &bodyReader{http.NoBody, c}
	}
	return nil
}

// read takes what a request says beside its body.
func (c *call) read(r *http.Request) error {
	for _, part := range []func(*http.Request) error{c.readQuery, c.checkParams, checkConditions, c.readKey, c.readTimeout} {
		if err := part(r); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) readQuery(r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return invalidField("query", "is not well-formed; escape %, & and ; in it")
	}
	c.query = query
	return nil
}

// checkConditions refuses what would make a change depend on what is there: who asks for it believes that
// nobody else's change is lost.
func checkConditions(r *http.Request) error {
	names := []string{"If-Match", "If-Unmodified-Since"}
	if r.Method != http.MethodGet {
		names = append(names, "If-None-Match")
	}
	for _, name := range names {
		if len(r.Header.Values(name)) > 0 {
			return invalidField(name, "is not supported, of two changes the last one stays; leave it out")
		}
	}
	return nil
}

func (c *call) checkParams(*http.Request) error {
	for name, value := range c.params {
		if !utf8.ValidString(value) {
			return invalidField(name, "is not UTF-8")
		}
	}
	return nil
}

var (
	printable     = regexp.MustCompile(`^[ -~]+$`)
	requestIDForm = regexp.MustCompile(`^[!-~]{1,128}$`)
	traceForm     = regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-[!-~]{1,73})?$`)
	stateForm     = regexp.MustCompile(`^[ -~]+$`)
	timeoutForm   = regexp.MustCompile(`^([0-9]{1,8})([HMSmun])$`)
)

// readKey takes an Idempotency-Key that can be forwarded. That it is a UUID is the server's to check.
func (c *call) readKey(r *http.Request) error {
	keys := r.Header.Values("Idempotency-Key")
	if len(keys) == 0 {
		return nil
	}
	key := unquoted(keys[0])
	if len(keys) > 1 || !requestIDForm.MatchString(key) {
		return invalidField("Idempotency-Key", "must be one UUID")
	}
	c.key = key
	return nil
}

// unquoted is what a structured field's string holds, in which form the header's draft has the key.
func unquoted(value string) string {
	if inner, quoted := strings.CutPrefix(value, `"`); quoted && strings.HasSuffix(inner, `"`) {
		return inner[:len(inner)-1]
	}
	return value
}

// forwarded is the metadata of the RPC: what these headers say, and from the gateway itself who calls.
func (c *call) forwarded() metadata.MD {
	md := metadata.Pairs("x-request-id", c.requestID)
	md.Append("authorization", authorizations(c.r)...)
	if c.key != "" {
		md.Set("idempotency-key", c.key)
	}
	if trace := c.traceparent(); trace != "" {
		md.Set("traceparent", trace)
		if state := c.tracestate(); state != "" {
			md.Set("tracestate", state)
		}
	}
	if c.secret != "" {
		md.Append(secretKey, c.secret)
		md.Append(addressKey, c.address.String())
	}
	return md
}

// traceparent says to which trace a request belongs; "" without one. One that is not well-formed is to be
// ignored, says W3C.
func (c *call) traceparent() string {
	trace := c.r.Header.Values("Traceparent")
	if len(trace) == 1 && isTrace(trace[0]) {
		return trace[0]
	}
	return ""
}

// tracestate is what tracing systems have to say of the trace; "" without it. Of a long one 512 characters need be
// forwarded, says W3C, and gRPC's metadata has ASCII alone.
func (c *call) tracestate() string {
	state := strings.Join(c.r.Header.Values("Tracestate"), ",")
	if len(state) > 512 || !stateForm.MatchString(state) {
		return ""
	}
	return state
}

// isTrace is whether the server takes this for a trace as well: ids of zeros and version ff are none, and only
// versions after 00 have more behind them.
func isTrace(text string) bool {
	parts := traceForm.FindStringSubmatch(text)
	return parts != nil && parts[1] != "ff" && strings.Trim(parts[2], "0") != "" && strings.Trim(parts[3], "0") != "" &&
		(parts[1] != "00" || parts[4] == "")
}

// left is whether its caller has gone away.
func (c *call) left() bool { return c.r.Context().Err() != nil }

// noteAnswer keeps an error that is the server's own, not to be taken for one of the gateway's.
func (c *call) noteAnswer(err error) {
	if err != nil && errorInfo(status.Convert(err)) != nil {
		c.theirs = err
	}
}

var timeoutUnits = map[string]time.Duration{
	"H": time.Hour, "M": time.Minute, "S": time.Second,
	"m": time.Millisecond, "u": time.Microsecond, "n": time.Nanosecond,
}

// readTimeout takes the deadline of a Grpc-Timeout header, in gRPC's notation, up to maxTimeout.
func (c *call) readTimeout(r *http.Request) error {
	values := r.Header.Values("Grpc-Timeout")
	if len(values) == 0 {
		return nil
	}
	parts := timeoutForm.FindStringSubmatch(values[0])
	if len(values) > 1 || parts == nil {
		return invalidField("Grpc-Timeout", "must be up to 8 digits and a unit of H, M, S, m, u or n, for example 5S")
	}
	number, _ := strconv.Atoi(parts[1])
	unit := timeoutUnits[parts[2]]
	c.timeout = unit * time.Duration(min(number, int(maxTimeout/unit)+1)) // the product can't overflow
	c.timeout = min(c.timeout, maxTimeout)
	c.hurries = true
	return nil
}

// newUUID makes a random (version 4) UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
