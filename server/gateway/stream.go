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
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// slowRead is less than the server ever lets a stream wait for its reader.
const slowRead = 500 * time.Millisecond

// listVersion is metadata behind a page, which is other text whenever the list is another one.
const listVersion = "etag"

const (
	pageSize      = protoreflect.Name("page_size")
	pageToken     = protoreflect.Name("page_token")
	nextPageToken = protoreflect.Name("next_page_token")
	resumeToken   = protoreflect.Name("resume_token")
)

// wantsWholeList is whether a list was asked for without a word about pages. A request that is a body says
// there what it wants.
func (c *call) wantsWholeList(page proto.Message) bool {
	return !c.body.whole && isList(page.ProtoReflect().Descriptor()) && !c.query.Has(string(pageSize)) && !c.query.Has(string(pageToken))
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
		var trailer metadata.MD
		if err := b.invoke(ctx, method, request, page, grpc.Trailer(&trailer)); err != nil {
			return b.broken(r, method, err)
		}
		if !r.begun && r.call.w.isKnown(trailer.Get(listVersion), page) {
			return errAnswered
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
		if !r.call.left() { // who leaves has cut it himself
			b.log.Warn("answer cut", append(r.call.named(), "method", method, "code", status.Code(err).String())...)
		}
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
	message := request.(proto.Message)
	if err := c.complete(message); err != nil {
		return e.backend.refusal(e.ctx, e.method, err)
	}
	r := newRows(c, lines)
	if err := e.copy(r, message); err != nil {
		return e.backend.broken(r, e.method, err)
	}
	return r.end()
}

// copy takes any time, as long as a chunk comes within stallTimeout of its being waited for. A reader may
// take longer over a chunk than the server lets a stream wait: then another one goes on behind it.
func (e *export) copy(r *rows, request proto.Message) error {
	r.call.w.patience = patient
	ctx, cancel := context.WithCancel(metadata.NewOutgoingContext(e.ctx, r.call.forwarded()))
	defer cancel()
	conn, leave, err := e.backend.exports.enter(ctx, r.call)
	if err != nil {
		return err
	}
	defer leave()
	for {
		token, slow, err := e.copyStream(ctx, conn, r, request)
		if !slow || !broken(err) {
			return err
		}
		m := request.ProtoReflect()
		m.Set(m.Descriptor().Fields().ByName(resumeToken), protoreflect.ValueOfString(token))
	}
}

// broken is whether a stream has ended for a reason that another one does not meet: the server's, or that
// of a message that was cut off.
func broken(err error) bool {
	s := status.Convert(err)
	return s.Code() == codes.Unavailable || s.Code() == codes.Internal && len(s.Details()) == 0
}

// copyStream copies one stream. It returns the token that continues after its last chunk, and whether the
// reader was slow over any, for which the server may have ended the stream.
func (e *export) copyStream(ctx context.Context, conn *grpc.ClientConn, r *rows, request proto.Message) (token string, slow bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stall := time.AfterFunc(stallTimeout, cancel)
	defer stall.Stop()
	stream, chunk, err := e.open(ctx, conn, request)
	for err == nil {
		stall.Reset(stallTimeout)
		if err = stream.RecvMsg(chunk); err == nil {
			stall.Stop()
			m := chunk.ProtoReflect()
			token = m.Get(m.Descriptor().Fields().ByName(resumeToken)).String()
			begun := time.Now()
			r.write(chunk)
			slow = slow || time.Since(begun) > slowRead
			if r.headOnly() {
				return token, slow, nil
			}
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		e.backend.link.note(nil)
		return token, slow, nil
	case ctx.Err() != nil && e.ctx.Err() == nil:
		return token, slow, status.FromContextError(context.DeadlineExceeded).Err()
	}
	e.backend.link.note(err)
	r.call.noteAnswer(err)
	return token, slow, err
}

// open starts the stream and makes the message that its chunks are read into.
func (e *export) open(ctx context.Context, conn *grpc.ClientConn, request proto.Message) (grpc.ClientStream, proto.Message, error) {
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
