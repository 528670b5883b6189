// Bodies in and out: protobuf's JSON with the contract's field names.

package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// jsonOut prints what is unset too: a persona generated fresh has "library_persona_id": null.
var jsonOut = protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}

// body is what came of reading a request's body.
type body struct {
	whole bool          // the body is the whole request, not one field of it
	fault error         // why it could not be read
	data  []byte        // what could not be decoded …
	into  proto.Message // … and as what
}

// bodyReader carries the call to the decoder, which is given nothing but a reader.
type bodyReader struct {
	io.ReadCloser
	call *call
}

// marshaler is the runtime's, with a decoder that takes exactly one JSON value.
type marshaler struct{ runtime.JSONPb }

func newMarshaler() *marshaler {
	return &marshaler{runtime.JSONPb{MarshalOptions: jsonOut}}
}

// NewDecoder returns one that leaves faults in the call, for bodyError to report.
func (*marshaler) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(target any) error {
		b := r.(*bodyReader)
		b.call.body = decode(b, target)
		return nil
	})
}

// rooms hold bodies whose length is not said: a buffer that grew with them would leave as much behind.
var rooms = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, maxBody+bytes.MinRead)) }}

// buffer returns an empty one that need not grow, and what to call when it is no longer used.
func (r *bodyReader) buffer() (buffer *bytes.Buffer, done func()) {
	if length := r.call.r.ContentLength; length >= 0 {
		return bytes.NewBuffer(make([]byte, 0, length+bytes.MinRead)), func() {}
	}
	buffer = rooms.Get().(*bytes.Buffer)
	buffer.Reset()
	return buffer, func() { rooms.Put(buffer) }
}

// decode reads a body into the request (*Request) or into one field of it (**Resource). An empty
// body leaves it unset.
func decode(r *bodyReader, target any) body {
	buffer, done := r.buffer()
	defer done()
	_, err := buffer.ReadFrom(r)
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		return body{fault: r.call.tooLarge()}
	}
	if err != nil {
		return body{fault: invalidField("body", "broke off")}
	}
	into, whole := target.(proto.Message)
	if buffer.Len() == 0 {
		return body{whole: whole}
	}
	if !whole {
		field := reflect.ValueOf(target).Elem()
		field.Set(reflect.New(field.Type().Elem()))
		into = field.Interface().(proto.Message)
	}
	if protojson.Unmarshal(buffer.Bytes(), into) != nil {
		return body{whole: whole, data: bytes.Clone(buffer.Bytes()), into: into}
	}
	if whole {
		return body{whole: true, fault: pathConflict(r.call, into)}
	}
	return body{}
}

// pathConflict refuses a whole request whose body contradicts its path, which would win unseen.
func pathConflict(c *call, request proto.Message) error {
	m := request.ProtoReflect()
	for name, value := range c.params {
		field := m.Descriptor().Fields().ByName(protoreflect.Name(name))
		if field != nil && m.Has(field) && !strings.EqualFold(m.Get(field).String(), value) {
			return invalidField(name, "differs from the path")
		}
	}
	return nil
}

// bodyError says what is wrong with a body, naming the field as the request names it.
func (c *call) bodyError(request protoreflect.Message) error {
	b := &c.body
	if b.into == nil {
		return b.fault
	}
	prefix := ""
	if !b.whole {
		prefix = fieldOfType(request.Descriptor(), b.into.ProtoReflect().Descriptor())
	}
	return explain(prefix, b.into.ProtoReflect(), b.data)
}

// fieldOfType names the field of a request that holds its resource.
func fieldOfType(request, resource protoreflect.MessageDescriptor) string {
	for i := range request.Fields().Len() {
		if f := request.Fields().Get(i); f.Message() != nil && f.Message().FullName() == resource.FullName() {
			return string(f.Name())
		}
	}
	return "body"
}
