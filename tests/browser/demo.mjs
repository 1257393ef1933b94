// Starts `pointsman demo` on free ports, and a browser to watch it with.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BINARY = process.env.POINTSMAN ?? path.resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target", "debug/pointsman");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FREE = "127.0.0.1:0";

// `url` is the page, `stream` the master playlist, `lines` what the demo has said so far.
export async function startDemo({ pace, seconds }) {
  const words = ["demo", "--pace", pace, "--seconds", String(seconds), "--http-addr", FREE, "--rtmp-addr", FREE, "--cli-addr", FREE];
  const child = spawn(BINARY, words, { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
  const demo = { lines: [], ended, child };
  await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      demo.lines.push(line);
      demo.stream ??= line.match(/^ +stream +(http\S+)/)?.[1];
      demo.url ??= line.match(/^watch it on (http\S+)/)?.[1];
      if (demo.url) resolve();
    });
    ended.then(({ code }) => reject(new Error(`the demo ended with ${code} before it was ready:\n${demo.lines.join("\n")}`)));
  });
  demo.stop = async () => {
    child.kill("SIGINT");
    return ended;
  };
  return demo;
}

export async function startBrowser(options = {}) {
  const profile = await mkdtemp(path.join(tmpdir(), "pointsman-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
    ],
    ...options,
  });
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  };
  return { context, close };
}
