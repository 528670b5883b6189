// Whose call it is, as an address that can be counted.

package guard

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose X-Forwarded-For is believed.
type Proxies []netip.Prefix

// ParseProxies reads networks such as 10.0.0.0/8, or single addresses, separated by commas.
func ParseProxies(text string) (Proxies, error) {
	var proxies Proxies
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		prefix, err := netip.ParsePrefix(word)
		if addr, single := netip.ParseAddr(word); single == nil {
			prefix, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			return nil, fmt.Errorf("%q is neither a network such as 10.0.0.0/8 nor an address", word)
		}
		proxies = append(proxies, prefix.Masked())
	}
	return proxies, nil
}

// Trust is whether an address is one of the proxies.
func (p Proxies) Trust(addr netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// Caller is the address that a request comes from: that of its connection, and behind proxies the
// last one in X-Forwarded-For that is not a proxy itself. What stands left of it anybody can write.
func (p Proxies) Caller(r *http.Request) netip.Addr {
	caller := parseHost(r.RemoteAddr)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && p.Trust(caller); i-- {
		hop := parseHost(strings.TrimSpace(hops[i]))
		if !hop.IsValid() {
			break
		}
		caller = hop
	}
	return caller
}

// Network is what is counted as one caller: an IPv4 address, or the /64 that one IPv6 subscriber has.
func Network(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	prefix, _ := addr.Prefix(64) // every IPv6 address has 64 bits
	return prefix.Addr()
}

// peer is the other end of a connection.
func peer(c net.Conn) netip.Addr {
	if address, isTCP := c.RemoteAddr().(*net.TCPAddr); isTCP {
		return plain(address.AddrPort().Addr())
	}
	return netip.Addr{}
}

// parseHost reads an address with or without a port; what is none is the zero Addr.
func parseHost(text string) netip.Addr {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		with, _ := netip.ParseAddrPort(text)
		addr = with.Addr()
	}
	return plain(addr)
}

// plain is an address in the one form that it is compared in.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
