/** The reader's key. The tab keeps it; it is sent in a header, and is never part of an address. */
import { signal } from "@preact/signals";

const NAME = "maille-key";

/** Empty for the public. */
export const key = signal(stored());

/** Counts changes of the key: what is asked under another one is asked anew. */
export const session = signal(0);

export function setKey(text: string): void {
  key.value = text;
  session.value += 1;
  try {
    if (text) sessionStorage.setItem(NAME, text);
    else sessionStorage.removeItem(NAME);
  } catch {
    // A browser that keeps nothing: the key lasts as long as the page.
  }
}

export function authorization(text: string = key.peek()): Record<string, string> {
  return text ? { authorization: `Bearer ${text}` } : {};
}

function stored(): string {
  try {
    return sessionStorage.getItem(NAME) ?? "";
  } catch {
    return "";
  }
}
