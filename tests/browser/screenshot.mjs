// Takes README's picture: the page after an orchestrator has died and another policy has taken over.
// `node screenshot.mjs [FILE [light|dark]]`

import { fileURLToPath } from "node:url";
import { startBrowser, startDemo } from "./demo.mjs";

const [file = fileURLToPath(new URL("../../examples/demo.png", import.meta.url)), colorScheme = "light"] = process.argv.slice(2);
const demo = await startDemo({ pace: "12s", seconds: 150 });
const browser = await startBrowser({ colorScheme, viewport: { width: 1440, height: 900 } });
try {
  const page = await browser.context.newPage();
  page.on("console", (message) => message.type() === "error" && console.error(message.text()));
  await page.goto(demo.url);
  await page.locator("#events [data-kind=failover]").first().waitFor({ timeout: 90_000 });
  await page.locator("#generations li.active", { hasText: "prefer-cheapest" }).waitFor({ timeout: 90_000 });
  await page.waitForTimeout(9_000);
  await page.screenshot({ path: file });
} finally {
  await browser.close();
  await demo.stop();
}
