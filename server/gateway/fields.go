// What a field takes, in words for the client. Bodies and queries share them.

package main

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

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
