// Elements, made of text alone: nothing of the document is ever read as HTML.

/** Make an element with a class, a text or children. */
export function element(name, className = "", ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

/** Make something that opens, and is filled when it is opened first. */
export function opening(summary, className, fill) {
  const made = element("details", className, summary);
  made.addEventListener("toggle", () => {
    if (made.open && made.children.length === 1) made.append(fill());
  });
  return made;
}
