// The connection to the gRPC server, as generated code sees it: the one place that every RPC passes.

package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"persona.example/persona-service/server/gateway/internal/guard"
	"persona.example/persona-service/server/gateway/internal/sparing"
)

const (
	window     = 1 << 20 // the default windows give a third of the speed with large pages
	maxMessage = 8 << 20 // the service answers with less than 4 MiB
)

// errAnswered tells fail that a streamed form has written its whole answer.
var errAnswered = errors.New("answered")

// dial makes the connection; it is opened by the first call, and again whenever it is lost.
func dial(address string, by credentials.TransportCredentials) (*grpc.ClientConn, error) {
	return grpc.NewClient(address,
		grpc.WithTransportCredentials(by),
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

// streamsEach is how many calls a connection carries at once. The server keeps 100 open, and counts those that
// are over a little longer than the gateway does; more would wait in gRPC, where callers have no turns.
const streamsEach = 64

// channel is calls to the server: so many at once, the others wait, callers by turns.
type channel struct {
	places *guard.Shares

	mu          sync.Mutex
	connections []*grpc.ClientConn
	busy        []int // calls on each
	next        int   // the first to be looked at
}

func openChannel(address string, by credentials.TransportCredentials, calls, connections int) (*channel, error) {
	connections = max(connections, (calls+streamsEach-1)/streamsEach)
	ch := &channel{places: halves(int64(calls)), busy: make([]int, connections)}
	for range ch.busy {
		conn, err := dial(address, by)
		if err != nil {
			return nil, err
		}
		ch.connections = append(ch.connections, conn)
	}
	return ch, nil
}

// enter waits for a place for a call, on a connection that has fewest; of several each in turn, since
// they may lead to several processes.
func (ch *channel) enter(ctx context.Context, c *call) (conn *grpc.ClientConn, leave func(), err error) {
	place, err := c.take(ctx, ch.places, 1)
	if err != nil {
		return nil, nil, err
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	least, fewest := ch.next, slices.Min(ch.busy)
	for ch.busy[least] > fewest {
		least = (least + 1) % len(ch.busy)
	}
	ch.next = (least + 1) % len(ch.busy)
	ch.busy[least]++
	return ch.connections[least], func() { ch.leave(least); place.Release() }, nil
}

func (ch *channel) leave(at int) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.busy[at]--
}

// reconnect has connections that wait before they try again do so at once; it returns whether all are usable
// before the context ends. On one that waits every call would fail.
func (ch *channel) reconnect(ctx context.Context) bool {
	for _, conn := range ch.connections {
		for conn.GetState() == connectivity.TransientFailure {
			conn.ResetConnectBackoff()
			if !conn.WaitForStateChange(ctx, connectivity.TransientFailure) {
				return false
			}
		}
	}
	return true
}

func (ch *channel) close() {
	for _, conn := range ch.connections {
		_ = conn.Close()
	}
}

// backend completes the requests that generated code makes, and sends them on. Exports have a channel
// of their own: they may last, and would take the places of all other calls. Each holds a window and a
// chunk in memory, so that their number is what bounds them.
type backend struct {
	calls, exports *channel
	log            *slog.Logger
	link           link
}

// link says once why the server can't be reached: callers aren't told, and each of them would meet it.
type link struct {
	lines *sparing.Log

	mu    sync.Mutex
	cause string
}

// note logs the cause of an error that gRPC has made itself, where it is another than the last one.
func (l *link) note(err error) {
	st := status.Convert(err)
	if err != nil && (st.Code() != codes.Unavailable || errorInfo(st) != nil) {
		return // the server's own answer, or the caller's doing
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if cause := st.Message(); cause != l.cause {
		l.cause = cause
		if cause != "" {
			l.lines.Write(slog.LevelWarn, "link", "the server can't be reached", "cause", cause)
		}
	}
}

func openBackend(o options, log *slog.Logger) (*backend, error) {
	host, port, err := net.SplitHostPort(o.grpc)
	if err != nil {
		return nil, err
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
		return nil, errors.New("its port must be 1 to 65535")
	}
	by, err := o.calling.Credentials(host, log)
	if err != nil {
		return nil, err
	}
	calls, err := openChannel(o.grpc, by, o.maxCalls, o.connections)
	if err != nil {
		return nil, err
	}
	exports, err := openChannel(o.grpc, by, o.maxExports, o.connections)
	return &backend{calls: calls, exports: exports, log: log, link: link{lines: sparing.New(log)}}, err
}

func (b *backend) close() {
	b.calls.close()
	b.exports.close()
}

// Invoke sends a unary RPC. A whole list takes several, and answers the HTTP request itself.
func (b *backend) Invoke(ctx context.Context, method string, request, reply any, options ...grpc.CallOption) error {
	c := callOf(ctx)
	message := request.(proto.Message)
	if err := c.complete(message); err != nil {
		return b.refusal(ctx, method, err)
	}
	if page := reply.(proto.Message); c.wantsWholeList(page) {
		return b.wholeList(ctx, method, message, page)
	}
	return b.invoke(ctx, method, request, reply, options...)
}

// invoke sends a request as it is, with the call's headers and within its deadline, when there is
// room for the answer.
func (b *backend) invoke(ctx context.Context, method string, request, reply any, options ...grpc.CallOption) error {
	c := callOf(ctx)
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(ctx, c.forwarded()), c.timeout)
	defer cancel()
	answer := reply.(proto.Message)
	if hasRows(answer.ProtoReflect().Descriptor()) {
		if err := c.takeAnswer(ctx, roomFor(request.(proto.Message))); err != nil {
			return err
		}
	}
	conn, leave, err := b.calls.enter(ctx, c)
	if err != nil {
		return err
	}
	err = conn.Invoke(ctx, method, request, reply, options...)
	leave()
	b.link.note(err)
	c.noteAnswer(err)
	c.noteVerdict(status.Code(err))
	if c.answerRoom != nil {
		c.answerRoom.Keep(int64(proto.Size(answer)) * answerFactor)
	}
	return err
}

// roomFor is what the rows that a request asks for may take.
func roomFor(request proto.Message) int64 {
	m := request.ProtoReflect()
	if fd := m.Descriptor().Fields().ByName(pageSize); fd != nil {
		if rows := m.Get(fd).Int(); rows > 0 {
			return min(rows*rowRoom, answerRoom)
		}
	}
	return answerRoom
}

// complete makes the request whole, or says why it can't be.
func (c *call) complete(request proto.Message) error {
	if c.fault != nil {
		return c.fault
	}
	m := request.ProtoReflect()
	if err := c.body.refusal(); err != nil {
		return err // what is left of a body that broke off must not be waited for
	}
	// The body is read: its deadline must not end the wait for the answer.
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Time{})
	if err := c.bindQuery(m); err != nil {
		return err
	}
	c.body.addMask(m)
	c.tried = isTried(m)
	c.member = c.body.memberOf(m.Descriptor()) // from here on errors are the server's
	return nil
}

// isTried is whether a request is only to be checked.
func isTried(request protoreflect.Message) bool {
	fd := request.Descriptor().Fields().ByName(validateOnly)
	return fd != nil && request.Get(fd).Bool()
}

// NewStream returns a server stream that answers the HTTP request once it is given the RPC's.
func (b *backend) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	return &export{backend: b, ctx: ctx, desc: desc, method: method}, nil
}
