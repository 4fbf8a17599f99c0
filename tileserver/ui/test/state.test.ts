import { expect, test } from "vitest";
import { decode, encode, INITIAL, type State } from "../src/state";

test("the initial state is an empty address", () => {
  expect(encode(INITIAL)).toBe("");
  expect(decode("")).toEqual(INITIAL);
});

test("whatever the state, its address reads back to it", () => {
  const full: State = {
    layer: "paris",
    indicator: "turnout",
    second: "income",
    comparison: "side",
    split: 0.25,
    method: "quantile",
    classes: 7,
    palette: "teal",
    flip: true,
    middle: -0.125,
    filter: "name LIKE 'L''Î%' AND turnout > 0.5 + 1 & #1",
    ranges: { turnout: { min: 0.25, max: null }, "a b:c..d": { min: -1e-7, max: 1e21 } },
    criteria: [
      { name: "abstention", weight: 3, low: false },
      { name: "income", weight: 10, low: true },
    ],
    scoring: "topsis",
    area: { level: "bureau", key: "75056/0001 é" },
    zone: [
      [2.3, 48.8],
      [2.4, 48.8],
      [-0.00001, 48.9],
    ],
    density: "supporters",
    contacts: { support: ["favorable", "a:b, c"], age: ["18-24"] },
    contactsFilter: "canvass = '2013' AND 1 & #1",
    transfers: "t1-t2",
    profile: true,
    electorate: "registered",
    view: { zoom: 11.25, lat: 48.85661, lon: -2.35222 },
    language: "fr",
    theme: "dark",
    table: true,
    sort: "-turnout",
  };
  expect(decode(`#${encode(full)}`)).toEqual(full);
});

test.each([
  "classes=1",
  "classes=99",
  "classes=x",
  "classes=3.5",
  "method=nosuch",
  "split=2",
  "split=x",
  "comparison=nosuch",
  "lang=de",
  "theme=neon",
  "view=",
  "view=1/2",
  "view=1/91/0",
  "view=a/b/c",
  "area=nolevel",
  "range=x",
  "range=x:..",
  "range=:1..2",
  "range=x:a..b",
  "area=/k",
  "score=a:0",
  "score=a:11,:3,-,-:4",
  "score=,",
  "score-method=magic",
  "zone=1,2 3,4",
  "zone=1,2 3,4 5,96",
  "zone=1,2 3,4 5",
  "zone=1,2 3,4 5,6,7",
  "%",
  "=&=&&",
])("%s is as if it were absent", (fragment) => {
  expect(decode(fragment)).toEqual(INITIAL);
});

test("criteria read as the server writes them", () => {
  const read = (text: string) => decode(`score=${text}`).criteria;
  expect(read("a,-b:4")).toEqual([
    { name: "a", weight: 1, low: false },
    { name: "b", weight: 4, low: true },
  ]);
  expect(read("a:2,-a:3,b:2.5")).toEqual([
    { name: "a", weight: 2, low: false },
    { name: "b:2.5", weight: 1, low: false },
  ]);
});

test("names of what every object has are names", () => {
  const { contacts } = decode("contacts=constructor:x&contacts=__proto__:y");
  expect(Object.entries(contacts)).toEqual([
    ["constructor", ["x"]],
    ["__proto__", ["y"]],
  ]);
});
