import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const library = here("node_modules/maplibre-gl");

// Published maps load little: the library is taken from its source, so that the page and its worker
// share one copy of what both need. Its ready-made files hold it twice.
export default defineConfig({
  base: "./",
  publicDir: false,
  resolve: {
    alias: [
      { find: /^maplibre-gl$/, replacement: `${library}/src/index.ts` },
      { find: /^maplibre-gl\/worker$/, replacement: `${library}/src/source/worker.ts` },
    ],
  },
  // As the library compiles itself: a field declared without a value must not undo what its parent set.
  oxc: {
    assumptions: { setPublicClassFields: true },
    typescript: { removeClassFieldsWithoutInitializer: true },
  },
  build: {
    target: "es2022",
    emptyOutDir: false,
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: true,
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      input: { embed: here("src/embed/embed.ts"), mapworker: here("src/embed/mapworker.ts") },
      output: {
        entryFileNames: "assets/[name]-[hash].js",
        chunkFileNames: "assets/map-[hash].js",
      },
    },
  },
});
