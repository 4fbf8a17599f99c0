/** One figure over several elections, as a line of the width of the card. */
import type { Indicator, Series } from "../api";
import { formatOf } from "../dataset";
import { words } from "../i18n";
import { polyline } from "../polyline";

const BOX = { width: 280, height: 28, edge: 4 };

/** The point of the indicator itself is marked. */
export function Sparkline({ series, of }: { series: Series; of: Indicator }) {
  const line = polyline(
    series.points.map(({ value }) => value),
    BOX,
  );
  if (line.points.length < 2) return null;
  const format = formatOf(of);
  const told = series.points.map(
    ({ time, value }) => `${time} ${value === null ? words.value.noData : format.value(value)}`,
  );
  return (
    <dd class="sparkline" title={told.join("\n")}>
      <svg viewBox={`0 0 ${BOX.width} ${BOX.height}`} role="img" aria-label={words.value.overTime(told.join(", "))}>
        <path d={line.path} />
        {line.points.map(({ at, x, y }) => (
          <circle key={at} cx={x} cy={y} r={series.points[at]?.indicator === of.name ? 3.5 : 2} />
        ))}
      </svg>
      <div class="times" aria-hidden="true">
        <span>{series.points[0]?.time}</span>
        <span>{series.points.at(-1)?.time}</span>
      </div>
    </dd>
  );
}
