// JSON Schemas, for people: what there is, and an example of it.

import { element, opening } from "./element.js";

/** What a schema refers to, or the schema itself. */
export function resolved(api, schema) {
  const name = nameOf(schema);
  return name ? api.components.schemas[name] : schema;
}

function nameOf(schema) {
  return schema.$ref ? schema.$ref.split("/").pop() : "";
}

/** A schema's type in a few words. */
export function typeOf(schema) {
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.$ref) return nameOf(schema);
  if (schema.type === "array") return `${typeOf(schema.items)}[]`;
  if (schema.const) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.join(" | ");
  const type = [schema.type].flat().join(" or ");
  return schema.format && schema.format !== "double" ? `${type} (${schema.format})` : type;
}

/** The schema that has fields, of what holds one, or null. */
function inner(schema) {
  if (schema.anyOf) return inner(schema.anyOf[0]);
  if (schema.type === "array") return inner(schema.items);
  if (typeof schema.additionalProperties === "object") return inner(schema.additionalProperties);
  return schema.$ref ? schema : null;
}

/** What a schema is, in full; what it refers to opens. */
export function shown(api, schema) {
  const within = inner(schema);
  const type = element("span", "type", typeOf(schema));
  return within ? opening(element("summary", "", type), "", () => contents(api, resolved(api, within))) : type;
}

function contents(api, schema) {
  const said = element("p", "", schema.description ?? "");
  if (!schema.properties) return said;
  const fields = element("ul", "fields");
  for (const [name, field] of Object.entries(schema.properties)) {
    const text = element("p", "said", field.description ?? "");
    fields.append(element("li", "", element("code", "", name), " ", shown(api, field), text));
  }
  return element("div", "", said, fields);
}

/** A value to start from: of a request, without what only the server sets, and of alternatives the first. */
export function example(api, schema, depth = 0) {
  if (schema.$ref && depth > 6) return {};
  const { type, ...rest } = resolved(api, schema);
  if (rest.anyOf) return null;
  if (rest.enum) return rest.enum[0];
  if (Array.isArray(type)) return null;
  if (rest.properties) {
    const fields = writable(rest.properties);
    return Object.fromEntries(fields.map(([name, field]) => [name, example(api, field, depth + 1)]));
  }
  const values = { array: () => list(api, rest.items, depth), object: () => ({}), boolean: () => false };
  return values[type]?.() ?? (type === "string" ? "" : 0);
}

function writable(properties) {
  const fields = Object.entries(properties).filter(([, field]) => !field.readOnly);
  const first = (field) => fields.find(([, other]) => other["x-oneof"] === field["x-oneof"])[1] === field;
  return fields.filter(([, field]) => !field["x-oneof"] || first(field));
}

/** Of objects one, to be filled in; of texts and numbers none, since an empty one is refused. */
function list(api, items, depth) {
  return resolved(api, items).properties ? [example(api, items, depth + 1)] : [];
}
