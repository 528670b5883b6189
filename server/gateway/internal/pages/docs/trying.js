// Calls of the service from the page.

import { element } from "./element.js";
import { example, shown, typeOf } from "./schema.js";

/** A form of an operation, and what comes of sending it. */
export function form(api, path, verb, operation) {
  const inputs = (operation.parameters ?? []).map((parameter) => input(api, parameter));
  const body = bodyOf(api, verb, operation);
  const answer = element("pre", "answer");
  const send = element("button", "send", "Send");
  answer.hidden = true;
  send.type = "button";
  send.addEventListener("click", async () => {
    answer.hidden = false;
    answer.textContent = "…";
    answer.textContent = await sent(path, verb, inputs, body?.text.value);
  });
  const rows = inputs.map(({ row }) => row);
  const head = rows.length ? element("h3", "", "Parameters") : null;
  return element("div", "", head, ...rows, body?.shown ?? null, element("p", "", send), answer);
}

let inputsMade = 0;

function input(api, reference) {
  const parameter = reference.$ref ? api.components.parameters[reference.$ref.split("/").pop()] : reference;
  const field = element("input");
  field.name = parameter.name;
  field.placeholder = parameter.style === "deepObject" ? "key=value, key=value" : typeOf(parameter.schema);
  const label = element("label", "", element("code", "", parameter.name), parameter.required ? " *" : "");
  const said = element("p", "said", parameter.description ?? "");
  field.id = `parameter-${++inputsMade}`;
  label.htmlFor = field.id;
  label.append(element("span", "type", ` ${parameter.in}`));
  return { parameter, field, row: element("div", "parameter", label, field, said) };
}

function bodyOf(api, verb, operation) {
  const schema = operation.requestBody?.content["application/json"].schema;
  if (!schema) return null;
  const text = element("textarea", "body");
  text.setAttribute("aria-label", "Body");
  // A patch changes what its body has: an example of all fields would clear them.
  text.value = verb === "patch" ? "{}" : JSON.stringify(example(api, schema), null, 2);
  text.rows = Math.min(text.value.split("\n").length + 1, 20);
  return { text, shown: element("div", "", element("h3", "", "Body"), shown(api, schema), text) };
}

async function sent(path, verb, inputs, body) {
  const query = new URLSearchParams();
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  const token = document.getElementById("token").value;
  if (token) headers.Authorization = `Bearer ${token}`;
  for (const { parameter, field } of inputs.filter(({ field }) => field.value)) {
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(field.value));
    else if (parameter.in === "header") headers[parameter.name] = field.value;
    else add(query, parameter, field.value);
  }
  const url = path.slice(1) + (query.size ? `?${query}` : "");
  try {
    const answer = await fetch(url, { method: verb.toUpperCase(), headers, body, cache: "no-store" });
    return `${answer.status} ${answer.statusText}\n${fields(answer.headers)}\n\n${pretty(await answer.text())}`;
  } catch (error) {
    return String(error);
  }
}

function add(query, parameter, value) {
  if (parameter.style !== "deepObject") return query.append(parameter.name, value);
  for (const entry of value.split(",")) {
    const [key, ...rest] = entry.split("=");
    query.append(`${parameter.name}[${key.trim()}]`, rest.join("=").trim());
  }
}

function fields(headers) {
  return [...headers].map(([name, value]) => `${name}: ${value}`).join("\n");
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // a line for each, or nothing
  }
}
