// Who may call: what can be said of a token without the server's key, worded as the server words it,
// and how the server is asked for the rest. It comes before anything that is said about a request.

package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	personav1 "persona.example/persona-service/generated/go/persona/v1"
)

const (
	maxToken = 9 << 10 // the service takes tokens of 8 KiB, and headers of 12 KiB in all
	leeway   = time.Minute
	apiRoot  = "/api/" // below it nobody is told what is there without a token
)

// identify refuses a caller who has no token that the server takes and asks for what is below apiRoot.
func (g *gateway) identify(c *call, r *http.Request) error {
	if !strings.HasPrefix(r.URL.Path, apiRoot) {
		return nil
	}
	if err := c.checkAuthorization(r); err != nil {
		return err
	}
	return g.checkToken(r.Context(), c)
}

// checkToken asks the server whether it takes the call's token, unless it said so a moment ago. Any RPC
// will do: the token is checked before its scopes.
func (g *gateway) checkToken(ctx context.Context, c *call) error {
	if c.vouched() {
		return nil
	}
	defer c.spends()()
	err := g.backend.ask(ctx, personav1.ProjectService_GetProject_FullMethodName)
	if code := status.Code(err); code == codes.Unauthenticated || isUndecided(code) {
		return err
	}
	return nil
}

// refusal is the answer to a request of an RPC with a fault: who may not make the call hears only that.
func (b *backend) refusal(ctx context.Context, method string, fault error) error {
	err := b.ask(ctx, method)
	switch code := status.Code(err); {
	case code == codes.Unauthenticated || code == codes.PermissionDenied:
		return err
	case isUndecided(code) && !callOf(ctx).vouched():
		return err
	}
	return fault
}

// ask sends what the server refuses for what it is, after it has found that the caller may make the call.
func (b *backend) ask(ctx context.Context, method string) error {
	return b.invoke(ctx, method, noRequest, &emptypb.Empty{})
}

// noRequest has a field that no message of the contract has, and so is not a request of any RPC.
var noRequest = func() proto.Message {
	message := &emptypb.Empty{}
	unknown := protowire.AppendTag(nil, protowire.MaxValidNumber, protowire.VarintType)
	message.ProtoReflect().SetUnknown(protowire.AppendVarint(unknown, 1))
	return message
}()

// isUndecided is whether a call may have ended before the server looked at its token.
func isUndecided(code codes.Code) bool {
	switch code {
	case codes.Canceled, codes.Unknown, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Unimplemented, codes.Internal, codes.Unavailable:
		return true
	}
	return false
}

// noteVerdict learns from an answer whether the server takes the call's token.
func (c *call) noteVerdict(code codes.Code) {
	if !isUndecided(code) {
		for _, credential := range authorizations(c.r) {
			c.limits.verdicts.Note(bearer(credential), code != codes.Unauthenticated)
		}
	}
}

// authorizations is what a request brings to say who calls, as Authorization has it. An X-API-Key stands for
// the key as a bearer; what is no API key it stands for nothing that is taken.
func authorizations(r *http.Request) []string {
	values := r.Header.Values("Authorization")
	keys := r.Header.Values("X-Api-Key")
	if len(keys) == 0 {
		return values
	}
	all := slices.Clone(values)
	for _, key := range keys {
		if strings.HasPrefix(key, "psk_") {
			all = append(all, "Bearer "+key)
		} else {
			all = append(all, "X-API-Key")
		}
	}
	return all
}

// checkAuthorization refuses a request whose header the server would refuse as well, whatever its keys.
func (c *call) checkAuthorization(r *http.Request) error {
	values := authorizations(r)
	switch {
	case len(values) == 0:
		return noToken("A token or an API key is required: authorization: Bearer <token or key>, or x-api-key: <key>.")
	case len(values) > 1:
		return noToken("There is more than one token or API key; send one, by authorization or by x-api-key.")
	case !printable.MatchString(values[0]) || len(values[0]) > maxToken:
		return noToken("The Authorization header holds no token.")
	}
	token := bearer(values[0])
	if token == "" {
		return noToken("authorization must be: Bearer <token or API key>; x-api-key must be an API key.")
	}
	if expired, issuer := hasExpired(token); expired {
		if issuer == ownIssuer {
			return noToken("The token has expired. Get a new one: persona token.")
		}
		return noToken("The token has expired. Get a new one.")
	}
	return nil
}

// bearer is the token of an Authorization header, "" where it has none. One token is so one and the same, however
// the header is written.
func bearer(authorization string) string {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

func noToken(text string) error { return refuse(codes.Unauthenticated, unauthenticated, text) }

// ownIssuer is in the tokens that `persona token` makes.
const ownIssuer = "persona-service"

// hasExpired is whether a token is a JWT that says of itself that it is over, by more than any leeway, and
// whose it says that it is.
func hasExpired(token string) (expired bool, issuer any) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false, nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Exp float64 `json:"exp"`
		Iss any     `json:"iss"`
	}
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Exp == 0 {
		return false, nil
	}
	return claims.Exp < float64(time.Now().Add(-leeway).Unix()), claims.Iss
}
