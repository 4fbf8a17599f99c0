import { readdirSync, readFileSync } from "node:fs";
import { type StyleSpecification, validateStyleMin } from "@maplibre/maplibre-gl-style-spec";
import { expect, test } from "vitest";
import { fillTemplate } from "../src/map/template";

const FOLDER = new URL("../../../styles/", import.meta.url);

const COMMON = {
  tiles: ["https://example.org/a/{z}/{x}/{y}?filter=x%20%3E%201&v=1"],
  bounds: [2, 48, 3, 49],
  minzoom: 3,
  maxzoom: 12,
  attribution: "somebody",
  "source-layer": "a",
  background: "#fff",
  ink: "#000",
};

const BORDER = { border: ["interpolate", ["linear"], ["zoom"], 6, "#ffffff40", 12, "#fff"] };

const OWN: Record<string, object> = {
  choropleth: { color: ["case", ["has", "x"], "#123456", "#ccc"], ...BORDER },
  bivariate: { color: ["case", ["has", "x"], "#123456", "#ccc"], ...BORDER },
  priority: { color: ["case", ["has", "score"], "#123456", "#ccc"], top: 10, ...BORDER },
  density: {
    color: ["interpolate", ["linear"], ["heatmap-density"], 0, "rgba(0,0,0,0)", 1, "#fff"],
    "circle-color": "#f00",
    intensity: ["interpolate", ["exponential", 4], ["zoom"], 0, 1e-9, 16, 4],
  },
};

const names = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

test("each template is known here", () => {
  expect(names.map((name) => name.replace(".json", "")).sort()).toEqual(Object.keys(OWN).sort());
});

test.each(names)("%s is a valid style, as it stands and with every slot filled", (name) => {
  const template = JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")) as StyleSpecification;
  expect(validateStyleMin(template)).toEqual([]);
  const slots = { ...COMMON, ...OWN[template.name ?? ""] };
  const known = Object.keys((template.metadata as { "maille:slots": object })["maille:slots"]);
  expect(known.sort()).toEqual(Object.keys(slots).sort());
  const style = fillTemplate(template, slots);
  expect(validateStyleMin(style as StyleSpecification)).toEqual([]);
  for (const layer of style.layers) if ("source-layer" in layer) expect(layer["source-layer"]).toBe("a");
  expect(JSON.stringify(style.layers)).not.toContain("#f5f4f0");
});

test("a slot that the template lacks is an error", () => {
  const template = { version: 8, name: "t", metadata: { "maille:slots": {} }, sources: {}, layers: [] };
  expect(() => fillTemplate(template, { nosuch: 1 })).toThrow("the style t has no slot nosuch");
});
