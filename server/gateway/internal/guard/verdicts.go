// Credentials that the server took a moment ago.

package guard

import (
	"crypto/sha256"
	"sync"
	"time"
)

const (
	verdictLife = 30 * time.Second // so long a credential is believed that may be revoked by now
	maxVerdicts = 4096
)

// Verdicts remembers credentials by their hashes.
type Verdicts struct {
	mu    sync.Mutex
	until map[[sha256.Size]byte]time.Time
}

// NewVerdicts remembers nothing yet.
func NewVerdicts() *Verdicts { return &Verdicts{until: map[[sha256.Size]byte]time.Time{}} }

// Known is whether the server has taken a credential of late.
func (v *Verdicts) Known(credential string) bool {
	key := sha256.Sum256([]byte(credential))
	v.mu.Lock()
	defer v.mu.Unlock()
	return time.Now().Before(v.until[key])
}

// Note remembers that the server took a credential, or forgets one that it did not take.
func (v *Verdicts) Note(credential string, taken bool) {
	key := sha256.Sum256([]byte(credential))
	v.mu.Lock()
	defer v.mu.Unlock()
	if !taken {
		delete(v.until, key)
		return
	}
	if _, known := v.until[key]; !known && len(v.until) >= maxVerdicts {
		clear(v.until) // each costs the server one small call to find again
	}
	v.until[key] = time.Now().Add(verdictLife)
}
