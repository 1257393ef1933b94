// Plays a stream: through hls.js where it is embedded and can, else with the browser's own HLS. `?player=native` asks for that.

import { byId } from "./dom.js";

const RETRY = 1500;
const wantsNative = new URLSearchParams(location.search).get("player") === "native";

let playing;
let stop = () => {};

function throughHls(video, url, again) {
  // No worker: it would need `worker-src blob:` in the page's policy, and one stream is little work.
  const hls = new window.Hls({ enableWorker: false, liveDurationInfinity: true });
  hls.on(window.Hls.Events.ERROR, (_, { fatal }) => fatal && again());
  hls.loadSource(url);
  hls.attachMedia(video);
  return () => hls.destroy();
}

function natively(video, url, again) {
  video.addEventListener("error", again);
  video.src = url;
  return () => {
    video.removeEventListener("error", again);
    video.removeAttribute("src");
    video.load();
  };
}

function start(url) {
  const video = byId("video");
  let timer;
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(() => playing === url && (stop(), start(url)), RETRY);
  };
  const usesHls = !wantsNative && window.Hls?.isSupported();
  video.dataset.player = usesHls ? "hls.js" : "native";
  const end = (usesHls ? throughHls : natively)(video, url, again);
  video.onplaying = () => { byId("waiting").hidden = true; };
  video.play().catch(() => {});
  stop = () => {
    clearTimeout(timer);
    byId("waiting").hidden = false;
    end();
  };
}

export function play(url) {
  if (url === playing) return;
  stop();
  stop = () => {};
  playing = url;
  if (url) start(url);
}

// Where streams are played: another port of the gateway that served this page.
export function playbackBase(listeners) {
  const [address] = listeners.http;
  return `http://${address.replace(/^(0\.0\.0\.0|\[::\])/, location.hostname)}`;
}
