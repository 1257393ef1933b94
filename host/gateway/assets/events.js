// What happened, told from what changed. Failovers and generations come from the records, so they survive a reload of the page;
// an orchestrator's going and coming is only seen while the page is open.

import { byId, clock, el } from "./dom.js";
import { failed, reason, served } from "./decisions.js";
import { nameOf, who } from "./names.js";

const MOST = 200;
const events = new Map();
const reach = new Map();

function add(key, at, kind, ...content) {
  if (!events.has(key)) events.set(key, { at, kind, content });
}

export function seeGenerations(generations) {
  for (const { number, name, version, origin, activated_ms } of generations) {
    if (!activated_ms) continue;
    const text = number === 1 ? "started with" : "policy is now";
    add(`generation ${number} ${activated_ms}`, activated_ms, "generation", `generation ${number}: ${text} `, el("b", {}, `${name} ${version}`), ` (${origin})`);
  }
}

export function seeOrchestrators(orchestrators, now) {
  for (const { id, reach: state, error } of orchestrators) {
    const before = reach.get(id);
    reach.set(id, state);
    if (!before || before === state) continue;
    if (state === "silent") add(`away ${id} ${now}`, now, "away", who(id), el("span", { title: error }, " does not answer any more"));
    if (state === "answers" && before === "silent") add(`back ${id} ${now}`, now, "back", who(id), " answers again");
  }
}

export function seeDecisions(decisions) {
  const last = new Map();
  for (const decision of [...decisions].reverse()) {
    const { id, job, at_ms } = decision;
    const stream = job.split("/")[0];
    const by = served(decision);
    const failures = failed(decision);
    if (decision.refusal) add(`refused ${id}`, at_ms, "refused", `${job}: ${decision.refusal.message}`);
    if (failures.length > 0 && by) {
      const causes = failures.map(({ candidate, failure }) => `${nameOf(candidate)} failed, ${reason(failure)}`);
      add(`failover ${id}`, at_ms + 1, "failover", `${job}: ${causes.join("; ")} → `, who(by));
    }
    const before = last.get(stream);
    if (by && before && before !== by && failures.length === 0) {
      add(`moved ${id}`, at_ms + 2, "moved", `${job}: `, who(before), " → ", who(by));
    }
    if (by) last.set(stream, by);
  }
}

export function showEvents() {
  const newest = [...events].sort(([, a], [, b]) => b.at - a.at);
  for (const [key] of newest.slice(MOST)) events.delete(key);
  const list = byId("events");
  const keys = newest.slice(0, MOST).map(([key]) => key).join("\n");
  // Redrawn only when there is news: somebody may be scrolling in it.
  if (list.dataset.keys === keys) return;
  list.dataset.keys = keys;
  const rows = newest.slice(0, MOST).map(([, { at, kind, content }]) => el("li", { "data-kind": kind }, el("time", {}, clock(at)), el("span", {}, ...content)));
  list.replaceChildren(...rows);
}
