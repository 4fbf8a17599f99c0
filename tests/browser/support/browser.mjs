/** A real Chromium, and what its pages did that they should not. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { PNG } from "pngjs";

const EXECUTABLE = process.env.MAILLE_CHROMIUM ?? "/usr/bin/chromium";
const SHOTS = join(import.meta.dirname, "../../../target/screenshots");

/** Why the browser tests cannot run, for `skip`; `false` when they can. */
export const unavailable = existsSync(EXECUTABLE) ? false : `no Chromium at ${EXECUTABLE}; name one in MAILLE_CHROMIUM`;

/** Long enough for a busy machine to draw a map in software. */
export const PATIENCE = 60_000;

export function launch() {
  return chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--use-angle=swiftshader",
      "--enable-unsafe-swiftshader",
      "--ignore-gpu-blocklist",
    ],
  });
}

/**
 * A page, with the faults it showed: console errors and warnings, exceptions, failed requests, requests
 * to any other origin than `origin`, dialogs.
 */
export async function open(browser, origin, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB", ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => {
    // Chromium speaks of its software renderer; that is ours to accept.
    if (/GPU stall|swiftshader|GroupMarkerNotSet/i.test(message.text())) return;
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`exception: ${error.stack}`));
  page.on("dialog", async (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on("requestfailed", (request) => {
    if (request.failure()?.errorText !== "net::ERR_ABORTED") faults.push(`failed: ${request.url()}`);
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (["data:", "blob:"].includes(url.protocol)) return;
    if (url.origin !== new URL(origin).origin) faults.push(`elsewhere: ${request.url()}`);
  });
  return { page, faults, close: () => context.close() };
}

/** Waits until the explorer has drawn what it knows. */
export async function settled(page) {
  await page.waitForSelector('.stage[aria-busy="false"]', { timeout: PATIENCE });
  // What the last change set off shows as busy within a frame or two.
  await page.waitForTimeout(300);
  await page.waitForSelector('.stage[aria-busy="false"]', { timeout: PATIENCE });
}

/** Pixels of a region: `count(color, tolerance)` tells how many have about that colour. */
export async function pixels(page, clip) {
  const { data, width, height } = PNG.sync.read(await page.screenshot({ clip }));
  return {
    size: width * height,
    count(color, tolerance = 10) {
      const [r, g, b] = rgb(color);
      let n = 0;
      for (let i = 0; i < data.length; i += 4) {
        const near = Math.abs(data[i] - r) <= tolerance && Math.abs(data[i + 1] - g) <= tolerance;
        if (near && Math.abs(data[i + 2] - b) <= tolerance) n += 1;
      }
      return n;
    },
  };
}

/** Saves what the page looks like under target/screenshots. */
export async function keep(page, name) {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`) });
}

function rgb(color) {
  const css = /rgba?\((\d+), (\d+), (\d+)/.exec(color);
  if (css) return css.slice(1, 4).map(Number);
  return [1, 3, 5].map((i) => Number.parseInt(color.slice(i, i + 2), 16));
}
