// What people call an orchestrator, and its colour: the same one everywhere on the page.

import { el } from "./dom.js";

const HUES = 6;
const known = new Map();

const short = (uri) => uri.replace(/^https?:\/\//, "");

export function learn(orchestrators) {
  for (const { id, uri, labels } of orchestrators) {
    const hue = known.get(id)?.hue ?? `var(--o${known.size % HUES})`;
    known.set(id, { hue, name: labels?.name ?? short(uri), uri });
  }
}

export const nameOf = (id) => known.get(id)?.name ?? id.slice(0, 8);

export const hueOf = (id) => known.get(id)?.hue ?? "var(--faint)";

export function idOfUri(uri) {
  for (const [id, orchestrator] of known) if (orchestrator.uri === uri) return id;
  return undefined;
}

export const who = (id) => el("span", { class: "who", hue: hueOf(id), title: known.get(id)?.uri }, nameOf(id));
