import { defineConfig } from "vite";

// The page is served from the root of the tile server or from any prefix of it: addresses are
// relative, and nothing is inlined, so that the content security policy needs no exception.
export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      output: {
        // The map's worker arrives as .mjs, which not every server names JavaScript.
        assetFileNames: ({ names }) =>
          names.some((name) => name.endsWith(".mjs")) ? "assets/[name]-[hash].js" : "assets/[name]-[hash][extname]",
      },
    },
  },
});
