import { expect, test } from "vitest";
import { wrapped } from "../src/map/wrapped";

test.each([
  ["", []],
  ["one line", ["one line"]],
  ["two lines here", ["two lines", "here"]],
  ["(votes>3000)AND(x)", ["(votes>300", "0)AND(x)"]],
  ["a unbreakable b", ["a", "unbreakabl", "e b"]],
])("%s", (text, lines) => {
  expect(wrapped(text, 10, ({ length }) => length)).toEqual(lines);
});
