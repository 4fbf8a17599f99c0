/** What can be wrong with a request, and how to say it. */
import { words } from "./i18n";

/** RFC 9457, with the parameter at fault and the place in it where there is one. */
export class Problem extends Error {
  readonly status: number;
  readonly parameter: string | null;
  readonly position: number | null;

  constructor(status: number, detail: string, parameter: string | null, position: number | null) {
    super(detail);
    this.status = status;
    this.parameter = parameter;
    this.position = position;
  }
}

/** What the server says is wrong, or that it says nothing. */
export function explain(error: Error): string {
  return error instanceof Problem ? error.message : words.value.failed;
}
