// Package explain says why a JSON text can't be read as a message of the contract. protojson decides what is
// good, but words its errors for Go programmers and without the way to the field; so a refused text is taken
// apart, and protojson asked about the parts.
package explain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Body names the first thing in data for which it can't be read as m: the way to the field, "" for the whole,
// and what is wrong with it.
func Body(m protoreflect.Message, data []byte) (field, description string) {
	if !utf8.Valid(data) {
		return "", "is not UTF-8"
	}
	var value json.RawMessage
	if syntax := new(json.SyntaxError); errors.As(json.Unmarshal(data, &value), &syntax) {
		return "", fmt.Sprintf("is not one valid JSON value; see byte %d", syntax.Offset)
	}
	return findInMessage("", m, value)
}

func findInMessage(path string, m protoreflect.Message, value []byte) (field, description string) {
	members, isObject := Members(value)
	if !isObject {
		return path, "must be a JSON object"
	}
	seen := map[protoreflect.Name]bool{}
	chosen := map[protoreflect.OneofDescriptor]string{}
	for _, member := range members {
		fd := Field(m.Descriptor(), member.Name)
		if fd == nil {
			return join(path, fmt.Sprintf("%.100s", member.Name)), "is not a known field"
		}
		at := join(path, string(fd.Name()))
		if seen[fd.Name()] {
			return at, "is given twice"
		}
		seen[fd.Name()] = true
		if !fits(m, fd, member.Value) {
			return findInField(at, m, fd, member.Value)
		}
		if oneof := fd.ContainingOneof(); oneof != nil && string(member.Value) != "null" {
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
	case fd.IsMap() || !IsOurs(fd):
		return at, expectedWhole(fd)
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
		if IsOurs(fd) {
			return findInMessage(at, m.NewField(fd).List().NewElement().Message(), item)
		}
		break
	}
	return at, Expected(fd)
}

// fits asks protojson whether a message may have this value in this field.
func fits(m protoreflect.Message, fd protoreflect.FieldDescriptor, value []byte) bool {
	return protojson.Unmarshal(fmt.Appendf(nil, "{%q:%s}", fd.JSONName(), value), m.New().Interface()) == nil
}

// Member is one member of a JSON object.
type Member struct {
	Name  string
	Value json.RawMessage
}

// Members splits an object, in order and with names that are there twice.
func Members(value []byte) (members []Member, isObject bool) {
	decoder := json.NewDecoder(bytes.NewReader(value))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, false
	}
	for decoder.More() {
		name, _ := decoder.Token()
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return nil, false // not after Body's check of the syntax
		}
		members = append(members, Member{name.(string), value})
	}
	return members, true
}

// Field knows both spellings that protojson takes: full_name and fullName.
func Field(m protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
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

// IsOurs tells a message of the contract from one that JSON writes as a single value.
func IsOurs(fd protoreflect.FieldDescriptor) bool {
	return fd.Message() != nil && !fd.IsMap() && fd.Message().ParentFile().Package() != "google.protobuf"
}

// expectedWhole says the same of a field that may be a map.
func expectedWhole(fd protoreflect.FieldDescriptor) string {
	if fd.IsMap() {
		return "must be an object without repeated keys, each value of which " + Expected(fd.MapValue())
	}
	return Expected(fd)
}

// Expected says what the value of a field must be, of a repeated field one item of it.
func Expected(fd protoreflect.FieldDescriptor) string {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return "must be a string of valid Unicode"
	case protoreflect.BoolKind:
		return "must be true or false"
	case protoreflect.Int32Kind:
		return "must be a whole number from -2147483648 to 2147483647"
	case protoreflect.DoubleKind:
		return "must be a number"
	case protoreflect.EnumKind:
		return "must be one of " + strings.Join(names(fd.Enum()), ", ")
	case protoreflect.MessageKind:
		return expectedMessage(fd.Message())
	}
	return "has the wrong type"
}

// names of the values that an enum may have: 0 stands for none.
func names(enum protoreflect.EnumDescriptor) []string {
	var found []string
	for i := range enum.Values().Len() {
		if value := enum.Values().Get(i); value.Number() != 0 {
			found = append(found, string(value.Name()))
		}
	}
	return found
}

func expectedMessage(m protoreflect.MessageDescriptor) string {
	switch {
	case m.FullName() == "google.protobuf.Timestamp":
		return "must be a time such as 2026-01-31T12:00:00Z"
	case m.FullName() == "google.protobuf.FieldMask":
		return "must be names of fields, separated by commas"
	case strings.HasSuffix(string(m.Name()), "Value"):
		return expectedWhole(m.Fields().Get(0)) + ", or null"
	}
	return "must be a JSON object"
}
