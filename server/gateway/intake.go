// How a body comes in: for a token that the server takes, when there is memory for it, and in time.

package main

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"

	"persona.example/persona-service/server/gateway/internal/representation"
)

const (
	maxBody   = 4 << 20
	maxDrain  = 16 << 20
	firstPart = 64 << 10    // of a body whose length is not said
	restGrace = time.Second // for what comes of a body that nobody asked for
	bodyGrace = 10 * time.Second
	bodyPace  = 128 << 10 // bytes in each second after the grace
)

// bodyReader carries the call to the decoder, which is given nothing but a reader.
type bodyReader struct {
	io.ReadCloser
	call *call
}

// openBody refuses a body where there should be none, of another kind, or too long, and waits for its turn.
// The token is known to be good where a body comes.
func (c *call) openBody(r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodDelete {
		if r.ContentLength > 0 || r.ContentLength < 0 && hasByte(r.Body) {
			return invalidField(wholeBody, "must not be sent with "+c.r.Method)
		}
		return nil
	}
	if r.ContentLength != 0 {
		if err := c.askFor(r); err != nil {
			return err
		}
	}
	body := http.MaxBytesReader(c.w.ResponseWriter, r.Body, maxBody)
	if isPacked(r.Header) {
		body = http.MaxBytesReader(c.w.ResponseWriter, representation.Unpack(body), maxBody)
	}
	r.Body = &bodyReader{body, c}
	return nil
}

func (c *call) askFor(r *http.Request) error {
	if r.ContentLength > maxBody {
		return c.tooLarge()
	}
	if err := checkContentType(r.Header); err != nil {
		c.w.Header().Set("Accept-Encoding", "gzip") // RFC 9110, 15.5.16
		return err
	}
	length := lengthOf(r)
	if length < 0 {
		length = firstPart
	}
	return c.awaitTurn(r.Context(), length)
}

// bodyTime is how long a body may take, or so many bytes of one; a length below 0 is not known.
func bodyTime(length int64) time.Duration {
	if length < 0 {
		length = maxBody
	}
	return bodyGrace + time.Duration(length)*time.Second/bodyPace
}

// readWithin gives what is left of a request a time to come.
func (c *call) readWithin(d time.Duration) { c.readUntil(time.Now().Add(d)) }

func (c *call) readUntil(t time.Time) {
	_ = http.NewResponseController(c.w).SetReadDeadline(t)
}

// isPacked is whether a body is packed; x-gzip is the same as gzip (RFC 9110, 8.4.1.3).
func isPacked(h http.Header) bool {
	coding := strings.ToLower(h.Get("Content-Encoding"))
	return coding == "gzip" || coding == "x-gzip"
}

// lengthOf is how much a body holds, below 0 where nobody knows yet.
func lengthOf(r *http.Request) int64 {
	if isPacked(r.Header) {
		return -1
	}
	return r.ContentLength
}

// tooLarge refuses a body over maxBody; the service itself refuses a message over 3 MiB. It throws
// away what comes, up to maxDrain: many clients read an answer only when all is sent.
func (c *call) tooLarge() error {
	if c.r.Header.Get("Expect") == "" {
		c.readWithin(bodyGrace)
		_, _ = io.CopyN(io.Discard, c.r.Body, maxDrain)
	}
	limit := strconv.Itoa(maxBody)
	return &runtime.HTTPStatusError{HTTPStatus: http.StatusRequestEntityTooLarge,
		Err: detailed(codes.InvalidArgument, messageTooLarge, "The body has more than "+limit+" bytes. Send it in parts.",
			map[string]string{"limit": limit})}
}

// tooSlow is said of a body that was not there in time, as the server says it of a message.
var tooSlow = tryLater(deadlineReason, "The body did not come in time. Nothing was done; try again.")

// hasByte is whether something comes, or may still come.
func hasByte(r io.Reader) bool {
	_, err := io.ReadFull(r, make([]byte, 1))
	return !errors.Is(err, io.EOF)
}

func checkContentType(h http.Header) error {
	kind, options, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || kind != "application/json" || len(h.Values("Content-Type")) > 1 {
		return unsupported("Content-Type", "must be application/json")
	}
	if charset, named := options["charset"]; named && !strings.EqualFold(charset, "utf-8") {
		return unsupported("Content-Type", "must be application/json in utf-8, of no other charset")
	}
	if codings := h.Values("Content-Encoding"); len(codings) > 1 || len(codings) == 1 && !isPacked(h) && !strings.EqualFold(codings[0], "identity") {
		return unsupported("Content-Encoding", "must be gzip, or not be set")
	}
	return nil
}

func unsupported(header, description string) error {
	return &runtime.HTTPStatusError{HTTPStatus: http.StatusUnsupportedMediaType, Err: invalidField(header, description)}
}
