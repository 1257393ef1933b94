// Takes README's picture: the page after an orchestrator has died and another policy has taken over.
// `node screenshot.mjs [FILE [light|dark]]`

import { fileURLToPath } from "node:url";
import { startBrowser, startDemo } from "./demo.mjs";

const [file = fileURLToPath(new URL("../../examples/demo.png", import.meta.url)), colorScheme = "light"] = process.argv.slice(2);
const demo = await startDemo({ pace: "12s", seconds: 280 });
const browser = await startBrowser({ colorScheme, viewport: { width: 1440, height: 900 } });
try {
  const page = await browser.context.newPage();
  page.on("console", (message) => message.type() === "error" && console.error(message.text()));
  await page.goto(demo.url);
  await page.locator("#events [data-kind=failover]").first().waitFor({ timeout: 90_000 });
  // The other policy may find that the stream is where it wants it; then the next round shows a move.
  await page.waitForFunction(() => {
    const active = document.querySelector("#generations li.active")?.textContent ?? "";
    return active.includes("prefer-cheapest") && document.querySelector("#events li")?.dataset.kind === "moved";
  }, undefined, { timeout: 180_000 });
  await page.waitForTimeout(6_000);
  await page.screenshot({ path: file });
} finally {
  await browser.close();
  await demo.stop();
}
