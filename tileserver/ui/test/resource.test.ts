import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import { faultOf, Problem } from "../src/problem";
import { askAgain, resource } from "../src/resource";

/** Lets requests settle. */
const settled = () => new Promise((done) => setTimeout(done));

test("what failed for no fault of its own is asked again, until it is answered", async () => {
  const answers: (Error | string)[] = [new TypeError("Failed to fetch"), new Problem(503, "busy", faultOf({})), "here"];
  let asked = 0;
  const { value, error, loading } = resource(
    () => "key",
    async () => {
      const answer = answers[asked++] as Error | string;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  );
  await settled();
  for (const expected of [2, 3, 3, 3]) {
    expect(loading.value).toBe(false);
    askAgain();
    await settled();
    expect(asked).toBe(expected);
  }
  expect(value.value).toBe("here");
  expect(error.value).toBe(null);
});

test("what was refused is not asked again, nor what is no longer wanted", async () => {
  const key = signal<string | null>("refused");
  const asked: string[] = [];
  resource(
    () => key.value,
    async (text) => {
      asked.push(text);
      throw text === "refused" ? new Problem(400, "no", faultOf({})) : new TypeError("Failed to fetch");
    },
  );
  await settled();
  askAgain();
  key.value = "away";
  await settled();
  key.value = null;
  askAgain();
  await settled();
  expect(asked).toEqual(["refused", "away"]);
});
