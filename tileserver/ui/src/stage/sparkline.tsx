/** One figure over several elections, as a line of the width of the card. */
import type { Indicator, Series } from "../api";
import { formatOf } from "../dataset";
import { words } from "../i18n";

const WIDTH = 280;
const HEIGHT = 28;
const EDGE = 4;

/** Elections without a value leave a gap; the point of the indicator itself is marked. */
export function Sparkline({ series, of }: { series: Series; of: Indicator }) {
  const { points } = series;
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  if (values.length < 2) return null;
  const format = formatOf(of);
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const x = (i: number) => EDGE + (i * (WIDTH - 2 * EDGE)) / (points.length - 1);
  const y = (value: number) => (max > min ? EDGE + ((max - value) / (max - min)) * (HEIGHT - 2 * EDGE) : HEIGHT / 2);
  let pen = "M";
  const path = points.map(({ value }, i) => {
    if (value === null) {
      pen = "M";
      return "";
    }
    const step = `${pen}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = "L";
    return step;
  });
  const told = points.map(({ time, value }) => `${time} ${value === null ? words.value.noData : format.value(value)}`);
  return (
    <dd class="sparkline" title={told.join("\n")}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={words.value.overTime(told.join(", "))}>
        <path d={path.join("")} />
        {points.map(
          ({ time, value, indicator }, i) =>
            value !== null && (
              <circle key={time} cx={x(i)} cy={y(value)} r={indicator === of.name ? 3.5 : 2} />
            ),
        )}
      </svg>
    </dd>
  );
}
