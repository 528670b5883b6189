// New connections of an address that come too fast are served later.

package guard

import (
	"net"
	"net/netip"
	"slices"
	"time"
)

// arrivalsAtOnce are new connections of one address that wait for nothing: as many as browsers and pools
// open, and few enough that others hardly feel them being served.
const arrivalsAtOnce = 64

// arrivals keeps the new connections that have to wait, each an entry of its address's queue: until its turn
// it costs no goroutine, no buffer and no handshake. Whoever has them locks them.
type arrivals struct {
	paces  *buckets
	queues map[netip.Addr][]net.Conn
	count  int
}

// newArrivals serves so many a second of each address, beyond arrivalsAtOnce.
func newArrivals(perSecond float64) *arrivals {
	return &arrivals{paces: newBuckets(perSecond, arrivalsAtOnce), queues: map[netip.Addr][]net.Conn{}}
}

// hold keeps a new connection if it has to wait; first is whether its caller had no queue before.
func (a *arrivals) hold(c net.Conn, caller netip.Addr) (held, first bool) {
	q, some := a.queues[caller]
	if !some && a.paces.take(caller).Allow() {
		return false, false
	}
	a.queues[caller] = append(q, c)
	a.count++
	return true, !some
}

// turn is how long it is until the next one of a queue may be served; there is no queue once it is empty.
func (a *arrivals) turn(caller netip.Addr) (wait time.Duration, some bool) {
	if len(a.queues[caller]) == 0 {
		delete(a.queues, caller)
		return 0, false
	}
	return a.paces.take(caller).Reserve().Delay(), true
}

// next takes the first one out of a queue; nil if all have left it.
func (a *arrivals) next(caller netip.Addr) net.Conn {
	if len(a.queues[caller]) == 0 {
		return nil
	}
	first := a.queues[caller][0]
	a.leave(first, caller)
	return first
}

// leave takes one out. Its turn is that of the next one: had each its own from its arrival on, a flood of such
// that give way to each other would put off the last for hours.
func (a *arrivals) leave(c net.Conn, caller netip.Addr) {
	q := a.queues[caller]
	at := slices.Index(q, c)
	a.queues[caller] = slices.Delete(q, at, at+1)
	a.count--
}
