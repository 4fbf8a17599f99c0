/** What can be wrong with a request, and how to say it. */
import { words } from "./i18n";

/** What a problem says beside its status and detail, as far as the server says it. */
export interface Fault {
  parameter: string | null;
  /** A byte of the parameter's value. */
  position: number | null;
  /** One word for what is at fault, and what of the value it is. */
  reason: string | null;
  value: string | null;
  /** What may have been meant. */
  near: string[];
}

/** RFC 9457, with the parameter at fault and the place in it where there is one. */
export class Problem extends Error {
  readonly status: number;
  readonly fault: Fault;

  constructor(status: number, detail: string, fault: Fault) {
    super(detail);
    this.status = status;
    this.fault = fault;
  }
}

/** Whether the same question may be answered later: the server was away, or at fault itself. */
export function isPassing(error: Error): boolean {
  return !(error instanceof Problem) || error.status >= 500;
}

/** What of a problem's body is about the request. */
export function faultOf(body: Record<string, unknown>): Fault {
  const text = (key: string) => (typeof body[key] === "string" ? body[key] : null);
  return {
    parameter: text("parameter"),
    position: typeof body.position === "number" ? body.position : null,
    reason: text("reason"),
    value: text("value"),
    near: Array.isArray(body.near) ? body.near.filter((name) => typeof name === "string") : [],
  };
}

/** What the server says is wrong, in the page's language; or that it says nothing. */
export function explain(error: Error): string {
  if (!(error instanceof Problem)) return words.value.failed;
  const { refusals, refused } = words.value;
  const { reason, value, near } = error.fault;
  const say = refusals[reason ?? ""] ?? refusals[error.status];
  return say ? say(value ?? "", near) : refused(error.message);
}
