// What the gateway knows of one request, and the checks that need its route.

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

const (
	defaultTimeout = 10 * time.Second
	maxTimeout     = 60 * time.Second
	maxBody        = 4 << 20
	maxDrain       = 16 << 20
	maxToken       = 9 << 10 // the service takes tokens of 8 KiB, and headers of 12 KiB in all
)

// call is one request on its way. Generated code keeps only the text of an error, so what is wrong
// with a body waits here until the RPC is known.
type call struct {
	w         *answer
	r         *http.Request // as it came: a HEAD is still a HEAD
	requestID string

	params  map[string]string // bound in the path
	query   url.Values
	timeout time.Duration
	body    body
}

type callKey struct{}

// callOf finds the call that a context belongs to.
func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

func newCall(w *answer, r *http.Request) *call {
	c := &call{w: w, r: r, timeout: defaultTimeout}
	if ids := r.Header.Values("X-Request-Id"); len(ids) == 1 && requestIDForm.MatchString(ids[0]) {
		c.requestID = ids[0]
	} else {
		c.requestID = newUUID()
	}
	return c
}

// admit checks what every route asks of a request, before generated code reads it.
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
		for _, check := range []func(*http.Request) error{c.readQuery, c.checkParams, c.checkHeaders, c.readTimeout, c.takeBody} {
			if err := check(r); err != nil {
				g.fail(r.Context(), nil, nil, w, r, err)
				return
			}
		}
		r.Header.Del("Te") // or the runtime would switch to trailers
		next(w, r, params)
	}
}

func (c *call) readQuery(r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return invalidField("query", "is not well-formed; escape %, & and ; in it")
	}
	c.query = query
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
	traceForm     = regexp.MustCompile(`^[0-9a-f]{2}(-[0-9a-f]+)+$`)
	timeoutForm   = regexp.MustCompile(`^([0-9]{1,8})([HMSmun])$`)
)

// checkHeaders refuses what must not be forwarded twice, or can't be forwarded at all.
func (c *call) checkHeaders(r *http.Request) error {
	tokens := r.Header.Values("Authorization")
	if len(tokens) > 1 {
		return refuse(codes.Unauthenticated, unauthenticated, "Send one Authorization header, not several.")
	}
	if len(tokens) == 1 && (!printable.MatchString(tokens[0]) || len(tokens[0]) > maxToken) {
		return refuse(codes.Unauthenticated, unauthenticated, "The Authorization header holds no token.")
	}
	keys := r.Header.Values("Idempotency-Key")
	if len(keys) > 1 || len(keys) == 1 && !requestIDForm.MatchString(keys[0]) {
		return invalidField("Idempotency-Key", "must be one UUID")
	}
	return nil
}

// forwarded is the metadata of the RPC: these four headers and nothing else.
func (c *call) forwarded() metadata.MD {
	md := metadata.Pairs("x-request-id", c.requestID)
	for _, name := range []string{"Authorization", "Idempotency-Key"} {
		md.Append(name, c.r.Header.Values(name)...)
	}
	if trace := c.r.Header.Values("Traceparent"); len(trace) == 1 && len(trace[0]) <= 128 && traceForm.MatchString(trace[0]) {
		md.Set("traceparent", trace[0]) // one that is not well-formed is to be ignored, says W3C
	}
	return md
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
	r.Header.Del("Grpc-Timeout") // the runtime would apply it to whole lists and exports
	return nil
}

// takeBody refuses a body where there should be none, of another kind, or too long.
func (c *call) takeBody(r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodDelete {
		if r.ContentLength > 0 || r.ContentLength < 0 && hasByte(r.Body) {
			return invalidField("body", "must not be sent with "+c.r.Method)
		}
		return nil
	}
	if r.ContentLength > maxBody {
		return c.tooLarge()
	}
	if r.ContentLength != 0 {
		if err := checkContentType(r.Header); err != nil {
			return err
		}
	}
	r.Body = &bodyReader{http.MaxBytesReader(c.w.ResponseWriter, r.Body, maxBody), c}
	return nil
}

// tooLarge refuses a body over maxBody; the service itself refuses a message over 3 MiB. It throws
// away what comes, up to maxDrain: many clients read an answer only when all is sent.
func (c *call) tooLarge() error {
	if c.r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, c.r.Body, maxDrain)
	}
	limit := strconv.Itoa(maxBody)
	return &runtime.HTTPStatusError{HTTPStatus: http.StatusRequestEntityTooLarge,
		Err: detailed(codes.InvalidArgument, messageTooLarge, "The body has more than "+limit+" bytes. Send it in parts.",
			map[string]string{"limit": limit})}
}

func hasByte(r io.Reader) bool {
	n, _ := io.ReadFull(r, make([]byte, 1))
	return n > 0
}

func checkContentType(h http.Header) error {
	kind, options, err := mime.ParseMediaType(h.Get("Content-Type"))
	charset, named := options["charset"]
	isJSON := err == nil && kind == "application/json" && (!named || strings.EqualFold(charset, "utf-8"))
	if !isJSON || len(h.Values("Content-Type")) > 1 {
		return unsupported("Content-Type", "must be application/json")
	}
	if h.Get("Content-Encoding") != "" {
		return unsupported("Content-Encoding", "must not be set; send the JSON as it is")
	}
	return nil
}

func unsupported(header, description string) error {
	return &runtime.HTTPStatusError{HTTPStatus: http.StatusUnsupportedMediaType, Err: invalidField(header, description)}
}

// newUUID makes a random (version 4) UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
