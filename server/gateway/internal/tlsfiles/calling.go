// TLS towards the server.

package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// Calling names the files by which the server is called; without CA in plain text. CA holds the
// server's own certificate, which may then have any name, or roots of it. Cert and Key are shown to a
// server that wants a client's; Identity is both as PEM, in place of files.
type Calling struct{ CA, Cert, Key, Identity string }

// Credentials returns what a connection to a host is made with.
func (c Calling) Credentials(host string, log *slog.Logger) (credentials.TransportCredentials, error) {
	if c.CA == "" {
		return insecure.NewCredentials(), nil
	}
	trusted, err := watch(log, c.trusted(), c.CA)
	if err != nil {
		return nil, err
	}
	own, err := watch(log, c.own, c.Cert, c.Key)
	if err != nil {
		return nil, err
	}
	return credentials.NewTLS(&tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // VerifyConnection does it
		VerifyConnection:   func(state tls.ConnectionState) error { return trusted.current().verify(state, host) },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return own.current(), nil
		},
	}), nil
}

// own is the certificate that is shown; an empty one where there is none.
func (c Calling) own() (*tls.Certificate, error) {
	if c.Identity != "" {
		pair, err := tls.X509KeyPair([]byte(c.Identity), []byte(c.Identity))
		return &pair, err
	}
	if c.Cert == "" {
		return &tls.Certificate{}, nil
	}
	return loadPair(c.Cert, c.Key)
}

// trust is in certificates themselves, and in what they have signed.
type trust struct {
	itself []*x509.Certificate
	roots  *x509.CertPool
	shown  *shown
}

// shown is the certificate by which the server was known last. It is trusted whatever the file holds
// by now, since the server may take new ones a moment later, or not at all if they don't fit.
type shown struct {
	mu   sync.Mutex
	last []*x509.Certificate
}

func (s *shown) is(leaf *x509.Certificate) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.last, leaf.Equal)
}

func (s *shown) keep(leaf *x509.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = []*x509.Certificate{leaf}
}

// begin takes what the file had at the start for shown, as long as there was no connection.
func (s *shown) begin(those []*x509.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		s.last = those
	}
}

// trusted returns what reads the file.
func (c Calling) trusted() func() (*trust, error) {
	known := &shown{}
	return func() (*trust, error) {
		found, err := readAll(c.CA)
		if err != nil {
			return nil, err
		}
		known.begin(found)
		now := &trust{itself: found, roots: x509.NewCertPool(), shown: known}
		for _, one := range found {
			now.roots.AddCert(one)
		}
		return now, nil
	}
}

// verify is what is wrong with a server's certificate.
func (t *trust) verify(state tls.ConnectionState, host string) error {
	leaf, between := state.PeerCertificates[0], x509.NewCertPool()
	if t.shown.is(leaf) || slices.ContainsFunc(t.itself, leaf.Equal) {
		t.shown.keep(leaf)
		return nil
	}
	for _, one := range state.PeerCertificates[1:] {
		between.AddCert(one)
	}
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: t.roots, Intermediates: between})
	if err == nil {
		t.shown.keep(leaf)
	}
	return err
}

func readAll(file string) (found []*x509.Certificate, err error) {
	text, err := os.ReadFile(file)
	for block, rest := pem.Decode(text); err == nil && block != nil; block, rest = pem.Decode(rest) {
		var one *x509.Certificate
		if block.Type != "CERTIFICATE" {
			continue
		}
		if one, err = x509.ParseCertificate(block.Bytes); err == nil {
			found = append(found, one)
		}
	}
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%s holds no certificate as PEM", file)
	}
	return found, err
}
