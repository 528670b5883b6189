// Package cors lets browsers' pages of named origins call, by the Fetch standard. No answer takes cookies
// into account, so that none says Access-Control-Allow-Credentials.
package cors

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
)

const (
	methods = "GET, HEAD, POST, PATCH, DELETE"
	// What a request may have beside what browsers let every page send.
	requestHeaders = "Authorization, Content-Encoding, Content-Type, Grpc-Timeout, Idempotency-Key, If-None-Match, " +
		"Traceparent, Tracestate, X-API-Key, X-Request-Id"
	// What a page may read of an answer beside what browsers show every page.
	answerHeaders = "Allow, ETag, Link, Location, Retry-After, WWW-Authenticate, X-Deleted-Count, X-Next-Page-Token, X-Request-Id"
	// Seconds that a browser need not ask again: 2 hours, the most that Chromium takes.
	maxAge = "7200"
)

// Origins are those whose pages may call, as browsers write them.
type Origins map[string]bool

var form = regexp.MustCompile(`^([a-z][a-z0-9+.-]*)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$`)

var defaultPorts = map[string]string{"http": ":80", "https": ":443"}

// Add takes one origin more. No page has the origins * and null to itself, so that they are refused.
func (o Origins) Add(text string) error {
	parts := form.FindStringSubmatch(strings.ToLower(text))
	if parts == nil {
		return errors.New("must be SCHEME://HOST or SCHEME://HOST:PORT, such as https://app.example.org")
	}
	scheme, host, port := parts[1], parts[2], parts[3]
	if port == defaultPorts[scheme] {
		port = "" // which browsers leave out
	}
	o[scheme+"://"+host+port] = true
	return nil
}

// Allow sets what an answer says to a page, whatever the answer is: a page reads errors, too.
func (o Origins) Allow(h http.Header, r *http.Request) {
	if len(o) == 0 {
		return
	}
	h.Add("Vary", "Origin")
	if origin := o.of(r); origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", answerHeaders)
	}
}

// Preflight is whether a browser asks what a page may send; then the answer's headers are set. It says the
// same of every path, since the browser asks without a token.
func (o Origins) Preflight(h http.Header, r *http.Request) bool {
	if r.Method != http.MethodOptions || o.of(r) == "" || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	h.Set("Access-Control-Allow-Methods", methods)
	h.Set("Access-Control-Allow-Headers", requestHeaders)
	h.Set("Access-Control-Max-Age", maxAge)
	return true
}

// of is the origin of the page that sends a request, "" where it is none of these, or no page.
func (o Origins) of(r *http.Request) string {
	if sent := r.Header.Values("Origin"); len(sent) == 1 && o[sent[0]] {
		return sent[0]
	}
	return ""
}
