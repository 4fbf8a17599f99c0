/**
 * How long a reader waits for the page of a running server: `node benches/page.mjs URL STATE`, where STATE
 * is what the page's address has after its `#`, with an `indicator` of shares. Needs `npm ci` in
 * tests/browser and a Chromium. A machine with a GPU waits until the last frame is handed over to it, and
 * then a few milliseconds; without one Chromium draws each frame itself, which takes longer than all before.
 * On Linux it also tells the CPU time of a filter, which other work on the machine changes little: of the
 * page, of the workers that read tiles, and of drawing.
 */
import { readdirSync, readFileSync } from "node:fs";
import { launch, PATIENCE } from "../tests/browser/support/browser.mjs";
import { noteFrames } from "../tests/browser/support/frames.mjs";

const ROUNDS = 7;

/** Filters set one after another: the first while the browser still compiles what it runs, the last when it has. */
const FILTERS = 7;

const [url, state, size = "1280x800"] = process.argv.slice(2);
const [width, height] = size.split("x").map(Number);
const indicator = new URLSearchParams(state).get("indicator");
if (!indicator) throw new Error("give the server's address, and a state with an indicator");
const others = new Set(processes());
const browser = await launch();
const figures = { "first paint": [], "map drawn": [] };
for (let round = 0; round < ROUNDS; round += 1) {
  // A reader who was never here: nothing is cached.
  const context = await browser.newContext({ viewport: { width, height } });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  await page.addInitScript(noteFrames);
  await page.goto(`${url}#${state}`);
  await page.waitForSelector('.stage[aria-busy="false"]');
  figures["map drawn"].push(await page.evaluate(() => performance.now()));
  const [paint] = await page.evaluate(() =>
    performance.getEntriesByName("first-contentful-paint").map(({ startTime }) => startTime),
  );
  figures["first paint"].push(paint);
  await page.waitForTimeout(1000);
  for (let nth = 1; nth <= FILTERS; nth += 1) {
    // A filter that nobody asked before, which leaves most areas.
    const filter = `${indicator} > 0.${1 + (nth % 3)}${Date.now()}`;
    let answered = 0;
    const spent = cpu();
    const start = Date.now();
    const note = (request) => {
      if (/\/\d+\/\d+\/\d+\?/.test(request.url())) answered = Date.now() - start;
    };
    page.on("requestfinished", note);
    const drawn = await page.evaluate(async (filter) => {
      const stage = document.querySelector(".stage");
      const box = document.querySelector("#filter");
      const start = performance.now();
      globalThis.frames = [];
      const idle = new Promise((resolve) => {
        let began = false;
        new MutationObserver(() => {
          if (stage.ariaBusy === "true") began = true;
          else if (began) resolve(performance.now() - start);
        }).observe(stage, { attributeFilter: ["aria-busy"] });
      });
      box.value = filter;
      box.dispatchEvent(new InputEvent("input", { bubbles: true }));
      box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
      const rest = await idle;
      return { rest, frames: globalThis.frames.map((at) => at - start) };
    }, filter);
    page.off("requestfinished", note);
    const found = { answered, "at rest": drawn.rest, "last frame handed over": drawn.frames.at(-1) ?? 0, frames: drawn.frames.length };
    for (const [part, all] of Object.entries(cpu())) found[`CPU of ${part}`] = all - (spent[part] ?? 0);
    for (const [name, one] of Object.entries(found)) {
      if (nth === 1 || nth === FILTERS) (figures[`filter ${nth}, ${name}`] ??= []).push(one);
    }
    await page.waitForTimeout(700);
  }
  await context.close();
}
await browser.close();
for (const [name, all] of Object.entries(figures)) {
  all.sort((a, b) => a - b);
  const shown = [all[0], all[ROUNDS >> 1], all.at(-1)].map(Math.round).join(" / ");
  process.stdout.write(`${name}: ${shown}${name.endsWith("frames") ? "" : " ms"} (least / median / most of ${ROUNDS})\n`);
}

function processes() {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** Milliseconds that threads of this browser's processes have run, by what they do. */
function cpu() {
  const parts = {};
  for (const id of processes()) {
    if (others.has(id)) continue;
    try {
      const type = /--type=(renderer|gpu-process)/.exec(readFileSync(`/proc/${id}/cmdline`, "utf8"))?.[1];
      if (!type) continue;
      for (const thread of readdirSync(`/proc/${id}/task`)) {
        const name = readFileSync(`/proc/${id}/task/${thread}/comm`, "utf8");
        const [ran] = readFileSync(`/proc/${id}/task/${thread}/schedstat`, "utf8").split(" ");
        const part = type !== "renderer" ? "drawing" : name.startsWith("DedicatedWorker") ? "workers" : "the page";
        parts[part] = (parts[part] ?? 0) + Number(ran) / 1e6;
      }
    } catch {
      // A process or thread that ended meanwhile.
    }
  }
  return parts;
}
