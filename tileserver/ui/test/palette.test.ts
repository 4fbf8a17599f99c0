import { describe, expect, test } from "vitest";
import { diverging, needsLightText, PALETTES, sequential } from "../src/palette";

/** Relative luminance, as WCAG 2 defines it. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const x = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const byKind = (kind: string) => PALETTES.filter((palette) => palette.kind === kind);
const falls = (values: number[]) => values.every((value, i) => i === 0 || value < (values[i - 1] as number));

describe.each(byKind("sequential"))("$id", (palette) => {
  test.each([2, 3, 5, 9])("darkens from class to class, of %i", (count) => {
    const light = sequential(palette, count, false, false).map(luminance);
    expect(light).toHaveLength(count);
    expect(falls(light)).toBe(true);
    expect(falls(sequential(palette, count, true, false).map(luminance).reverse())).toBe(true);
    expect(sequential(palette, count, false, true)).toEqual(sequential(palette, count, false, false).reverse());
  });
});

describe.each(byKind("diverging"))("$id", (palette) => {
  test("darkens on both sides of the middle, on a dark page the other way", () => {
    const bounds = [-5, -3, -1, 1, 3, 5];
    const light = diverging(palette, bounds, 0, false, false).map(luminance);
    expect(falls(light.slice(2))).toBe(true);
    expect(falls(light.slice(0, 3).reverse())).toBe(true);
    const dark = diverging(palette, bounds, 0, true, false).map(luminance);
    expect(falls(dark.slice(2).reverse())).toBe(true);
    expect(falls(dark.slice(0, 3))).toBe(true);
  });

  test("classes as far from the middle are as strong", () => {
    const [a, neutral, , b] = diverging(palette, [-30, -10, 10, 20, 40], 0, false, false);
    const mirrored = diverging(palette, [-40, -20, -10, 10, 30], 0, false, true);
    expect(mirrored[3]).toBe(a);
    expect(mirrored[0]).toBe(b);
    expect(neutral).toBe(palette.stops[3]);
  });
});

test("text is readable on every colour there is", () => {
  for (const palette of PALETTES) {
    const all =
      palette.kind === "diverging"
        ? diverging(palette, [-9, -7, -5, -3, -1, 1, 3, 5, 7, 9], 0, false, false)
        : sequential(palette, 9, false, false);
    for (const color of [...all, ...palette.stops]) {
      const [under, text] = [luminance(color), needsLightText(color) ? 1 : 0.0103];
      const contrast = (Math.max(under, text) + 0.05) / (Math.min(under, text) + 0.05);
      expect(contrast, `${palette.id} ${color}`).toBeGreaterThan(4);
    }
  }
});
