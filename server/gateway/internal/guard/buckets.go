// How often each caller may do something.

package guard

import (
	"net/netip"

	"golang.org/x/time/rate"
)

// maxBuckets bounds the callers that are remembered.
const maxBuckets = 4096

// buckets are one for each caller that has done it of late. Whoever has them locks them.
type buckets struct {
	perSecond rate.Limit
	burst     int
	of        map[netip.Addr]*rate.Limiter
}

func newBuckets(perSecond float64, burst int) *buckets {
	return &buckets{rate.Limit(perSecond), burst, map[netip.Addr]*rate.Limiter{}}
}

// take returns a caller's bucket, a full one where it has none.
func (b *buckets) take(caller netip.Addr) *rate.Limiter {
	bucket := b.of[caller]
	if bucket == nil {
		b.makeRoom()
		bucket = rate.NewLimiter(b.perSecond, b.burst)
		b.of[caller] = bucket
	}
	return bucket
}

// makeRoom forgets whom nothing is held against, and if that is nobody then everybody: the memory is
// bounded, and those who go on are known again at once.
func (b *buckets) makeRoom() {
	if len(b.of) < maxBuckets {
		return
	}
	for caller, bucket := range b.of {
		if bucket.Tokens() >= float64(b.burst) {
			delete(b.of, caller)
		}
	}
	if len(b.of) == maxBuckets {
		clear(b.of)
	}
}
