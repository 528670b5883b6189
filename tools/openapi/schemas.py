"""Messages as JSON Schema: as answers have them, and as requests may."""

from typing import Any, TypeAlias

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

Schema: TypeAlias = dict[str, Any]

# Messages that JSON writes as one value. Unset, each is null.
VALUES: dict[str, Schema] = {
    "google.protobuf.BoolValue": {"type": "boolean"},
    "google.protobuf.DoubleValue": {"type": "number", "format": "double"},
    "google.protobuf.FieldMask": {"type": "string"},
    "google.protobuf.Int32Value": {"type": "integer", "format": "int32"},
    "google.protobuf.StringValue": {"type": "string"},
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
}
SCALARS: dict[int, Schema] = {
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
}
OUTPUT_ONLY, REQUIRED = "Output only", "Required."
SENT = "Input"  # behind the name of what a request has, …
CHANGES = "Patch"  # … and of what one has that changes the fields it holds


class Schemas:
    """The schemas that are referred to, by name: `made` grows as they are."""

    def __init__(self, comments: dict[str, str]) -> None:
        self._comments = comments
        self.made: dict[str, Schema] = {}

    def said_of(self, full_name: str) -> str:
        """Return the comment of a message, field or RPC."""
        return self._comments[full_name]

    def message(
        self,
        message: Descriptor,
        *,
        sent: bool = False,
        changes: bool = False,
        without: set[str] | None = None,
    ) -> Schema:
        """Return a reference to a message, as answers have it or requests may, but some fields.

        Of one that is sent and `changes` the fields it holds, none is required, and null clears.
        """
        name = _schema_name(message.name, (CHANGES if changes else SENT) if sent else "")
        if name not in self.made:
            self.made[name] = {}  # it may hold itself
            made = self._object(message, sent, without or set())
            self.made[name] = _changing(made) if changes else made
        return {"$ref": f"#/components/schemas/{name}"}

    def _object(self, message: Descriptor, sent: bool, without: set[str]) -> Schema:
        fields = [field for field in message.fields if field.name not in without]
        schema: Schema = {
            "type": "object",
            "description": self.said_of(message.full_name),
            "properties": {field.name: self.field(field, sent=sent) for field in fields},
        }
        if not sent:
            return schema | {"required": [f.name for f in fields if not f.containing_oneof]}
        schema["additionalProperties"] = False  # what is not known is refused
        required = [f.name for f in fields if REQUIRED in self.said_of(f.full_name)]
        return schema | {"required": required} if required else schema

    def field(self, field: FieldDescriptor, *, sent: bool) -> Schema:
        """Return a field's schema with its description."""
        said = self.said_of(field.full_name)
        schema = self._any_number(field, sent) | {"description": said + _alternatives(field)}
        if sent and field.containing_oneof:
            schema["x-oneof"] = field.containing_oneof.name  # for /docs, which fills one of them in
        return schema | {"readOnly": True} if sent and OUTPUT_ONLY in said else schema

    def _any_number(self, field: FieldDescriptor, sent: bool) -> Schema:
        if field.message_type and is_map(field):
            value = field.message_type.fields_by_name["value"]
            return {"type": "object", "additionalProperties": self.one(value, sent=sent)}
        one = self.one(field, sent=sent)
        if field.is_repeated:
            return {"type": "array", "items": one}
        if field.message_type and not field.containing_oneof:
            return _nullable(one)
        return one

    def one(self, field: FieldDescriptor, *, sent: bool) -> Schema:
        """Return the schema of one value of a field."""
        if field.message_type:
            value = VALUES.get(field.message_type.full_name)
            return dict(value) if value else self.message(field.message_type, sent=sent)
        return self._enum(field.enum_type) if field.enum_type else dict(SCALARS[field.type])

    def _enum(self, enum: EnumDescriptor) -> Schema:
        if enum.name not in self.made:
            values = [f"- `{v.name}`: {self.said_of(_name_of(v))}" for v in enum.values]
            self.made[enum.name] = {
                "type": "string",
                "description": "\n".join([self.said_of(enum.full_name), "", *values]),
                "enum": [value.name for value in enum.values],
            }
        return {"$ref": f"#/components/schemas/{enum.name}"}


def _schema_name(message: str, behind: str) -> str:
    """Return the name of a schema.

    Generators of clients call what an operation returns by its name and "Response"; so no schema is
    called that.
    """
    if behind:
        return message if message.endswith("Request") else message + behind
    called, _, rest = message.rpartition("Response")
    return f"{called}Result" if called and not rest else message


def is_value(field: FieldDescriptor) -> bool:
    """Whether JSON writes each value of a field as one value, no object."""
    return field.message_type is None or field.message_type.full_name in VALUES


def is_map(field: FieldDescriptor) -> bool:
    """Whether a field is a map."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _changing(made: Schema) -> Schema:
    """Return the schema of a message for what changes the fields it holds."""
    required = made.pop("required", [])  # so that it can't be cleared either
    for name, field in made["properties"].items():
        if name not in required and isinstance(field.get("type"), str) and "readOnly" not in field:
            field["type"] = [field["type"], "null"]
    return made | {"description": f"{made['description']} null clears a field."}


def _nullable(schema: Schema) -> Schema:
    if "type" in schema:
        return schema | {"type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _alternatives(field: FieldDescriptor) -> str:
    """Return which fields a field excludes."""
    oneof = field.containing_oneof
    if oneof is None:
        return ""
    return f" At most one is there of {', '.join(each.name for each in oneof.fields)}."


def _name_of(value: Any) -> str:
    return f"{value.type.full_name}.{value.name}"
