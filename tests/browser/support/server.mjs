/** The real programs: a dataset built by `precompute`, served by `tileserver`. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const WORKSPACE = join(import.meta.dirname, "../../..");
export const BINARIES = join(process.env.CARGO_TARGET_DIR ?? join(WORKSPACE, "target"), "debug");

export const DEMO = join(WORKSPACE, "data/maille.toml");

/**
 * Builds `project` and serves it on a free port, with more `flags`; `publish` builds it again, as a new version.
 * @returns {Promise<{url: string, dataset: string, publish: () => void, stop: () => Promise<void>}>}
 */
export async function serve(project, flags = []) {
  const directory = mkdtempSync(join(tmpdir(), "maille-browser-"));
  const publish = () => {
    const build = ["build", project, "--out", directory];
    execFileSync(join(BINARIES, "precompute"), build, { stdio: ["ignore", "ignore", "pipe"] });
  };
  publish();
  const child = spawn(join(BINARIES, "tileserver"), ["--dataset", directory, "--listen", "127.0.0.1:0", ...flags]);
  let log = "";
  child.stderr.on("data", (chunk) => (log += chunk));
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`tileserver ended with ${code}: ${log}`)));
  });
  return {
    url: `${url}/`,
    dataset: directory,
    publish,
    stop: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
      rmSync(directory, { recursive: true });
    },
  };
}
