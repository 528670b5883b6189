// How a body arrives: it holds what has come of it, and room for as much again. So whoever sends slowly takes little
// from others.
//
// What bodies take of memory at most, with the 24 MiB of --body-memory:
//
//   - 1 KiB of each, for which nobody asks: 2.3 MiB, since there are 2,304 connections.
//   - 3 MiB of parts (limits.parts), half of them one address's.
//   - 8 MiB of whole bodies (limits.wholes): two of maxBody, of two addresses. Who finds no room for the next part
//     goes on in such a place, which has room for all of it, and so waits for nobody who may wait for it. Who holds
//     nothing yet may wait for a part.
//   - What is decoded (limits.bodies, 21 MiB) is all there, so nobody waits for its sender. It is two bodies that are
//     worth more than an address's half of that, for the 28 MiB that each of them takes beside its place; or others,
//     whose parts it has in it, for bodyFactor times each, so 21 MiB.
//
// These are 70 MiB. With 24 MiB of answers they keep what docs/promises.md says (R11).

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"time"
)

const (
	leastPart = 1 << 10  // for which nobody asks
	mostPart  = 64 << 10 // for which there is room before it has come
)

// arriving is a body on its way.
type arriving struct {
	call   *call
	begun  time.Time
	waited time.Duration // for room
	come   int
	parts  [][]byte
	whole  []byte // in place of the parts, once there is a place for all of it
}

// all reads a body to its end, and makes room for what is built of it.
func (r *bodyReader) all() ([]byte, error) {
	length := int(lengthOf(r.call.r))
	most := length
	if length < 0 {
		most = maxBody + 1 // one that long ends by an error
	}
	a := &arriving{call: r.call, begun: time.Now()}
	r.call.w.renew() // the first read says 100 Continue, and the turn may have taken longer than a step
	err := a.read(r, most)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		r.call.bodyLength, r.call.late = int64(most), true
	}
	if errors.Is(err, io.EOF) && length < 0 {
		err = nil
	}
	if err != nil || a.come == 0 {
		return nil, err
	}
	r.call.readUntil(time.Time{}) // or the wait would end when the body should have come
	if err := r.call.awaitDecoding(r.call.r.Context(), int64(a.come)); err != nil {
		return nil, err
	}
	return a.text(), nil
}

// read reads so many bytes. The error is io.EOF where there are fewer.
func (a *arriving) read(r io.Reader, most int) error {
	for a.come < most {
		n := min(max(a.come, leastPart), mostPart, most-a.come)
		part, err := a.room(n, most)
		if err != nil {
			return err
		}
		a.call.readUntil(a.begun.Add(a.waited + min(bodyTime(int64(a.come+n)), bodyTime(a.call.r.ContentLength))))
		got, err := fill(r, part)
		a.come += got
		if a.whole == nil {
			a.parts = append(a.parts, part[:got])
		}
		if err != nil && a.come < most {
			return err
		}
	}
	return nil
}

// room is where the next n bytes go.
func (a *arriving) room(n, most int) ([]byte, error) {
	c := a.call
	if a.come > 0 && c.bodyWhole == nil {
		begun := time.Now()
		if err := c.takePart(c.r.Context(), int64(n)); err != nil {
			return nil, err
		}
		a.waited += time.Since(begun)
	}
	if c.bodyWhole == nil {
		return make([]byte, n), nil
	}
	if a.whole == nil { // grown, it would leave as much behind
		a.whole = make([]byte, most)
		come := a.whole[:0]
		for _, part := range a.parts {
			come = append(come, part...)
		}
		a.parts = nil
		c.releaseParts()
	}
	return a.whole[a.come:][:n], nil
}

// text is all that has come, once there is room to decode it.
func (a *arriving) text() []byte {
	switch {
	case a.whole != nil:
		return a.whole[:a.come]
	case len(a.parts) == 1:
		return a.parts[0]
	}
	defer a.call.releaseParts()
	return slices.Concat(a.parts...)
}

// fill reads until there is no more, or no more room.
func fill(r io.Reader, part []byte) (got int, err error) {
	for got < len(part) && err == nil {
		var n int
		n, err = r.Read(part[got:])
		got += n
	}
	return got, err
}

// takePart makes room for n more bytes of a body, or for all of it.
func (c *call) takePart(ctx context.Context, n int64) (err error) {
	defer c.spends()()
	part := c.limits.parts.TryTake(c.network, n)
	if part == nil {
		c.bodyWhole = c.limits.wholes.TryTake(c.network, 1)
	}
	switch {
	case part == nil && c.bodyWhole == nil && len(c.bodyParts) == 0:
		part, err = c.take(ctx, c.limits.parts, n)
	case part == nil && c.bodyWhole == nil:
		c.bodyWhole, err = c.take(ctx, c.limits.wholes, 1)
	}
	if part != nil {
		c.bodyParts = append(c.bodyParts, part)
	}
	return err
}

func (c *call) releaseParts() {
	for _, part := range c.bodyParts {
		part.Release()
	}
	c.bodyParts = nil
}
