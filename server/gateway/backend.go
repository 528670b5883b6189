// The connection to the gRPC server, as generated code sees it: the one place that every RPC passes.

package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

const (
	window     = 1 << 20 // the default windows give a third of the speed with large pages
	maxMessage = 8 << 20 // the service answers with less than 4 MiB
)

// errAnswered tells fail that a streamed form has written its whole answer.
var errAnswered = errors.New("answered")

// dial makes the connection; it is opened by the first call, and again whenever it is lost.
func dial(address string) (*grpc.ClientConn, error) {
	return grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithInitialWindowSize(window),
		grpc.WithInitialConnWindowSize(window),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.WithConnectParams(grpc.ConnectParams{
			// A restarted server is found again within two seconds, not two minutes.
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
		grpc.WithDisableServiceConfig(),
		grpc.WithNoProxy(), // a proxy of the environment is for the outside
		grpc.WithUserAgent("persona-gateway"),
	)
}

// backend completes the requests that generated code makes, and sends them on.
type backend struct {
	conn grpc.ClientConnInterface
	log  *slog.Logger
}

// Invoke sends a unary RPC. A whole list takes several, and answers the HTTP request itself.
func (b *backend) Invoke(ctx context.Context, method string, request, reply any, options ...grpc.CallOption) error {
	c := callOf(ctx)
	message := request.(proto.Message)
	if err := c.complete(message); err != nil {
		return err
	}
	if page := reply.(proto.Message); c.wantsWholeList(page) {
		return b.wholeList(ctx, method, message, page)
	}
	return b.invoke(ctx, method, request, reply, options...)
}

// invoke sends a request as it is, with the call's headers and within its deadline.
func (b *backend) invoke(ctx context.Context, method string, request, reply any, options ...grpc.CallOption) error {
	c := callOf(ctx)
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(ctx, c.forwarded()), c.timeout)
	defer cancel()
	return b.conn.Invoke(ctx, method, request, reply, options...)
}

// complete makes the request whole, or says why it can't be.
func (c *call) complete(request proto.Message) error {
	// The body is read: its deadline must not end the wait for the answer.
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Time{})
	m := request.ProtoReflect()
	if err := c.bodyError(m); err != nil {
		return err
	}
	return c.bindQuery(m)
}

// NewStream returns a server stream that answers the HTTP request once it is given the RPC's.
func (b *backend) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	return &export{backend: b, ctx: ctx, desc: desc, method: method}, nil
}
