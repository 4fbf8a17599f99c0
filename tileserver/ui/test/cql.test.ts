import { expect, test } from "vitest";
import { conditionOf, conditionOfClasses, identifier, positionInWritten } from "../src/cql";

const SOME = { x: { min: 1, max: null }, "a b": { min: -0.5, max: 1e21 } };

test.each([
  ["", {}, ""],
  ["  a = 1 ", {}, "a = 1"],
  ["", SOME, 'x >= 1 AND "a b" BETWEEN -0.5 AND 1e+21'],
  ["a OR b", { x: { min: null, max: 2 } }, "(a OR b) AND x <= 2"],
  ["n = ')' OR n = 'l''(o'", { x: { min: 1, max: null } }, "(n = ')' OR n = 'l''(o') AND x >= 1"],
  // What would mean something else between parentheses is left to the server to refuse.
  ["a > 5) OR (a < 1", { x: { min: 1, max: null } }, "a > 5) OR (a < 1"],
  ["(a > 5", { x: { min: 1, max: null } }, "(a > 5"],
  ["n = 'o", { "it's": { min: 1, max: null } }, "n = 'o"],
])("%s with %o", (written, ranges, condition) => {
  expect(conditionOf(written, ranges)).toBe(condition);
});

test("a byte of the whole is a character of what was written", () => {
  const written = "  name = 'é' AND nosuch = 1";
  const at = written.indexOf("nosuch");
  for (const ranges of [{}, SOME]) {
    const bytes = new TextEncoder().encode(conditionOf(written, ranges).split("nosuch")[0]).length;
    expect(positionInWritten(bytes, written, ranges)).toBe(at);
  }
  expect(positionInWritten(1, " a) OR (b", SOME)).toBe(2);
  expect(positionInWritten(0, "", SOME)).toBe(null);
  expect(positionInWritten(900, written, SOME)).toBe(null);
});

test("names are quoted where they must be, and never end early", () => {
  expect(identifier("turnout_2")).toBe("turnout_2");
  expect(identifier('a"b')).toBe('"a""b"');
});

test.each([
  ["", {}, ""],
  [" a = 1 ", {}, "a = 1"],
  ["", { support: ["l'avis"] }, "support = 'l''avis'"],
  ["a) OR (b", { support: ["x"] }, "a) OR (b"],
  ["a OR b", { support: ["x", "y"], "an age": ["z"] }, "(a OR b) AND support IN ('x', 'y') AND \"an age\" = 'z'"],
])("classes: %s with %o", (written, classes, condition) => {
  expect(conditionOfClasses(written, classes)).toBe(condition);
});
