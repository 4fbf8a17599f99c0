import { afterEach, expect, it } from "vitest";
import { explain, faultOf, Problem } from "../src/problem";
import { state } from "../src/state";

const before = state.value;
afterEach(() => {
  state.value = before;
});

/** As the server writes it. */
const UNKNOWN = {
  status: 400,
  detail: "unknown property `turnot`; did you mean `turnout`?",
  parameter: "filter",
  position: 3,
  reason: "unknown_property",
  value: "turnot",
  near: ["turnout", "tourist"],
};

function said(language: "fr" | "en", body: Record<string, unknown>): string {
  state.value = { ...before, language };
  return explain(new Problem(Number(body.status), String(body.detail), faultOf(body)));
}

it("says what is wrong in the page's language", () => {
  expect(said("en", UNKNOWN)).toBe(UNKNOWN.detail);
  expect(said("fr", UNKNOWN)).toBe("aucun champ ne s’appelle « turnot » ; vouliez-vous dire « turnout » ou « tourist » ?");
  expect(said("fr", { ...UNKNOWN, near: undefined })).toBe("aucun champ ne s’appelle « turnot ».");
  const criterion = { status: 400, detail: "`0` is not a weight", parameter: "score", reason: "weight", value: "0" };
  expect(said("fr", criterion)).toBe("« 0 » n’est pas un poids : il faut un nombre supérieur à 0.");
  expect(said("fr", { status: 414, detail: "shorten the URL" })).toMatch(/raccourcissez/);
  expect(said("fr", { status: 401, detail: "these credentials are not valid" })).toMatch(/clé/);
  expect(said("fr", { status: 400, detail: "odd", reason: "of another server" })).toBe("Le serveur refuse cette demande : odd");
  expect(explain(new Error("offline"))).toBe("Le serveur ne répond pas comme attendu.");
});

it("takes nothing from a body that is not what it should be", () => {
  const fault = faultOf({ position: "3", reason: 7, near: "turnout", value: null });
  expect(fault).toEqual({ parameter: null, position: null, reason: null, value: null, near: [] });
});
