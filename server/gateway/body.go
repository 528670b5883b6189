// Bodies in and out: protobuf's JSON with the contract's field names.

package main

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"persona.example/persona-service/server/gateway/internal/scan"
)

// jsonOut prints what is unset too: a persona generated fresh has "library_persona_id": null.
var jsonOut = protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}

// body is what came of reading a request's body.
type body struct {
	whole  bool          // the body is the whole request, not one field of it
	fault  error         // why it could not be read
	excess *scan.Excess  // what it has too much of to be decoded
	data   []byte        // what could not be decoded …
	into   proto.Message // … and as what
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

// decode reads a body into the request (*Request) or into one field of it (**Resource). An empty
// body leaves it unset.
func decode(r *bodyReader, target any) body {
	data, err := r.all()
	if err != nil {
		return body{fault: r.call.unread(err)}
	}
	into, whole := target.(proto.Message)
	if len(data) == 0 {
		return body{whole: whole}
	}
	if !whole {
		field := reflect.ValueOf(target).Elem()
		field.Set(reflect.New(field.Type().Elem()))
		into = field.Interface().(proto.Message)
	}
	excess := scan.Check(data)
	if excess != nil || protojson.Unmarshal(data, into) != nil {
		return body{whole: whole, excess: excess, data: data, into: into}
	}
	if whole {
		return body{whole: true, fault: pathConflict(r.call, into)}
	}
	return body{}
}

// unread says why a body could not be read to its end.
func (c *call) unread(err error) error {
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		return c.tooLarge()
	}
	if st, ours := status.FromError(err); ours {
		return st.Err() // there was no room for it
	}
	return invalidField("body", "broke off")
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
	if b.excess != nil {
		return invalidField(cmp.Or(join(prefix, b.excess.Field), "body"), b.excess.Description)
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
