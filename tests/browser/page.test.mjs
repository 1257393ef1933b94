// The demo as a person sees it: the page plays, and shows who was chosen, who died and which policy took over.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { startBrowser, startDemo } from "./demo.mjs";

const WAIT = 90_000;

let demo;
let browser;

before(async () => {
  demo = await startDemo({ pace: "6s", seconds: 400 });
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  demo?.child.kill("SIGKILL");
});

// A page that notes what goes wrong in it and whom it asks.
async function open(query = "") {
  const page = await browser.context.newPage();
  const wrong = [];
  const asked = new Set();
  page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("request", (request) => request.url().startsWith("http") && asked.add(new URL(request.url()).origin));
  await page.goto(demo.url + query);
  return { page, wrong, asked };
}

async function plays(page, player) {
  const video = page.locator("video");
  await page.waitForFunction(() => document.querySelector("video").currentTime > 0, undefined, { timeout: WAIT });
  assert.equal(await video.getAttribute("data-player"), player);
  const start = await video.evaluate(({ currentTime }) => currentTime);
  await page.waitForFunction((start) => document.querySelector("video").currentTime > start + 6, start, { timeout: WAIT });
  const shown = await video.evaluate((element) => ({
    width: element.videoWidth, frames: element.getVideoPlaybackQuality().totalVideoFrames, error: element.error?.message,
  }));
  assert.equal(shown.error, undefined);
  assert.ok(shown.width >= 426, `${shown.width} pixels wide`);
  assert.ok(shown.frames > 60, `${shown.frames} frames`);
}

test("hls.js plays the stream, and the page asks nobody but the gateway", async () => {
  const { page, wrong, asked } = await open();
  await plays(page, "hls.js");
  assert.deepEqual([...asked].sort(), [new URL(demo.url).origin, new URL(demo.stream).origin].sort());
  assert.deepEqual(wrong, []);
  await page.close();
});

test("the browser's own HLS plays the stream", async () => {
  const { page, wrong } = await open("?player=native");
  await plays(page, "native");
  assert.deepEqual(wrong, []);
  await page.close();
});

test("orchestrators and decisions are shown, and so are a death and a change of policy", async () => {
  const { page, wrong } = await open();
  const orchestrators = page.locator("#orchestrators tbody tr");
  await page.waitForFunction(() => document.querySelectorAll("#orchestrators tbody tr").length === 3, undefined, { timeout: WAIT });
  const names = await orchestrators.locator(".who").allTextContents();
  assert.deepEqual(names.sort(), ["steady", "swift", "thrifty"]);

  const newest = () => page.locator("#decisions tbody tr").first().getAttribute("data-id");
  await page.locator("#decisions tbody .try .good").first().waitFor({ timeout: WAIT });
  const first = Number(await newest());
  await page.waitForFunction((first) => Number(document.querySelector("#decisions tbody tr").dataset.id) > first, first, { timeout: WAIT });

  await page.locator("#events [data-kind=away]").first().waitFor({ timeout: WAIT });
  await page.locator("#events [data-kind=back]").first().waitFor({ timeout: WAIT });
  await page.locator("#events [data-kind=generation]", { hasText: "prefer-cheapest" }).first().waitFor({ timeout: WAIT });
  await page.locator("#generations li.active", { hasText: "prefer-cheapest" }).waitFor({ timeout: WAIT });
  const generation = page.locator("#decisions tbody tr", { has: page.locator(".gen", { hasText: "2" }) }).first();
  await generation.waitFor({ timeout: WAIT });
  await page.locator("#generations li.active", { hasText: "default" }).waitFor({ timeout: WAIT });
  assert.deepEqual(wrong, []);
  await page.close();
});

test("one Ctrl-C ends it, and nothing is left", async () => {
  const { code, signal } = await demo.stop();
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  const port = demo.lines.find((line) => line.includes("rtmp://")).match(/:(\d+)\/live/)[1];
  const processes = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
  assert.ok(!processes.includes(`:${port}/live/`), "ffmpeg is left");
});
