// Why a JSON body was refused. protojson decides what is good, but words its errors for Go programmers
// and without the way to the field; so a refused body is taken apart, and protojson asked about the parts.

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// explain names the first thing in data for which it can't be read as m.
func explain(m protoreflect.Message, data []byte) error {
	if !utf8.Valid(data) {
		return invalidField(wholeBody, "is not UTF-8")
	}
	var value json.RawMessage
	if syntax := new(json.SyntaxError); errors.As(json.Unmarshal(data, &value), &syntax) {
		return invalidField(wholeBody, fmt.Sprintf("is not one valid JSON value; see byte %d", syntax.Offset))
	}
	field, description := findInMessage("", m, value)
	return invalidField(cmp.Or(field, wholeBody), description)
}

func findInMessage(path string, m protoreflect.Message, value []byte) (field, description string) {
	members, isObject := membersOf(value)
	if !isObject {
		return path, "must be a JSON object"
	}
	seen := map[protoreflect.Name]bool{}
	chosen := map[protoreflect.OneofDescriptor]string{}
	for _, member := range members {
		fd := fieldNamed(m.Descriptor(), member.name)
		if fd == nil {
			return join(path, fmt.Sprintf("%.100s", member.name)), "is not a known field"
		}
		at := join(path, string(fd.Name()))
		if seen[fd.Name()] {
			return at, "is given twice"
		}
		seen[fd.Name()] = true
		if !fits(m, fd, member.value) {
			return findInField(at, m, fd, member.value)
		}
		if oneof := fd.ContainingOneof(); oneof != nil && string(member.value) != "null" {
			if other := chosen[oneof]; other != "" {
				return at, "can't be given together with " + other
			}
			chosen[oneof] = string(fd.Name())
		}
	}
	return path, "is not valid"
}

func findInField(at string, m protoreflect.Message, fd protoreflect.FieldDescriptor, value []byte) (field, description string) {
	switch {
	case fd.IsList():
		return findInList(at, m, fd, value)
	case fd.IsMap() || !isOurMessage(fd):
		return at, expected(fd)
	}
	return findInMessage(at, m.NewField(fd).Message(), value)
}

func findInList(at string, m protoreflect.Message, fd protoreflect.FieldDescriptor, value []byte) (field, description string) {
	var items []json.RawMessage
	if json.Unmarshal(value, &items) != nil {
		return at, "must be a JSON array"
	}
	for i, item := range items {
		if fits(m, fd, bytes.Join([][]byte{[]byte("["), item, []byte("]")}, nil)) {
			continue
		}
		at = fmt.Sprintf("%s[%d]", at, i)
		if isOurMessage(fd) {
			return findInMessage(at, m.NewField(fd).List().NewElement().Message(), item)
		}
		break
	}
	return at, expectedItem(fd)
}

// fits asks protojson whether a message may have this value in this field.
func fits(m protoreflect.Message, fd protoreflect.FieldDescriptor, value []byte) bool {
	return protojson.Unmarshal(fmt.Appendf(nil, "{%q:%s}", fd.JSONName(), value), m.New().Interface()) == nil
}

type member struct {
	name  string
	value json.RawMessage
}

// membersOf splits an object, in order and with names that are there twice.
func membersOf(value []byte) (members []member, isObject bool) {
	decoder := json.NewDecoder(bytes.NewReader(value))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, false
	}
	for decoder.More() {
		name, _ := decoder.Token()
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return nil, false // not after explain's check of the syntax
		}
		members = append(members, member{name.(string), value})
	}
	return members, true
}

// fieldNamed knows both spellings that protojson takes: full_name and fullName.
func fieldNamed(m protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	if fd := m.Fields().ByTextName(name); fd != nil {
		return fd
	}
	return m.Fields().ByJSONName(name)
}

func join(path, name string) string {
	if path == "" || name == "" {
		return path + name
	}
	return path + "." + name
}

// isOurMessage tells a message of the contract from one that JSON writes as a single value.
func isOurMessage(fd protoreflect.FieldDescriptor) bool {
	return fd.Message() != nil && !fd.IsMap() && fd.Message().ParentFile().Package() != "google.protobuf"
}

// expected says what the value of a field must be.
func expected(fd protoreflect.FieldDescriptor) string {
	if fd.IsMap() {
		return "must be an object without repeated keys, each value of which " + expectedItem(fd.MapValue())
	}
	return expectedItem(fd)
}

// expectedItem is the same for one item of a repeated field.
func expectedItem(fd protoreflect.FieldDescriptor) string {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return "must be a string of valid Unicode"
	case protoreflect.BoolKind:
		return "must be true or false"
	case protoreflect.Int32Kind:
		return "must be a whole number from -2147483648 to 2147483647"
	case protoreflect.DoubleKind:
		return "must be a number"
	case protoreflect.MessageKind:
		return expectedMessage(fd.Message())
	}
	return "has the wrong type"
}

func expectedMessage(m protoreflect.MessageDescriptor) string {
	switch {
	case m.FullName() == "google.protobuf.Timestamp":
		return "must be a time such as 2026-01-31T12:00:00Z"
	case m.FullName() == "google.protobuf.FieldMask":
		return "must be names of fields, separated by commas"
	case strings.HasSuffix(string(m.Name()), "Value"):
		return expected(m.Fields().Get(0)) + ", or null"
	}
	return "must be a JSON object"
}
