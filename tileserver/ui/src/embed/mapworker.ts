/** The map's worker, apart so that it shares its code with the page instead of bringing it again. */
import "maplibre-gl/worker";
