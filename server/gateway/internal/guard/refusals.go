// Callers that are refused over and over are refused sooner.

package guard

import (
	"net/netip"
	"sync"

	"golang.org/x/time/rate"
)

// maxBuckets bounds the callers that are remembered.
const maxBuckets = 4096

// Refusals counts the refused requests of each caller.
type Refusals struct {
	perSecond rate.Limit
	burst     int

	mu      sync.Mutex
	buckets map[netip.Addr]*rate.Limiter
}

// NewRefusals lets each caller be refused so often in a second, and ten seconds' worth at once.
func NewRefusals(perSecond float64) *Refusals {
	return &Refusals{perSecond: rate.Limit(perSecond), burst: max(int(10*perSecond), 1), buckets: map[netip.Addr]*rate.Limiter{}}
}

// Count notes that a caller was refused.
func (r *Refusals) Count(caller netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	bucket := r.buckets[caller]
	if bucket == nil {
		r.makeRoom()
		bucket = rate.NewLimiter(r.perSecond, r.burst)
		r.buckets[caller] = bucket
	}
	bucket.Allow()
}

// Exceeded is whether a caller was refused too often.
func (r *Refusals) Exceeded(caller netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	bucket := r.buckets[caller]
	return bucket != nil && bucket.Tokens() < 1
}

// makeRoom forgets whom nothing is held against, and if that is nobody then everybody: the memory is
// bounded, and those who go on are known again at once.
func (r *Refusals) makeRoom() {
	if len(r.buckets) < maxBuckets {
		return
	}
	for caller, bucket := range r.buckets {
		if bucket.Tokens() >= float64(r.burst) {
			delete(r.buckets, caller)
		}
	}
	if len(r.buckets) == maxBuckets {
		clear(r.buckets)
	}
}
