// Callers that are refused over and over are refused sooner.

package guard

import (
	"net/netip"
	"sync"
)

// Refusals counts the refused requests of each caller.
type Refusals struct {
	mu      sync.Mutex
	buckets *buckets
}

// NewRefusals lets each caller be refused so often in a second, and ten seconds' worth at once.
func NewRefusals(perSecond float64) *Refusals {
	return &Refusals{buckets: newBuckets(perSecond, max(int(10*perSecond), 1))}
}

// Count notes that a caller was refused.
func (r *Refusals) Count(caller netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.buckets.take(caller).Allow()
}

// Exceeded is whether a caller was refused too often.
func (r *Refusals) Exceeded(caller netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	bucket := r.buckets.of[caller]
	return bucket != nil && bucket.Tokens() < 1
}
