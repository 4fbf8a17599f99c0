/** The areas that come first, each with what every criterion adds to its score. */
import { signal } from "@preact/signals";
import type { RankedItem } from "../api";
import { indicatorByName, labelOf, level } from "../dataset";
import { language, words } from "../i18n";
import { filter } from "../model";
import { colorOfCriterion, criteria, ranking } from "../priority";
import { explain } from "../problem";
import { POINTS } from "../score";
import { goTo } from "../stage/goto";
import { state } from "../state";

const PAGE = 10;

const pages = signal(1);

const ranked = ranking(
  () => filter.value,
  () => PAGE * pages.value,
);

export function Ranking() {
  const answer = ranked.value.value;
  if (ranked.error.value) {
    return (
      <p class="problem" role="alert">
        {explain(ranked.error.value)}
      </p>
    );
  }
  if (!answer) return <p class="pending">{words.value.loading}…</p>;
  return (
    <div class="ranking" aria-busy={ranked.loading.value}>
      <h3>{words.value.first}</h3>
      <p class="note" role="status">
        {words.value.rankedAreas(number(answer.ranking.ranked))}
      </p>
      <ol>
        {answer.features.map((item) => (
          <Place key={item.id} item={item} stability={answer.ranking.stability} />
        ))}
      </ol>
      {answer.features.length < answer.numberMatched && (
        <button type="button" class="quiet" onClick={() => (pages.value += 1)}>
          {words.value.showMore}
        </button>
      )}
      {answer.numberUnranked > 0 && (
        <details>
          <summary>{words.value.unranked(number(answer.numberUnranked))}</summary>
          <ul class="unranked">
            {answer.unranked.map(({ key, name, missing }) => (
              <li key={key}>
                {name} <span class="muted">{words.value.missingOf(missing.map(labelOfName).join(", "))}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

interface PlaceProps {
  item: RankedItem;
  stability: { top: number; noise: number } | null;
}

function Place({ item: { properties }, stability }: PlaceProps) {
  const { key, name, rank, score, contributions } = properties;
  const at = level.value?.name ?? "";
  const { area } = state.value;
  const parts = criteria.value.flatMap((one) => {
    const points = contributions?.[one.name];
    return points === undefined ? [] : [{ name: one.name, points }];
  });
  const told = parts.map((part) => words.value.says(labelOfName(part.name), words.value.points(number(part.points))));
  const share = properties.stability ?? null;
  const sure =
    share !== null && stability
      ? words.value.stability(percent(share), number(stability.top), percent(stability.noise))
      : null;
  return (
    <li class={area?.key === key && area.level === at ? "chosen" : ""}>
      <button type="button" title={told.join("\n")} onClick={() => void goTo({ level: at, key })}>
        <span class="place">{number(rank)}</span>
        <span class="name">{name}</span>
        <span class="figure">{number(score)}</span>
        {parts.length > 0 && (
          <span class="parts" aria-hidden="true">
            {parts.map((part) => (
              <span
                key={part.name}
                style={{
                  width: `${(100 * Math.max(part.points, 0)) / POINTS}%`,
                  background: colorOfCriterion(part.name),
                }}
              />
            ))}
          </span>
        )}
        <span class="hidden">{told.join(", ")}</span>
      </button>
      {sure && share !== null && (
        <span class="sure" title={sure}>
          <span aria-hidden="true">{percent(share)}</span>
          <span class="hidden">{sure}</span>
        </span>
      )}
    </li>
  );
}

function labelOfName(name: string): string {
  const found = indicatorByName(name);
  return found ? labelOf(found) : name;
}

function number(x: number): string {
  return new Intl.NumberFormat(language.value, { maximumFractionDigits: 0 }).format(x);
}

function percent(x: number): string {
  return new Intl.NumberFormat(language.value, { style: "percent" }).format(x);
}
