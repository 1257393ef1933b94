// The table of orchestrators.

import { byId, duration, el } from "./dom.js";
import { who } from "./names.js";

function state(orchestrator) {
  const { reach, rest_ms, usable, unusable, error } = orchestrator;
  if (reach === "silent") return el("span", { class: "bad", title: error }, "silent");
  if (reach === "unasked") return el("span", { class: "quiet", title: error }, "not asked yet");
  if (rest_ms > 0) return el("span", { class: "warn" }, `rests ${Math.ceil(rest_ms / 1000)} s`);
  if (!usable) return el("span", { class: "warn", title: unusable }, "unusable");
  return el("span", { class: "good" }, "alive");
}

function price(text) {
  if (text === undefined) return "–";
  const [units, pixels = "1"] = text.split("/");
  return pixels === "1" ? units : (Number(units) / Number(pixels)).toPrecision(4);
}

function success(work) {
  if (work?.success_rate === undefined) return "–";
  const rate = Math.round(work.success_rate * 100);
  const title = work.faults.map((fault) => `${fault.kind}: ${fault.detail}`).join("\n");
  return el("span", { class: rate < 95 ? "warn" : "", title: title || undefined }, `${rate} %`, el("span", { class: "quiet" }, ` of ${work.samples}`));
}

export function showOrchestrators(orchestrators, shares) {
  const rows = orchestrators.map((orchestrator) => {
    const work = orchestrator.history.find(({ workload }) => workload === "transcode");
    const share = shares.get(orchestrator.id) ?? 0;
    const bar = who(orchestrator.id);
    return el("tr", { class: orchestrator.reach === "silent" ? "away" : "" },
      el("td", {}, bar, el("span", { class: "uri" }, orchestrator.uri.replace(/^https?:\/\//, ""), orchestrator.region ? ` · ${orchestrator.region}` : "")),
      el("td", {}, state(orchestrator)),
      el("td", { class: "n" }, price(orchestrator.price)),
      el("td", { class: "n" }, duration(work?.latency_ms_p50), el("span", { class: "quiet" }, ` / ${duration(work?.latency_ms_p95)}`)),
      el("td", { class: "n" }, success(work)),
      el("td", { class: "n" }, String(orchestrator.in_flight)),
      el("td", { title: `${Math.round(share * 100)} %` }, meter(share, bar)),
    );
  });
  byId("orchestrators").tBodies[0].replaceChildren(...rows);
}

function meter(share, { style }) {
  const full = el("i", { hue: style.getPropertyValue("--hue") });
  full.style.width = `${Math.round(share * 100)}%`;
  return el("span", { class: "share" }, full);
}
