// Callers that are refused over and over are refused sooner.

package guard

import (
	"net/netip"
	"sync"
)

// trials are tokens a second that a caller may still try when it was refused too often: behind its address there
// may be others, whose tokens are good.
const trials = 5

// Refusals counts the refused requests of each caller.
type Refusals struct {
	mu      sync.Mutex
	buckets *buckets
	trials  *buckets
}

// NewRefusals lets each caller be refused so often in a second, and ten seconds' worth at once.
func NewRefusals(perSecond float64) *Refusals {
	return &Refusals{buckets: newBuckets(perSecond, max(int(10*perSecond), 1)), trials: newBuckets(trials, trials)}
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

// Try is whether a caller that was refused too often may try a token all the same.
func (r *Refusals) Try(caller netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.trials.take(caller).Allow()
}
