/** A key, for readers who may see more than the public does. */
import { useSignal } from "@preact/signals";
import { isKey } from "../api";
import { words } from "../i18n";
import { key, setKey } from "../session";

export function AccessBox() {
  const refused = useSignal(false);
  const asking = useSignal(false);
  const tryIt = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const text = String(new FormData(form).get("key") ?? "").trim();
    if (!text) return;
    asking.value = true;
    refused.value = !(await isKey(text).catch(() => false));
    asking.value = false;
    if (!refused.value) setKey(text);
  };
  return (
    <details class="group access">
      <summary>{words.value.access}</summary>
      {key.value ? (
        <p class="with-key">
          <span>{words.value.withKey}</span>
          <button type="button" class="link" onClick={() => setKey("")}>
            {words.value.forgetKey}
          </button>
        </p>
      ) : (
        <form onSubmit={(event) => void tryIt(event)}>
          <label for="key">{words.value.accessHint}</label>
          <div class="enter">
            <input id="key" name="key" type="password" autocomplete="off" spellcheck={false} aria-invalid={refused.value} />
            <button type="submit" disabled={asking.value}>
              {words.value.useKey}
            </button>
          </div>
          {refused.value && (
            <p class="note problem" role="alert">
              {words.value.keyRefused}
            </p>
          )}
        </form>
      )}
    </details>
  );
}
