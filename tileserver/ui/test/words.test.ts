import { expect, test } from "vitest";
import { formatFor } from "../src/format";
import { LANGUAGES, preferred } from "../src/i18n";
import { SCORINGS } from "../src/score";
import { METHODS } from "../src/state";
import { PALETTES } from "../src/palette";

test("both languages say everything", () => {
  for (const words of Object.values(LANGUAGES)) {
    expect(Object.keys(words).sort()).toEqual(Object.keys(LANGUAGES.en).sort());
    for (const { id } of PALETTES) expect(words.palettes[id]).toBeTruthy();
    for (const scoring of SCORINGS) expect(words.scorings[scoring]).toBeTruthy();
    for (const method of METHODS) expect(words.methods[method]).toBeTruthy();
  }
});

test("the language is the browser's first that we speak", () => {
  expect(preferred(["de-DE", "fr-CH", "en"])).toBe("fr");
  expect(preferred(["en-GB", "fr"])).toBe("en");
  expect(preferred([])).toBe("en");
});

test.each([
  ["share", 0.4, 0.3821, "en", "38.2\u202f%"],
  ["share", 0.4, 0.3821, "fr", "38,2\u202f%"],
  ["share", 0.04, 0.3821, "en", "38.21\u202f%"],
  ["share", 1, -0.00001, "en", "0\u202f%"],
  ["share", 1, -0.31, "en", "−31\u202f%"],
  ["count", 9000, 1234.4, "en", "1,234"],
  ["eur", 30000, 21340.6, "en", "21,341\u202f€"],
  ["per_1000", 20, 3.14159, "fr", "3,1\u202fpour 1 000"],
  [null, 0, 7, "en", "7.0"],
] as const)("%s over %f: %f in %s is %s", (unit, span, value, language, text) => {
  expect(formatFor(unit, span, language, LANGUAGES[language]).value(value)).toBe(text);
});

test("bounds that would read alike get the digits to differ, within reason", () => {
  const text = (bounds: number[]) => bounds.map(formatFor("km", 40, "en", LANGUAGES.en, bounds).plain);
  expect(text([0, 10, 40])).toEqual(["0.0", "10.0", "40.0"]);
  expect(text([0, 0.03, 0.12, 40])).toEqual(["0.00", "0.03", "0.12", "40.00"]);
  expect(text([0, 1e-9, 40])).toEqual(["0.000", "0.000", "40.000"]);
  expect(formatFor("count", 40, "en", LANGUAGES.en, [0, 0.1]).plain(3)).toBe("3");
});
