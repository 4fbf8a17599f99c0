/** The demo in a server, and a browser to open it in, for the tests of a `describe`. */
import { after, before } from "node:test";
import { launch, open } from "./browser.mjs";
import { DEMO, serve } from "./server.mjs";

export function demo() {
  let browser;
  let server;
  before(async () => {
    [server, browser] = await Promise.all([serve(DEMO), launch()]);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });
  return {
    get url() {
      return server.url;
    },
    open: (options) => open(browser, server.url, options),
  };
}
