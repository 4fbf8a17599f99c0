/** Where the figures come from. */
import { textIn } from "../api";
import { language, words } from "../i18n";
import { attribution } from "../dataset";
import { indicator } from "../model";

export function Sources() {
  const by = indicator.value;
  const facts: [string, string | null | undefined][] = [
    [words.value.source, by?.source],
    [words.value.vintage, by?.vintage],
    [words.value.licence, by?.licence],
  ];
  const description = textIn(by?.description, language.value, "");
  return (
    <footer class="sources">
      {description && <p>{description}</p>}
      <dl>
        {facts.map(([name, value]) =>
          value ? (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ) : null,
        )}
      </dl>
      {attribution.value && <p>{attribution.value}</p>}
    </footer>
  );
}
