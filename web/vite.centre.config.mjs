import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";

const TEMPLATES = "../src/xomyen/centre";
const ICONS = "node_modules/@tabler/icons/icons/outline";

/** The icons that templates name, as files that a template tag puts into the page. */
function icons() {
  return {
    name: "xomyen-icons",
    generateBundle() {
      const found = new Set();
      for (const file of readdirSync(TEMPLATES, { recursive: true, encoding: "utf8" })) {
        if (!/\.(html|py)$/.test(file)) continue;
        const text = readFileSync(join(TEMPLATES, file), "utf8");
        for (const match of text.matchAll(/\{% icon "([a-z0-9-]+)"|"[a-z]+:[a-z_-]+", "([a-z0-9-]+)", Action|icon="([a-z0-9-]+)"/g)) {
          found.add(match[1] ?? match[2] ?? match[3] ?? "");
        }
      }
      for (const name of [...found].sort()) {
        const source = readFileSync(join(ICONS, `${name}.svg`), "utf8").replace(/<!--[\s\S]*?-->\s*/, "");
        this.emitFile({ type: "asset", fileName: `icons/${name}.svg`, source });
      }
    },
  };
}

/** The centre's pages are rendered by its server; here is what moves on them, and how they look. */
export default defineConfig({
  base: "/static/",
  plugins: [icons()],
  publicDir: "public-centre",
  build: {
    outDir: "../src/xomyen/centre/static",
    emptyOutDir: true,
    target: "es2022",
    manifest: "manifest.json",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: ["src/centre/office.ts", "src/centre/watch.ts", "src/centre/map.ts", "src/centre/cameras-live.ts", "src/centre/cameras-masks.ts", "src/centre/cameras-place.ts"] },
  },
});
