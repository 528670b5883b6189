// TLS towards callers.

package tlsfiles

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"
)

// Serving names the files by which callers are served; without Cert in plain text. With ClientCA only
// those with a certificate of one in that file are.
type Serving struct{ Cert, Key, ClientCA string }

// Listen wraps a listener. Handshakes are made by whoever serves the connections, within its limits.
func (s Serving) Listen(inner net.Listener, log *slog.Logger) (net.Listener, error) {
	if s.Cert == "" {
		return inner, nil
	}
	config, err := watch(log, s.config, s.Cert, s.Key, s.ClientCA)
	if err != nil {
		return nil, err
	}
	return tls.NewListener(inner, &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return config.current(), nil },
	}), nil
}

// config offers no HTTP/2: bodies and connections are bounded as HTTP/1.1 has them, with one request
// of a connection at a time. docs/security.md has what HTTP/2 was measured to cost.
func (s Serving) config() (*tls.Config, error) {
	pair, err := loadPair(s.Cert, s.Key)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, Certificates: []tls.Certificate{*pair}}
	if s.ClientCA != "" {
		config.ClientAuth = tls.RequireAndVerifyClientCert
		config.ClientCAs = x509.NewCertPool()
		err = addAll(config.ClientCAs, s.ClientCA)
	}
	return config, err
}

// loadPair reads a certificate with its key, by the rules of the server, which may have the same files:
// so either both take new ones or neither does.
func loadPair(cert, key string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	switch pair.PrivateKey.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey:
		return &pair, checkValid(cert, pair.Leaf)
	}
	return nil, fmt.Errorf("%s holds a key of another kind than RSA and EC", key)
}

// addAll adds the authorities of a file, of which the one that lives longest must be valid.
func addAll(pool *x509.CertPool, file string) error {
	found, err := readAll(file)
	if err != nil {
		return err
	}
	for _, one := range found {
		pool.AddCert(one)
	}
	return checkValid(file, slices.MaxFunc(found, func(a, b *x509.Certificate) int {
		return a.NotAfter.Compare(b.NotAfter)
	}))
}

func checkValid(file string, one *x509.Certificate) error {
	switch now := time.Now(); {
	case now.After(one.NotAfter):
		return fmt.Errorf("the certificate in %s has expired", file)
	case now.Before(one.NotBefore):
		return fmt.Errorf("the certificate in %s is not valid yet", file)
	}
	return nil
}
