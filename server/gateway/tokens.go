// What can be said of a token without the server's key, worded as the server words it.

package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
)

const (
	maxToken = 9 << 10 // the service takes tokens of 8 KiB, and headers of 12 KiB in all
	leeway   = time.Minute
)

// checkAuthorization refuses a request whose header the server would refuse as well, whatever its keys.
func (c *call) checkAuthorization(r *http.Request) error {
	values := r.Header.Values("Authorization")
	switch {
	case len(values) == 0:
		return noToken("A token is required: authorization: Bearer <token>.")
	case len(values) > 1:
		return noToken("Send one Authorization header, not several.")
	case !printable.MatchString(values[0]) || len(values[0]) > maxToken:
		return noToken("The Authorization header holds no token.")
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "bearer") || token == "" {
		return noToken("The authorization value must be: Bearer <token>.")
	}
	if hasExpired(token) {
		return noToken("The token has expired. Get a new one: persona token.")
	}
	return nil
}

func noToken(text string) error { return refuse(codes.Unauthenticated, unauthenticated, text) }

// hasExpired is whether a token is a JWT that says of itself that it is over, by more than any leeway.
func hasExpired(token string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Exp float64 `json:"exp"`
	}
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Exp == 0 {
		return false
	}
	return claims.Exp < float64(time.Now().Add(-leeway).Unix())
}
