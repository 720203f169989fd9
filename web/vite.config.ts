import { defineConfig } from "vitest/config";

/** The node that `npm run dev` shows, so that pages can be worked on against a real one. */
const node = "http://127.0.0.1:8000";

export default defineConfig({
  build: {
    outDir: "../src/xomyen/node/static",
    emptyOutDir: true,
    target: "es2022",
    // The content security policy allows neither `data:` fonts nor inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: { "/api": { target: node, ws: true } },
  },
  test: { include: ["tests/**/*.test.ts"] },
});
