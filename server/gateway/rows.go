// Rows of JSON, written as they come.

package main

import (
	"net/http"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"persona.example/persona-service/server/gateway/internal/explain"
)

// rowForm is how rows become a body.
type rowForm struct{ contentType, open, between, after, close string }

var (
	array = rowForm{contentType: "application/json", open: "[", between: ",", close: "]"}
	lines = rowForm{contentType: "application/x-ndjson", after: "\n"}
)

// rows is an answer in the making. It is begun with the first page, so that an error before it can
// still be a problem with a status of its own.
type rows struct {
	call   *call
	form   rowForm
	begun  bool
	count  int
	buffer []byte
}

func newRows(c *call, form rowForm) *rows { return &rows{call: c, form: form} }

// write adds the rows of a page, the items of its one repeated message field, and sends them off.
func (r *rows) write(page proto.Message) {
	r.begin()
	m := page.ProtoReflect()
	items := m.Get(rowsOf(m.Descriptor())).List()
	for i := range items.Len() {
		r.add(items.Get(i).Message().Interface())
	}
	r.flush()
}

func (r *rows) add(row proto.Message) {
	if r.count++; r.count > 1 {
		r.buffer = append(r.buffer, r.form.between...)
	}
	var err error
	if r.buffer, err = appendJSON(r.buffer, row); err != nil {
		r.cut()
	}
	r.buffer = append(r.buffer, r.form.after...)
	if len(r.buffer) >= writeStep {
		r.send()
	}
}

// hasRows is whether an answer can be long.
func hasRows(page protoreflect.MessageDescriptor) bool {
	return rowsOf(page) != nil
}

// rowsOf finds the field with an answer's rows, or nil.
func rowsOf(page protoreflect.MessageDescriptor) protoreflect.FieldDescriptor {
	for i := range page.Fields().Len() {
		if fd := page.Fields().Get(i); isRows(fd) {
			return fd
		}
	}
	return nil
}

func isRows(fd protoreflect.FieldDescriptor) bool { return fd.IsList() && explain.IsOurs(fd) }

// headOnly is whether nobody will see more rows.
func (r *rows) headOnly() bool { return r.call.r.Method == http.MethodHead }

func (r *rows) begin() {
	if !r.begun {
		r.begun = true
		r.call.w.Header().Set("Content-Type", r.form.contentType)
		r.buffer = append(r.buffer, r.form.open...)
	}
}

// end completes the answer.
func (r *rows) end() error {
	r.begin()
	r.buffer = append(r.buffer, r.form.close...)
	r.send()
	if r.call.w.end() != nil {
		abort(r.call.r)
	}
	return errAnswered
}

// send writes what there is, to a client that may have gone away or stopped reading.
func (r *rows) send() {
	if _, err := r.call.w.Write(r.buffer); err != nil {
		abort(r.call.r)
	}
	r.buffer = r.buffer[:0]
}

func (r *rows) flush() {
	r.send()
	if http.NewResponseController(r.call.w).Flush() != nil {
		abort(r.call.r)
	}
}

// cut ends the answer so that it can't be taken for a whole one.
func (r *rows) cut() {
	r.flush()
	abort(r.call.r)
}
