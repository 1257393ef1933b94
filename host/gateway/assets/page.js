// Asks the admin API once a second, read only, and shows what it answers.

import { byId, el } from "./dom.js";
import { learn, idOfUri, who } from "./names.js";
import { shares, showDecisions, showStrip } from "./decisions.js";
import { seeDecisions, seeGenerations, seeOrchestrators, showEvents } from "./events.js";
import { play, playbackBase } from "./player.js";
import { showOrchestrators } from "./orchestrators.js";

const PERIOD = 1000;
const DECISIONS = 60;

async function get(path) {
  const response = await fetch(`/api/v1/${path}`, { signal: AbortSignal.timeout(5000) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error?.message ?? `${path} answers ${response.status}`);
  return answer;
}

function showHealth(state, text) {
  byId("health").dataset.state = state;
  byId("health").textContent = text;
}

function showSummary({ version, policy, orchestrators, streams }) {
  byId("version").textContent = version;
  const facts = [
    ["policy", `${policy.name} ${policy.version}`],
    ["generation", policy.generation],
    ["orchestrators", `${orchestrators.usable} of ${orchestrators.known} usable`],
    ["streams", streams],
  ];
  byId("summary").replaceChildren(...facts.map(([key, value]) => el("div", {}, el("dt", {}, key), el("dd", {}, String(value)))));
}

function showGenerations(generations) {
  const items = [...generations].sort((a, b) => b.number - a.number).slice(0, 4).map((generation) => {
    const active = generation.state === "active";
    const chain = generation.policies.map(({ stage }) => stage).filter((stage) => stage !== generation.name).join(" › ");
    const faults = generation.faults > 0 ? el("span", { class: "bad" }, `${generation.faults} faults`) : undefined;
    return el("li", { class: active ? "active" : "" },
      el("span", { class: "gen" }, String(generation.number)), el("b", {}, generation.name),
      el("span", {}, active ? chain : generation.state), el("span", {}, `${generation.decisions} decisions`), faults);
  });
  byId("generations").replaceChildren(...items);
}

function showStream(streams, listeners) {
  const [stream] = streams;
  // The master playlist is there when the first renditions are.
  const ready = stream && (stream.transcoded + stream.failed > 0 || stream.listed > 2);
  play(ready ? `${playbackBase(listeners)}/stream/${stream.name}.m3u8` : undefined);
  if (!stream) return byId("stream").replaceChildren();
  const by = stream.orchestrator && idOfUri(stream.orchestrator);
  const fact = (value, text) => el("span", {}, el("b", {}, String(value)), ` ${text}`);
  return byId("stream").replaceChildren(
    fact(stream.name, `over ${stream.origin}`), fact(stream.transcoded, `of ${stream.segments} segments transcoded`),
    fact(stream.gaps, stream.gaps === 1 ? "gap" : "gaps"), el("span", {}, "now by ", by ? who(by) : "–"),
  );
}

async function tell() {
  const answers = ["status", "orchestrators", "streams", "policy", `decisions?limit=${DECISIONS}`].map(get);
  const [status, { orchestrators }, { streams }, { generations }, { decisions }] = await Promise.all(answers);
  learn(orchestrators);
  seeGenerations(generations);
  seeOrchestrators(orchestrators, Date.now());
  seeDecisions(decisions);
  showSummary(status);
  showOrchestrators(orchestrators, shares(decisions));
  showGenerations(generations);
  showDecisions(decisions);
  showStrip(decisions);
  showStream(streams, status.listeners);
  showEvents();
  showHealth("live", status.draining ? "draining" : "live");
}

async function run() {
  try {
    if (!document.hidden) await tell();
  } catch (error) {
    showHealth("lost", error instanceof TypeError ? "the gateway does not answer" : error.message);
  }
  setTimeout(run, PERIOD);
}

run();
