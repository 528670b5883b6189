// How many connections there are, of everybody and of each address, and how fast they come.

package guard

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Connections is a listener that keeps within its limits: a connection too many takes the place of
// one that waits for a request, of the same address or of the one that has most, and is closed where
// none waits. So nobody keeps others out with connections that do nothing. And those of an address that
// come too fast are handed on later, so that nobody keeps others waiting with new ones.
type Connections struct {
	net.Listener
	limit, each int
	proxies     Proxies // come for many callers, so only the whole limit holds for them

	ready  chan net.Conn
	failed chan error
	closed chan struct{}

	mu    sync.Mutex
	open  map[net.Conn]*connection
	of    map[netip.Addr]int
	early *arrivals
}

type connection struct {
	from  netip.Addr
	since time.Time // of its state
	waits bool      // for its turn, for a request, or for the rest of its headers
	early bool      // and so nobody serves it yet
}

// Bound makes a listener keep to limit connections, to each of one address, and to so many new ones of it a
// second. Whoever is next in the system's queue never waits there for the turns of others.
func Bound(listener net.Listener, limit, each int, perSecond float64, proxies Proxies) *Connections {
	l := &Connections{Listener: listener, limit: limit, each: each, proxies: proxies,
		ready: make(chan net.Conn), failed: make(chan error), closed: make(chan struct{}),
		open: map[net.Conn]*connection{}, of: map[netip.Addr]int{}, early: newArrivals(perSecond)}
	go l.admitAll()
	return l
}

// Accept returns the next connection that there is room for and whose turn it is.
func (l *Connections) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case err := <-l.failed:
		return nil, err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the listener, and what came to it without being handed on. It may be called once.
func (l *Connections) Close() error {
	err := l.Listener.Close()
	close(l.closed)
	l.mu.Lock()
	defer l.mu.Unlock()
	for c, known := range l.open {
		if known.early {
			l.forget(c)
			_ = c.Close()
		}
	}
	return err
}

// admitAll takes what comes, until the listener is closed.
func (l *Connections) admitAll() {
	for {
		c, err := l.Listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			l.failed <- err
			continue
		}
		if c = asReader(c); l.admit(c) {
			l.hand(c)
		}
	}
}

// serveInTurn hands on the connections of an address that came too early, as long as there are any.
func (l *Connections) serveInTurn(caller netip.Addr) {
	for {
		wait, some := l.turn(caller)
		if !some {
			return
		}
		time.Sleep(wait)
		if c := l.next(caller); c != nil {
			l.hand(c)
		}
	}
}

// hand gives a connection to whoever serves it.
func (l *Connections) hand(c net.Conn) {
	select {
	case l.ready <- c:
	case <-l.closed:
		_ = c.Close()
	}
}

// Note is an http.Server's ConnState.
func (l *Connections) Note(c net.Conn, state http.ConnState) {
	if t, isTLS := c.(*tls.Conn); isTLS {
		c = t.NetConn() // as it was accepted; in its handshake it waits like any new one
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if state == http.StateClosed {
		l.forget(c)
	} else if known := l.open[c]; known != nil {
		known.waits = state != http.StateActive
		known.since = time.Now()
	}
}

// Open is how many there are.
func (l *Connections) Open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open)
}

// Early is how many of them wait for their turn.
func (l *Connections) Early() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.early.count
}

// turn is arrivals' one.
func (l *Connections) turn(caller netip.Addr) (wait time.Duration, some bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.early.turn(caller)
}

// next takes a connection out of those that came too early.
func (l *Connections) next(caller netip.Addr) net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.early.next(caller)
	if c != nil {
		l.open[c].early = false
	}
	return c
}

// admit is whether a new connection may be served now. Else it is kept for later, or closed.
func (l *Connections) admit(c net.Conn) bool {
	from := peer(c)
	caller, trusted := Network(from), l.proxies.Trust(from)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.makeRoom(caller, trusted) {
		_ = c.Close()
		return false
	}
	known := &connection{from: caller, since: time.Now(), waits: true}
	l.open[c] = known
	l.of[caller]++
	if !trusted {
		var first bool
		if known.early, first = l.early.hold(c, caller); first {
			go l.serveInTurn(caller)
		}
	}
	return !known.early
}

// makeRoom is whether there is room for one more of a caller, now or since another one gave way.
func (l *Connections) makeRoom(caller netip.Addr, trusted bool) bool {
	switch {
	case l.of[caller] >= l.each && !trusted:
		return l.evict(caller)
	case len(l.open) >= l.limit:
		return l.evict(l.busiest())
	}
	return true
}

// busiest is the address with most connections.
func (l *Connections) busiest() (most netip.Addr) {
	for from, n := range l.of {
		if n > l.of[most] {
			most = from
		}
	}
	return most
}

// evict closes the connection of an address that has waited longest, if one waits.
func (l *Connections) evict(from netip.Addr) bool {
	var longest net.Conn
	for c, known := range l.open {
		if known.from == from && known.waits && (longest == nil || known.since.Before(l.open[longest].since)) {
			longest = c
		}
	}
	if longest == nil {
		return false
	}
	l.forget(longest)
	_ = longest.Close()
	return true
}

func (l *Connections) forget(c net.Conn) {
	known := l.open[c]
	if known == nil {
		return
	}
	if known.early {
		l.early.leave(c, known.from)
	}
	delete(l.open, c)
	if l.of[known.from]--; l.of[known.from] == 0 {
		delete(l.of, known.from)
	}
}
