// The last decisions with their causes, and the strip of who did which segment.

import { byId, clock, duration, el } from "./dom.js";
import { hueOf, nameOf, who } from "./names.js";

const SHOWN = 14;
const STRIP = 48;

// Who delivered, or undefined while nobody has.
export const served = (decision) => decision.attempts.find(({ ok }) => ok)?.candidate;

// The slower one of a hedged pair is called off: no failure.
const calledOff = (failure) => failure?.kind === "cancelled";

export const failed = (decision) => decision.attempts.filter(({ failure, hedge }) => failure && !hedge && !calledOff(failure));

export const reason = ({ blame, kind }) => `${kind} (${blame})`;

function exclusion({ id, stage, cause, shown }) {
  const value = shown === null ? "" : `: ${typeof shown === "object" ? JSON.stringify(shown) : shown}`;
  return el("span", { class: "out" }, who(id), ` ${cause}${value} `, el("span", { class: "tag" }, stage));
}

function attempt({ candidate, elapsed_ms, hedge, ok, failure }) {
  const result = ok
    ? el("span", { class: "good" }, `✓ ${duration(elapsed_ms)}`)
    : calledOff(failure) ? el("span", { class: "soft" }, "called off, the other was faster")
    : el("span", { class: "bad", title: failure?.detail }, `✗ ${failure ? reason(failure) : "ended"} ${duration(elapsed_ms)}`);
  return el("span", { class: "try" }, who(candidate), " ", result, hedge ? el("span", { class: "tag" }, "hedge") : undefined);
}

function row(decision) {
  const order = decision.order.map(({ id, score }, place) => {
    const chosen = who(id);
    chosen.title = `place ${place + 1}${score === null ? "" : `, score ${score.toFixed(3)}`}`;
    return chosen;
  });
  const refusal = decision.refusal ? el("span", { class: "bad" }, decision.refusal.message) : undefined;
  const fault = decision.fault ? el("span", { class: "out bad" }, `policy fault: ${JSON.stringify(decision.fault)}`) : undefined;
  const dropped = decision.dropped.map(({ id, reason }) => el("span", { class: "out" }, who(id), ` ${reason} `, el("span", { class: "tag" }, "host")));
  return el("tr", { "data-id": decision.id },
    el("td", { class: "quiet" }, clock(decision.at_ms)),
    el("td", {}, decision.job),
    el("td", { class: "gen" }, String(decision.generation)),
    el("td", {}, el("span", { class: "order" }, ...order), refusal, fault, ...decision.excluded.map(exclusion), ...dropped),
    el("td", {}, ...decision.attempts.map(attempt)),
    el("td", { class: "n soft" }, `${Math.round(decision.took_us)} µs`),
  );
}

export function showDecisions(decisions) {
  byId("decisions").tBodies[0].replaceChildren(...decisions.slice(0, SHOWN).map(row));
}

function cell(decision, before) {
  const id = served(decision);
  const turned = before && before.generation !== decision.generation;
  const pending = !id && !decision.refusal && decision.attempts.length === 0;
  const classes = [turned && "turn", pending && "pending", id && failed(decision).length > 0 && "retried"];
  const title = `${decision.job}: ${id ? nameOf(id) : pending ? "under way" : "not transcoded"}, generation ${decision.generation}`;
  return el("li", { class: classes.filter(Boolean).join(" "), title, hue: id ? hueOf(id) : pending ? undefined : "var(--none)" });
}

export function showStrip(decisions) {
  const inOrder = decisions.slice(0, STRIP).reverse();
  byId("strip").replaceChildren(...inOrder.map((decision, place) => cell(decision, inOrder[place - 1])));
}

// The share of each orchestrator in the strip.
export function shares(decisions) {
  const counts = new Map();
  const done = decisions.slice(0, STRIP).map(served).filter(Boolean);
  for (const id of done) counts.set(id, (counts.get(id) ?? 0) + 1 / done.length);
  return counts;
}
