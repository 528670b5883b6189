// Package guard bounds what callers take of the gateway, each by itself and all together.
package guard

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// Shares is an amount, of bytes or of calls, that callers share: nobody holds more than one share of
// it, and who waits for more of an own share keeps no other caller waiting.
type Shares struct {
	most, each int64
	total      *semaphore.Weighted

	taken, waiting atomic.Int64 // as somebody who watches sees them

	mu      sync.Mutex
	callers map[netip.Addr]*share
}

// share is what one caller holds; it is forgotten with its last user.
type share struct {
	held  *semaphore.Weighted
	users int
}

// NewShares divides an amount into shares of at most each.
func NewShares(total, each int64) *Shares {
	return &Shares{most: total, each: each, total: semaphore.NewWeighted(total), callers: map[netip.Addr]*share{}}
}

// Total is the whole amount.
func (s *Shares) Total() int64 { return s.most }

// Taken is how much of it is held.
func (s *Shares) Taken() int64 { return s.taken.Load() }

// Waiting is how many wait for some.
func (s *Shares) Waiting() int64 { return s.waiting.Load() }

// Taken is a part of an amount that somebody holds.
type Taken struct {
	shares *Shares
	caller netip.Addr
	mine   *share
	n      int64
}

// Take waits for n of the amount, or for a whole share if that is less. The error is the context's.
func (s *Shares) Take(ctx context.Context, caller netip.Addr, n int64) (*Taken, error) {
	n = min(n, s.each)
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	mine := s.enter(caller)
	if err := mine.held.Acquire(ctx, n); err != nil {
		s.leave(caller, mine)
		return nil, err
	}
	if err := s.total.Acquire(ctx, n); err != nil {
		mine.held.Release(n)
		s.leave(caller, mine)
		return nil, err
	}
	s.taken.Add(n)
	return &Taken{s, caller, mine, n}, nil
}

// TryTake takes n of the amount if it is there without waiting, else nil.
func (s *Shares) TryTake(caller netip.Addr, n int64) *Taken {
	n = min(n, s.each)
	mine := s.enter(caller)
	if !mine.held.TryAcquire(n) {
		s.leave(caller, mine)
		return nil
	}
	if !s.total.TryAcquire(n) {
		mine.held.Release(n)
		s.leave(caller, mine)
		return nil
	}
	s.taken.Add(n)
	return &Taken{s, caller, mine, n}
}

// Keep gives back all but n.
func (t *Taken) Keep(n int64) {
	if spare := t.n - n; spare > 0 {
		t.n = n
		t.shares.taken.Add(-spare)
		t.shares.total.Release(spare)
		t.mine.held.Release(spare)
	}
}

// Release gives back everything. Nothing may be done with t after it.
func (t *Taken) Release() {
	t.Keep(0)
	t.shares.leave(t.caller, t.mine)
}

func (s *Shares) enter(caller netip.Addr) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.callers[caller]
	if mine == nil {
		mine = &share{held: semaphore.NewWeighted(s.each)}
		s.callers[caller] = mine
	}
	mine.users++
	return mine
}

func (s *Shares) leave(caller netip.Addr, mine *share) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if mine.users--; mine.users == 0 {
		delete(s.callers, caller)
	}
}
