/** Colours of contact density, from few to many: away from the ground's own. */
import type { Theme } from "./state";

export const HEAT_COLORS: Record<Theme, readonly [string, string, string, string, string]> = {
  light: ["#f4d68c", "#ec9f4a", "#c7472f", "#7d1447", "#330b3d"],
  dark: ["#5b1a5e", "#a12a5e", "#e0553f", "#f7a64a", "#fdf0b0"],
};
