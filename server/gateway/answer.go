// Answers: in the form that a client takes, and written by progress.

package main

import (
	"compress/gzip"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"persona.example/persona-service/generated/openapi"
	"persona.example/persona-service/server/gateway/internal/representation"
)

const (
	writeStep   = 64 << 10 // what must get through before a reader has stood too long
	leastPacked = 1 << 10  // a shorter body is hardly shorter packed
	packers     = 8        // answers that are packed at once: each takes a megabyte
)

// patience is how slow a reader may be: how long a step may take, and how many bytes of an answer must get
// through in each second on the whole.
type patience struct {
	step time.Duration
	pace int
}

// brisk is for an answer that is held in memory until it is read.
func brisk(stall time.Duration) patience { return patience{step: stall, pace: 16 << 10} }

// patient is for an export, of which that is one chunk, and their number is bounded; its reader may have to think.
var patient = patience{step: 2 * time.Minute, pace: 1 << 10}

// answer is a ResponseWriter that gives every step of a body its own deadline, so that a slow reader
// may take its time and a stuck one may not. A body without a status (200, then) is packed where the client
// takes that, and left out where it is whole, read by GET and there already.
type answer struct {
	http.ResponseWriter
	request  *http.Request
	packers  representation.Packers
	patience patience
	status   int           // 0 until it is begun
	written  int           // bytes of body
	waited   time.Duration // for the reader
	packer   *gzip.Writer  // of an answer that is packed as it comes
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.renew()
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	switch {
	case a.status == 0 && a.Header().Get("Content-Length") == strconv.Itoa(len(p)):
		return a.writeWhole(p)
	case a.status == 0:
		a.begin()
	}
	if a.packer != nil {
		return a.packer.Write(p)
	}
	return a.send(p)
}

// writeWhole writes a body that is all there.
func (a *answer) writeWhole(body []byte) (int, error) {
	return a.writeForm(body, representation.Tag(body), a.packers.Pack)
}

// writeForm writes a body that has this tag, as it is or as pack makes it, which may give nothing.
func (a *answer) writeForm(body []byte, tag string, pack func([]byte) []byte) (int, error) {
	h, packs := a.Header(), a.takesPacked() && len(body) >= leastPacked
	if a.reads() && representation.Has(a.request.Header.Values("If-None-Match"), tag) {
		a.name(tag, packs)
		h.Del("Content-Length")
		h.Del("Content-Type")
		a.WriteHeader(http.StatusNotModified)
		return len(body), nil
	}
	var packed []byte
	if packs {
		packed = pack(body)
	}
	if packed != nil {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(packed)))
	}
	a.name(tag, packed != nil)
	a.status = http.StatusOK
	if packed == nil {
		return a.send(body)
	}
	_, err := a.send(packed)
	return len(body), err
}

// reads is whether a request only reads, and so may find that nothing has changed.
func (a *answer) reads() bool {
	return a.request.Method == http.MethodGet || a.request.Method == http.MethodHead
}

// name lets a client keep what it has read, and ask each time whether it is still that.
func (a *answer) name(tag string, packed bool) {
	if !a.reads() {
		return
	}
	if packed {
		tag = representation.Packed(tag)
	}
	h := a.Header()
	h.Set("Etag", tag)
	h.Set("Cache-Control", "private, no-cache")
	h.Add("Vary", "Authorization, X-API-Key")
}

// isKnown is whether a client has a whole list of which the first page is there; then it is answered. The tag
// is of the list's version, and of the page, since a restored database counts its versions anew. It is a weak
// one: what changes meanwhile may be in the later pages already.
func (a *answer) isKnown(version []string, first proto.Message) bool {
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(first)
	if len(version) != 1 || err != nil {
		return false
	}
	text = fmt.Append(text, version[0], formOfJSON)
	tag := "W/" + representation.Tag(text)
	a.name(tag, false)
	if !representation.Has(a.request.Header.Values("If-None-Match"), tag) {
		return false
	}
	a.takesPacked()
	a.WriteHeader(http.StatusNotModified)
	return true
}

// formOfJSON is another one where the same message may be other JSON.
var formOfJSON = representation.Tag(openapi.Document)

// takesPacked is whether the client takes gzip, which is from now on what the answer depends on.
func (a *answer) takesPacked() bool {
	a.Header().Add("Vary", "Accept-Encoding")
	return representation.AcceptsGzip(a.request.Header.Values("Accept-Encoding"))
}

// begin decides on the form of a body that comes in parts.
func (a *answer) begin() {
	a.status = http.StatusOK
	if a.takesPacked() {
		a.packer = a.packers.Take(sender(a.send))
	}
	if a.packer != nil {
		a.Header().Set("Content-Encoding", "gzip")
	}
}

// sender is where what is packed goes.
type sender func([]byte) (int, error)

func (s sender) Write(p []byte) (int, error) { return s(p) }

func (a *answer) send(p []byte) (int, error) {
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

// FlushError sends what is written so far.
func (a *answer) FlushError() error {
	if a.packer != nil {
		if err := a.packer.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// end completes a body that came in parts.
func (a *answer) end() error {
	if a.packer == nil {
		return nil
	}
	return a.packer.Close()
}

// release gives back what an answer has taken, ended or not.
func (a *answer) release() {
	if a.packer != nil {
		a.packers.Return(a.packer)
		a.packer = nil
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
