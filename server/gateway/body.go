// Bodies in and out: protobuf's JSON with the contract's field names.

package main

import (
	"bytes"
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
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"persona.example/persona-service/server/gateway/internal/explain"
	"persona.example/persona-service/server/gateway/internal/representation"
	"persona.example/persona-service/server/gateway/internal/scan"
)

const (
	updateMask   = protoreflect.Name("update_mask")
	validateOnly = protoreflect.Name("validate_only")
	wholeBody    = "body" // named where no field of it is to blame
)

// jsonOut prints what is unset too: a persona generated fresh has "library_persona_id": null.
var jsonOut = protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}

// body is what came of reading a request's body.
type body struct {
	whole  bool          // the body is the whole request, not one field of it
	into   proto.Message // what it was decoded as, nil if it was not read
	fault  error         // why it can't be taken
	excess *scan.Excess  // what it has too much of to be decoded
	values int           // that it holds
	bad    []byte        // what could not be decoded
	names  []string      // of the fields that a PATCH has
}

// marshaler is the runtime's, with a decoder that takes exactly one JSON value.
type marshaler struct{ runtime.JSONPb }

func newMarshaler() *marshaler {
	return &marshaler{runtime.JSONPb{MarshalOptions: jsonOut}}
}

// Marshal writes the same bytes in every build.
func (m *marshaler) Marshal(v any) ([]byte, error) {
	if message, is := v.(proto.Message); is {
		size := proto.Size(message) // a long answer is nearly all texts, which are as long in JSON: it need not grow
		return appendJSON(make([]byte, 0, size+size/8), message)
	}
	text, err := m.JSONPb.Marshal(v)
	return withoutSpaces(text), err
}

// appendJSON does so for a message, behind what there is.
func appendJSON(text []byte, m proto.Message) ([]byte, error) {
	start := len(text)
	text, err := jsonOut.MarshalAppend(text, m)
	if err != nil {
		return nil, err
	}
	return text[:start+len(withoutSpaces(text[start:]))], nil
}

// withoutSpaces takes out, in place, what stands between the tokens of JSON. protojson has spaces behind its
// commas in some builds and in others not, so that nobody relies on its bytes. A client may rely on these.
func withoutSpaces(text []byte) []byte {
	kept := text[:0]
	for len(text) > 0 {
		token := bytes.IndexByte(text, '"')
		if token < 0 {
			token = len(text)
		}
		for _, c := range text[:token] {
			if c != ' ' {
				kept = append(kept, c)
			}
		}
		text = text[token:]
		end := endOfString(text)
		kept = append(kept, text[:end]...)
		text = text[end:]
	}
	return kept
}

// endOfString is how long the string is with which JSON begins. Most of a long text are strings, so these are
// not looked at byte by byte.
func endOfString(text []byte) int {
	for end := 1; end < len(text); end++ {
		next := bytes.IndexByte(text[end:], '"')
		if next < 0 {
			break
		}
		end += next
		if escapes := end - len(bytes.TrimRight(text[1:end], `\`)) - 1; escapes%2 == 0 {
			return end + 1
		}
	}
	return len(text)
}

// NewDecoder returns one that leaves faults in the call, for complete to report.
func (*marshaler) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(target any) error {
		if b := r.(*bodyReader); b.call.fault == nil {
			b.call.body = decode(b, target)
		}
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
	r.call.bodyLength = int64(len(data))
	if request, whole := target.(proto.Message); whole {
		b := body{whole: true, into: request}
		if b.decode(data); b.bad == nil {
			b.fault = pathConflict(r.call, request)
		}
		return b
	}
	field := reflect.ValueOf(target).Elem()
	resource := reflect.New(field.Type().Elem())
	b := body{into: resource.Interface().(proto.Message)}
	if len(data) > 0 {
		field.Set(resource)
		b.decode(data)
	}
	if r.call.r.Method == http.MethodPatch && b.bad == nil {
		b.names = namesIn(b.into.ProtoReflect().Descriptor(), data)
	}
	return b
}

func (b *body) decode(data []byte) {
	if len(data) == 0 {
		return
	}
	b.excess, b.values = scan.Check(data)
	if b.excess != nil || protojson.Unmarshal(data, b.into) != nil {
		b.bad = data
	}
}

// namesIn lists the fields that a well-formed object has, null and empty ones too.
func namesIn(m protoreflect.MessageDescriptor, data []byte) (names []string) {
	members, _ := explain.Members(data)
	for _, member := range members {
		names = append(names, string(explain.Field(m, member.Name).Name()))
	}
	return names
}

// addMask makes the mask of a PATCH that has none: the fields of its body. Of a decoded message only
// those could be told that are not empty.
func (b *body) addMask(request protoreflect.Message) {
	fd := request.Descriptor().Fields().ByName(updateMask)
	if fd == nil || request.Has(fd) || len(b.names) == 0 {
		return
	}
	mask := &fieldmaskpb.FieldMask{Paths: b.names}
	request.Set(fd, protoreflect.ValueOfMessage(mask.ProtoReflect()))
}

// unread says why a body could not be read to its end.
func (c *call) unread(err error) error {
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		return c.tooLarge()
	}
	if errors.Is(err, representation.ErrNotGzip) {
		return invalidField(wholeBody, "is not gzip, as its Content-Encoding says")
	}
	if st, ours := status.FromError(err); ours {
		return st.Err() // there was no room for it
	}
	if c.late {
		return &runtime.HTTPStatusError{HTTPStatus: http.StatusRequestTimeout, Err: tooSlow}
	}
	return invalidField(wholeBody, "broke off")
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

// refusal says what is wrong with a body, naming the field as the body does.
func (b *body) refusal() error {
	switch {
	case b.excess != nil:
		return invalidField(cmp.Or(b.excess.Field, wholeBody), b.excess.Description)
	case b.bad != nil:
		field, description := explain.Body(b.into.ProtoReflect(), b.bad)
		return invalidField(cmp.Or(field, wholeBody), description)
	}
	return b.fault
}

// memberOf names the field of a request that the body is, "" if the body is all of it, or none.
func (b *body) memberOf(request protoreflect.MessageDescriptor) string {
	if b.whole || b.into == nil {
		return ""
	}
	resource := b.into.ProtoReflect().Descriptor().FullName()
	for i := range request.Fields().Len() {
		if f := request.Fields().Get(i); f.Message() != nil && f.Message().FullName() == resource {
			return string(f.Name())
		}
	}
	return ""
}
