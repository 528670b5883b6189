// The page: every operation of openapi.json, by its tag.

import { element, opening } from "./element.js";
import { shown } from "./schema.js";
import { form } from "./trying.js";

const list = document.getElementById("operations");

/** Show the document. */
async function show() {
  const api = await (await fetch("openapi.json")).json();
  document.getElementById("about").textContent = `${api.info.summary}. ${api.info.description}`;
  const sections = new Map();
  for (const [path, verbs] of Object.entries(api.paths)) {
    for (const [verb, operation] of Object.entries(verbs)) {
      const [tag] = operation.tags;
      if (!sections.has(tag)) sections.set(tag, section(api, tag));
      sections.get(tag).append(entry(api, path, verb, operation));
    }
  }
  list.replaceChildren(...sections.values());
  openNamed();
}

function section(api, tag) {
  const said = api.tags.find(({ name }) => name === tag)?.description ?? "";
  return element("section", "", element("h2", "", tag), element("p", "said", said));
}

function entry(api, path, verb, operation) {
  const name = element("span", "verb", verb.toUpperCase());
  const summary = element("summary", "", name, element("code", "", path), " ", operation.summary);
  const made = opening(summary, "operation", () => detail(api, path, verb, operation));
  made.id = operation.operationId;
  made.dataset.words = `${operation.operationId} ${path} ${operation.summary}`.toLowerCase();
  return made;
}

function detail(api, path, verb, operation) {
  const scopes = (operation.security ?? []).flatMap(({ bearer }) => bearer ?? []);
  return element(
    "div",
    "",
    element("p", "", operation.description ?? ""),
    scopes.length ? element("p", "", "Scopes: ", element("code", "", scopes.join(" "))) : null,
    form(api, path, verb, operation),
    element("h3", "", "Answers"),
    ...Object.entries(operation.responses).map(([status, answer]) => outcome(api, status, answer)),
  );
}

function outcome(api, status, reference) {
  const answer = reference.$ref ? api.components.responses[reference.$ref.split("/").pop()] : reference;
  const [[kind, content]] = Object.entries(answer.content ?? { "": null });
  const line = element("div", "", element("code", "", status), ` ${answer.description} ${kind} `);
  if (content) line.append(shown(api, content.schema));
  return line;
}

function openNamed() {
  const named = document.getElementById(location.hash.slice(1)); // the id of an operation: letters alone
  if (named instanceof HTMLDetailsElement) {
    named.open = true;
    named.scrollIntoView();
  }
}

document.getElementById("find").addEventListener("input", ({ target }) => {
  const words = target.value.toLowerCase().split(/\s+/);
  for (const made of list.querySelectorAll(".operation")) {
    made.hidden = !words.every((word) => made.dataset.words.includes(word));
  }
  for (const made of list.querySelectorAll("section")) {
    made.hidden = !made.querySelector(".operation:not([hidden])");
  }
});
document.getElementById("settings").addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", openNamed);

globalThis.whenShown = show().catch((error) => {
  list.textContent = `openapi.json can't be shown: ${error}`;
  throw error;
});
