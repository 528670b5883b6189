// TLS towards callers.

package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"os"
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

// loadPair reads a certificate with its key; one that has expired is none.
func loadPair(cert, key string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	if time.Now().After(pair.Leaf.NotAfter) {
		return nil, fmt.Errorf("the certificate in %s has expired", cert)
	}
	return &pair, nil
}

func addAll(pool *x509.CertPool, file string) error {
	text, err := os.ReadFile(file)
	if err == nil && !pool.AppendCertsFromPEM(text) {
		err = fmt.Errorf("%s holds no certificate as PEM", file)
	}
	return err
}
