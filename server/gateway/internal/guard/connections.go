// How many connections there are, of everybody and of each address.

package guard

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Connections is a listener that keeps within its limits: a connection too many takes the place of
// one that waits for a request, of the same address or of the one that has most, and is closed where
// none waits. So nobody keeps others out with connections that do nothing.
type Connections struct {
	net.Listener
	limit, each int
	proxies     Proxies // come for many callers, so only the whole limit holds for them

	mu   sync.Mutex
	open map[net.Conn]*connection
	of   map[netip.Addr]int
}

type connection struct {
	from  netip.Addr
	since time.Time // of its state
	waits bool      // for a request, or for the rest of its headers
}

// Bound makes a listener keep to limit connections, and each of one address.
func Bound(listener net.Listener, limit, each int, proxies Proxies) *Connections {
	return &Connections{Listener: listener, limit: limit, each: each, proxies: proxies,
		open: map[net.Conn]*connection{}, of: map[netip.Addr]int{}}
}

// Accept returns the next connection that there is room for.
func (l *Connections) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || l.admit(c) {
			return c, err
		}
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

func (l *Connections) admit(c net.Conn) bool {
	from := peer(c)
	l.mu.Lock()
	defer l.mu.Unlock()
	caller := Network(from)
	room := true
	if l.of[caller] >= l.each && !l.proxies.Trust(from) {
		room = l.evict(caller)
	} else if len(l.open) >= l.limit {
		room = l.evict(l.busiest())
	}
	if room {
		l.open[c] = &connection{from: caller, since: time.Now(), waits: true}
		l.of[caller]++
	}
	return room
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
	delete(l.open, c)
	if l.of[known.from]--; l.of[known.from] == 0 {
		delete(l.of, known.from)
	}
}
