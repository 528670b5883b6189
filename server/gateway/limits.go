// What the gateway gives to all its callers, and to each: connections, requests, bytes, calls.

package main

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	personav1 "persona.example/persona-service/generated/go/persona/v1"
	"persona.example/persona-service/server/gateway/internal/guard"
)

// What bytes cost in memory, measured with the worst messages that pass scan.Check.
const (
	bodyFactor   = 8        // of a body: the text, what is built of it, and what is sent on
	leastBody    = 32 << 10 // however short
	answerFactor = 4        // of an answer on the wire: its message and its text beside it
	answerRoom   = 8 << 20  // for an answer with rows, until its length is known, …
	rowRoom      = 16 << 10 // … or less, for each row that is asked for
)

// What of an address's bodies may be refused.
const (
	refusedPace = 16 << 20 // bytes a second
	valueBytes  = 100      // that each value in them counts for, since it is decoded
)

// limits are shared by all requests. One address gets a half of each amount, so that it can't keep
// others waiting.
type limits struct {
	proxies  guard.Proxies
	requests *guard.Shares // at once
	parts    *guard.Shares // bytes of memory, of bodies on their way, …
	wholes   *guard.Shares // … places, of those that find no room for a part, …
	bodies   *guard.Shares // … and bytes of memory, of those that are there
	answers  *guard.Shares // bytes of memory
	refusals *guard.Refusals
	paces    *guard.Paces
	verdicts *guard.Verdicts
}

func newLimits(o options) *limits {
	bodies := int64(o.bodyMiB) << 20
	parts := bodies / 8
	return &limits{
		proxies:  o.proxies,
		requests: guard.NewShares(int64(o.maxConnections), int64(o.maxRequestsEach)),
		parts:    halves(parts),
		wholes:   guard.NewShares(2, 1),
		bodies:   halves(bodies - parts),
		answers:  halves(int64(o.answerMiB) << 20),
		refusals: guard.NewRefusals(o.refusals),
		paces:    guard.NewPaces(refusedPace),
		verdicts: guard.NewVerdicts(),
	}
}

// halves shares an amount so that one caller can have half of it.
func halves(total int64) *guard.Shares { return guard.NewShares(total, max(total/2, 1)) }

// enter is whether a request may come in; leave goes with it.
func (l *limits) enter(c *call) (leave func(), refused error) {
	if l.refusals.Exceeded(c.network) && !c.vouched() && !l.tries(c) {
		return nil, tryLater(tooMany, "Requests from this address were refused too often. Send a valid token, or wait.")
	}
	place := l.requests.TryTake(c.network, 1)
	if place == nil {
		return nil, tryLater(tooMany, "This address has too many requests at once.")
	}
	return place.Release, nil
}

// tries is whether the server is asked for a token although its address is refused too often: where it took
// that one before, and for few that nothing is known of. Of those each has the same chance, whoever sends more.
func (l *limits) tries(c *call) bool {
	if c.checkAuthorization(c.r) != nil {
		return false
	}
	token := bearer(authorizations(c.r)[0])
	return l.verdicts.WasTaken(token) || !l.verdicts.WasRefused(token) && l.refusals.Try(c.network)
}

// count notes a request that was refused without a token that the server takes, or whose caller left
// before the server could say.
func (l *limits) count(c *call) {
	refused := c.w.status >= http.StatusBadRequest && (c.w.status < http.StatusInternalServerError || c.left())
	if refused && !c.vouched() {
		l.refusals.Count(c.network)
	}
}

// vouched is whether the server took this call's token of late.
func (c *call) vouched() bool {
	tokens := authorizations(c.r)
	return len(tokens) == 1 && c.limits.verdicts.Known(bearer(tokens[0]))
}

// take waits for n of an amount, as long as the call has time.
func (c *call) take(ctx context.Context, from *guard.Shares, n int64) (*guard.Taken, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	taken, err := from.Take(ctx, c.network, n)
	switch {
	case err == nil:
		return taken, nil
	case c.hurries && !c.left():
		return nil, tooLate
	}
	return nil, tryLater(unreachable, "The gateway has too much to do. Nothing was done; try again.")
}

// spends has what goes by until it ends be of the call's time.
func (c *call) spends() (ended func()) {
	begun := time.Now()
	return func() { c.timeout -= time.Since(begun) }
}

// tooLate is said where the time that a caller gives has passed before the service was asked.
var tooLate = refuse(codes.DeadlineExceeded, deadlineReason, "The deadline of Grpc-Timeout passed. Nothing was done.")

// awaitDecoding waits until a body of so many bytes, which is there, has room to be decoded.
func (c *call) awaitDecoding(ctx context.Context, length int64) error {
	if err := c.takeBody(ctx, length); err != nil {
		return err
	}
	if c.bodyTurn == nil || !c.bodyTurn.Overtaken() {
		return nil
	}
	release(&c.bodyRoom) // others of the address were refused while this one waited for room
	if err := c.awaitTurn(ctx, length); err != nil {
		return err
	}
	return c.takeBody(ctx, length)
}

// awaitTurn waits as long as a body has to since those before it were refused.
func (c *call) awaitTurn(ctx context.Context, length int64) (err error) {
	defer c.spends()()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if c.bodyTurn, err = c.limits.paces.Take(ctx, c.network, length); err != nil {
		return tryLater(tooMany, "Too much of what this address sends is refused. Send what can be taken, or wait.")
	}
	return nil
}

// endTurn says whether a body was in vain: the next one waits for that.
func (c *call) endTurn() {
	if c.bodyTurn != nil {
		refused := c.w.status >= http.StatusBadRequest && c.w.status < http.StatusInternalServerError
		c.bodyTurn.Over(c.bodyLength+int64(c.body.values)*valueBytes, refused || c.late)
	}
}

// takeBody makes room to decode a body of so many bytes.
func (c *call) takeBody(ctx context.Context, length int64) (err error) {
	defer c.spends()()
	c.bodyRoom, err = c.take(ctx, c.limits.bodies, max(length*bodyFactor, leastBody))
	return err
}

// takeAnswer makes room for an answer that is not there yet.
func (c *call) takeAnswer(ctx context.Context, room int64) (err error) {
	release(&c.answerRoom)
	c.answerRoom, err = c.take(ctx, c.limits.answers, room)
	return err
}

// release gives back all that a call has.
func (c *call) release() {
	release(&c.bodyRoom)
	release(&c.bodyWhole)
	release(&c.answerRoom)
	c.releaseParts()
}

// release gives back what a call has, if it has it.
func release(taken **guard.Taken) {
	if *taken != nil {
		(*taken).Release()
		*taken = nil
	}
}

// Reasons of what a moment may heal, …
const (
	tooMany     = personav1.ErrorReason_ERROR_REASON_TOO_MANY_REQUESTS
	unreachable = personav1.ErrorReason_ERROR_REASON_UNREACHABLE
)

// … and their codes.
var retryCodes = map[personav1.ErrorReason]codes.Code{
	tooMany:        codes.ResourceExhausted,
	unreachable:    codes.Unavailable,
	deadlineReason: codes.DeadlineExceeded,
}

// tryLater is an error of the gateway's own for one of these reasons.
func tryLater(reason personav1.ErrorReason, text string) error {
	info := &errdetails.ErrorInfo{Domain: errorDomain, Reason: reasonText(reason)}
	return withDetails(status.New(retryCodes[reason], text), info, &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)})
}

// callerOf is who a request is counted for, and the address itself.
func (l *limits) callerOf(r *http.Request) (network, address netip.Addr) {
	address = l.proxies.Caller(r)
	return guard.Network(address), address
}
