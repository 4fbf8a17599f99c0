import { describe, expect, it } from "vitest";
import { addressOf, messages } from "../src/embed/height";

describe("what a page tells the one around it", () => {
  it("holds its address without a signature", () => {
    const plain = "https://maps.example/embed/margin?lang=fr";
    expect(addressOf(plain)).toBe(plain);
    expect(addressOf("https://maps.example/embed/margin?sig=1.a.b.c&lang=fr")).toBe(plain);
    const told = JSON.stringify(messages("margin", "margin", 300, addressOf(`${plain}&sig=1.a.b.c`)));
    expect(told).toContain("lang=fr");
    expect(told).not.toContain("sig");
  });
});
