// What the server said of credentials a moment ago.

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

// Verdicts remembers credentials by their hashes, those that are refused apart from the others: so many of them
// that others are forgotten costs nobody the belief in a good one.
type Verdicts struct {
	mu             sync.Mutex
	taken, refused verdicts
}

// verdicts are until when each holds.
type verdicts map[[sha256.Size]byte]time.Time

// NewVerdicts remembers nothing yet.
func NewVerdicts() *Verdicts { return &Verdicts{taken: verdicts{}, refused: verdicts{}} }

// Known is whether the server has taken a credential of late.
func (v *Verdicts) Known(credential string) bool {
	return v.look(v.taken, credential).After(time.Now())
}

// WasTaken is whether it took one when it was asked last, however long ago, as far as is remembered.
func (v *Verdicts) WasTaken(credential string) bool {
	return !v.look(v.taken, credential).IsZero()
}

// WasRefused is whether it has refused one of late.
func (v *Verdicts) WasRefused(credential string) bool {
	return v.look(v.refused, credential).After(time.Now())
}

func (v *Verdicts) look(at verdicts, credential string) time.Time {
	key := sha256.Sum256([]byte(credential))
	v.mu.Lock()
	defer v.mu.Unlock()
	return at[key]
}

// Note remembers whether the server took a credential.
func (v *Verdicts) Note(credential string, taken bool) {
	key := sha256.Sum256([]byte(credential))
	v.mu.Lock()
	defer v.mu.Unlock()
	now, before := v.refused, v.taken
	if taken {
		now, before = v.taken, v.refused
	}
	delete(before, key)
	if _, known := now[key]; !known && len(now) >= maxVerdicts {
		clear(now) // each costs the server one small call to find again
	}
	now[key] = time.Now().Add(verdictLife)
}
