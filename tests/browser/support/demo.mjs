/** The demo in a server, and a browser to open it in, for the tests of a `describe`. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { launch, open, settled } from "./browser.mjs";
import { DEMO, serve } from "./server.mjs";

/** `project` may write another one into a directory of its own, and returns its path. */
export function demo(project = () => DEMO) {
  const directory = mkdtempSync(join(tmpdir(), "maille-demo-"));
  let browser;
  let server;
  before(async () => {
    [server, browser] = await Promise.all([serve(project(directory)), launch()]);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(directory, { recursive: true });
  });
  return {
    get url() {
      return server.url;
    },
    open: (options) => open(browser, server.url, options),
    /** Opens the explorer at a state, runs `body`, and asks that nothing went wrong meanwhile. */
    async at(state, body, options) {
      const { page, faults, close } = await open(browser, server.url, options);
      await page.goto(`${server.url}#${state}`);
      await settled(page);
      await body(page, faults);
      assert.deepEqual(faults, []);
      await close();
    },
  };
}
