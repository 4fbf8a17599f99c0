/** A value that follows from an asynchronous request, which follows from signals. */
import { batch, effect, type ReadonlySignal, signal } from "@preact/signals";
import { isPassing } from "./problem";

/** Requests that failed for no fault of theirs. */
const failed = new Set<() => void>();

/** Asks again what the server owes an answer: it is there again. */
export function askAgain(): void {
  for (const ask of [...failed]) ask();
}

export interface Resource<T> {
  /** The last answer, kept while the next is under way: what is on screen never blinks. */
  value: ReadonlySignal<T | null>;
  error: ReadonlySignal<Error | null>;
  loading: ReadonlySignal<boolean>;
}

/**
 * Runs `request` when what `key` reads changes the key; `null` is nothing to ask. A request that is
 * overtaken is cancelled, and its answer never shows.
 */
export function resource<K, T>(key: () => K | null, request: (key: K, signal: AbortSignal) => Promise<T>): Resource<T> {
  const value = signal<T | null>(null);
  const error = signal<Error | null>(null);
  const loading = signal(false);
  let asked: string | null = null;
  let wanted: K | null = null;
  let controller = new AbortController();

  effect(() => {
    const next = key();
    const text = next === null ? null : JSON.stringify(next);
    if (text === asked) return;
    asked = text;
    controller.abort();
    failed.delete(again);
    if (next === null) {
      batch(() => {
        value.value = null;
        error.value = null;
        loading.value = false;
      });
      return;
    }
    wanted = next;
    ask(next);
  });

  function ask(what: K): void {
    controller = new AbortController();
    const { signal: cancelled } = controller;
    loading.value = true;
    request(what, cancelled).then(
      (answer) => settle(cancelled, answer, null),
      (reason: unknown) => settle(cancelled, null, reason instanceof Error ? reason : new Error(String(reason))),
    );
  }

  function again(): void {
    failed.delete(again);
    if (wanted !== null) ask(wanted);
  }

  function settle(cancelled: AbortSignal, answer: T | null, reason: Error | null): void {
    if (cancelled.aborted) return;
    if (reason && isPassing(reason)) failed.add(again);
    batch(() => {
      if (answer !== null) value.value = answer;
      error.value = reason;
      loading.value = false;
    });
  }

  return { value, error, loading };
}
