// The two forms that have no length: a whole list, made of pages, and an export, made of chunks. Both
// hold one page or chunk at a time, answer with a problem until the first one is there, and cut the
// connection if a later one fails.

package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

const (
	pageSize      = protoreflect.Name("page_size")
	pageToken     = protoreflect.Name("page_token")
	nextPageToken = protoreflect.Name("next_page_token")
)

// wantsWholeList is whether a list was asked for without a word about pages.
func (c *call) wantsWholeList(page proto.Message) bool {
	return isList(page.ProtoReflect().Descriptor()) && !c.query.Has(string(pageSize)) && !c.query.Has(string(pageToken))
}

// isList is whether an answer is nothing but rows and a token. One that says more beside its rows, as a
// lineage does, has no form without pages.
func isList(page protoreflect.MessageDescriptor) bool {
	fields := page.Fields()
	return fields.Len() == 2 && fields.ByName(nextPageToken) != nil &&
		(isRows(fields.Get(0)) || isRows(fields.Get(1)))
}

// wholeList writes every page into one JSON array. Each page has the deadline of a call of its own.
func (b *backend) wholeList(ctx context.Context, method string, request, page proto.Message) error {
	r := newRows(callOf(ctx), array)
	m := request.ProtoReflect()
	for {
		if err := b.invoke(ctx, method, request, page); err != nil {
			return b.broken(r, method, err)
		}
		r.write(page)
		next := tokenAfter(page)
		proto.Reset(page) // it must not be held while the next one waits for room
		release(&r.call.answerRoom)
		if next == "" || r.headOnly() {
			return r.end()
		}
		m.Set(m.Descriptor().Fields().ByName(pageToken), protoreflect.ValueOfString(next))
	}
}

// tokenAfter is the token of the page after this one, "" after the last and for what is no page.
func tokenAfter(page proto.Message) string {
	m := page.ProtoReflect()
	if fd := m.Descriptor().Fields().ByName(nextPageToken); fd != nil {
		return m.Get(fd).String()
	}
	return ""
}

// broken passes an error on while it can still be a problem, and cuts the answer when it can't.
func (b *backend) broken(r *rows, method string, err error) error {
	if r.begun {
		b.log.Warn("answer cut", "request_id", r.call.requestID, "method", method, "code", status.Code(err).String())
		r.cut()
	}
	return err
}

// export is the client side of a server stream, as far as generated code uses it: SendMsg returns
// errAnswered or an error, so that nothing else is called.
type export struct {
	grpc.ClientStream
	backend *backend
	ctx     context.Context
	desc    *grpc.StreamDesc
	method  string
}

// SendMsg sends the RPC and writes every persona that comes as a line of JSON.
func (e *export) SendMsg(request any) error {
	c := callOf(e.ctx)
	if err := c.complete(request.(proto.Message)); err != nil {
		return e.backend.refusal(e.ctx, e.method, err)
	}
	r := newRows(c, lines)
	if err := e.copy(r, request); err != nil {
		return e.backend.broken(r, e.method, err)
	}
	return r.end()
}

// copy takes any time, as long as a chunk comes within stallTimeout of its being waited for.
func (e *export) copy(r *rows, request any) error {
	ctx, cancel := context.WithCancel(metadata.NewOutgoingContext(e.ctx, r.call.forwarded()))
	defer cancel()
	conn, leave, err := e.backend.exports.enter(ctx, r.call)
	if err != nil {
		return err
	}
	defer leave()
	stall := time.AfterFunc(stallTimeout, cancel)
	defer stall.Stop()
	stream, chunk, err := e.open(ctx, conn, request)
	for err == nil {
		stall.Reset(stallTimeout)
		if err = stream.RecvMsg(chunk); err == nil {
			stall.Stop()
			r.write(chunk)
			if r.headOnly() {
				return nil
			}
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case ctx.Err() != nil && e.ctx.Err() == nil:
		return status.FromContextError(context.DeadlineExceeded).Err()
	}
	return err
}

// open starts the stream and makes the message that its chunks are read into.
func (e *export) open(ctx context.Context, conn *grpc.ClientConn, request any) (grpc.ClientStream, proto.Message, error) {
	name := protoreflect.FullName(strings.ReplaceAll(e.method[1:], "/", "."))
	descriptor, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil {
		return nil, nil, err
	}
	kind, err := protoregistry.GlobalTypes.FindMessageByName(descriptor.(protoreflect.MethodDescriptor).Output().FullName())
	if err != nil {
		return nil, nil, err
	}
	stream, err := conn.NewStream(ctx, e.desc, e.method)
	if err != nil {
		return nil, nil, err
	}
	if err := stream.SendMsg(request); err != nil && !errors.Is(err, io.EOF) { // EOF: RecvMsg says why
		return nil, nil, err
	}
	return stream, kind.New().Interface(), stream.CloseSend()
}
