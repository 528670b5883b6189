// Callers whose bodies are refused wait before their next ones are read.

package guard

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// Paces lets so many bytes a second of each caller's bodies be refused: the next ones wait, one by one,
// until that is so. Who sends what is taken waits for nothing.
type Paces struct {
	perSecond int64

	mu   sync.Mutex
	next map[netip.Addr]time.Time // when a caller's next body may be read
}

// NewPaces lets so many bytes a second be refused.
func NewPaces(perSecond int64) *Paces {
	return &Paces{perSecond: perSecond, next: map[netip.Addr]time.Time{}}
}

// Turn is that of a body; where its caller has to wait, others of that one wait for it.
type Turn struct {
	paces  *Paces
	caller netip.Addr
	booked time.Duration
}

// Take waits for the turn of a body of so many bytes, as far as is known. The error is the context's.
func (p *Paces) Take(ctx context.Context, caller netip.Addr, bytes int64) (*Turn, error) {
	wait, booked := p.book(caller, p.worth(bytes))
	turn := &Turn{p, caller, booked}
	if wait <= 0 {
		return turn, nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return turn, nil
	case <-ctx.Done():
		turn.Over(0, false)
		return nil, ctx.Err()
	}
}

// Overtaken is whether a body that did not have to wait would have to now.
func (t *Turn) Overtaken() bool {
	t.paces.mu.Lock()
	defer t.paces.mu.Unlock()
	return t.booked == 0 && t.paces.next[t.caller].After(time.Now())
}

// Over ends a turn with how many bytes the body had, and whether it was refused.
func (t *Turn) Over(bytes int64, refused bool) {
	p, now := t.paces, time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.next[t.caller]
	if next.Before(now) {
		next = now
	}
	next = next.Add(-t.booked)
	if refused {
		next = next.Add(p.worth(bytes))
		p.makeRoom(now)
	}
	if next.After(now) {
		p.next[t.caller] = next
	} else {
		delete(p.next, t.caller)
	}
}

// book returns how long a body has to wait, and how much longer the next one.
func (p *Paces) book(caller netip.Addr, worth time.Duration) (wait, booked time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next, now := p.next[caller], time.Now()
	if !next.After(now) {
		return 0, 0
	}
	p.next[caller] = next.Add(worth)
	return next.Sub(now), worth
}

func (p *Paces) worth(bytes int64) time.Duration {
	return time.Duration(bytes) * time.Second / time.Duration(p.perSecond)
}

// makeRoom forgets who need not wait any more, and if that is nobody then everybody.
func (p *Paces) makeRoom(now time.Time) {
	if len(p.next) < maxBuckets {
		return
	}
	for caller, next := range p.next {
		if next.Before(now) {
			delete(p.next, caller)
		}
	}
	if len(p.next) >= maxBuckets {
		clear(p.next)
	}
}
