// Query parameters: every one must be a field of the request that neither path nor body binds.

package main

import (
	"maps"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/reflect/protoreflect"

	"persona.example/persona-service/server/gateway/internal/explain"
)

// bindQuery puts the parameters into the request. Their names are the contract's (page_size, not
// pageSize): the other spelling of protobuf's JSON is for bodies alone.
func (c *call) bindQuery(request protoreflect.Message) error {
	for _, name := range slices.Sorted(maps.Keys(c.query)) {
		if fd, key := c.entry(request.Descriptor(), name); fd != nil {
			if err := bindEntry(request, fd, key, c.query[name]); err != nil {
				return err
			}
			continue
		}
		fd := c.parameter(request.Descriptor(), name)
		if fd == nil {
			return invalidField(name, "is not a query parameter of this method")
		}
		if err := bindParameter(request, fd, c.query[name]); err != nil {
			return err
		}
	}
	return nil
}

// parameter finds the field that a query parameter sets, or nil.
func (c *call) parameter(request protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	fd := c.unbound(request, name)
	if fd == nil || fd.IsMap() {
		return nil
	}
	return fd
}

var entryForm = regexp.MustCompile(`^(\w+)\[(.*)\]$`)

// entry finds the map of which a query parameter sets one entry, as in attributes[state], and the entry's key.
func (c *call) entry(request protoreflect.MessageDescriptor, name string) (protoreflect.FieldDescriptor, string) {
	parts := entryForm.FindStringSubmatch(name)
	if parts == nil {
		return nil, ""
	}
	fd := c.unbound(request, parts[1])
	if fd == nil || !fd.IsMap() || fd.MapValue().Kind() != protoreflect.StringKind {
		return nil, ""
	}
	return fd, parts[2]
}

func bindEntry(request protoreflect.Message, fd protoreflect.FieldDescriptor, key string, values []string) error {
	name := string(fd.Name()) + "[" + key + "]"
	if len(values) > 1 {
		return invalidField(name, "is given twice")
	}
	if !utf8.ValidString(key) || !utf8.ValidString(values[0]) {
		return invalidField(name, "is not UTF-8")
	}
	request.Mutable(fd).Map().Set(protoreflect.ValueOfString(key).MapKey(), protoreflect.ValueOfString(values[0]))
	return nil
}

// unbound finds a field that neither path nor body binds, or nil.
func (c *call) unbound(request protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	fd := request.Fields().ByName(protoreflect.Name(name))
	if fd == nil || c.body.whole || explain.IsOurs(fd) {
		return nil
	}
	if _, inPath := c.params[name]; inPath {
		return nil
	}
	return fd
}

func bindParameter(request protoreflect.Message, fd protoreflect.FieldDescriptor, values []string) error {
	name := string(fd.Name())
	if len(values) > 1 && !fd.IsList() {
		return invalidField(name, "is given twice")
	}
	for _, value := range values {
		if value == "" && !takesEmpty(fd) {
			continue // ?page_size= asks for a page of the default size
		}
		if !utf8.ValidString(value) {
			return invalidField(name, "is not UTF-8")
		}
		if !isPlain(fd, value) || runtime.PopulateFieldFromPath(request.Interface(), name, value) != nil {
			return invalidField(name, explain.Expected(fd))
		}
	}
	return nil
}

// takesEmpty is whether an empty value is read like any other. ?include_retired could mean yes as well as
// no, so that it is refused.
func takesEmpty(fd protoreflect.FieldDescriptor) bool {
	return fd.Kind() == protoreflect.StringKind || fd.Kind() == protoreflect.BoolKind
}

var numberForm = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// isPlain is whether a value is written as JSON would write it: the runtime also takes T for true, and NaN,
// Inf and hexadecimal for numbers.
func isPlain(fd protoreflect.FieldDescriptor, value string) bool {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return value == "true" || value == "false"
	case protoreflect.DoubleKind:
		return numberForm.MatchString(value)
	}
	return true
}
