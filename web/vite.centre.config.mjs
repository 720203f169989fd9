import { createHash } from "node:crypto";
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

/** The worker that shows the page of a centre out of reach, with the names of what it keeps: the page and its files. */
function away() {
  const emblem = "emblem.svg";
  return {
    name: "xomyen-away",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const found = new Set(["away.html"]);
        for (const name of found) {
          const part = bundle[name];
          const text = part?.type === "chunk" ? part.code : /\.(html|css)$/.test(name) ? String(part.source) : "";
          for (const [, named] of text.matchAll(/\/static\/([\w./-]+)/g)) {
            // Every browser with workers reads the newer kind of font.
            if (named in bundle && !named.endsWith(".woff")) found.add(named);
          }
          for (const imported of part?.type === "chunk" ? part.imports : []) found.add(imported);
        }
        const kept = [...found, emblem].map((name) => `/static/${name}`);
        const source = readFileSync("src/centre/away-worker.mjs", "utf8");
        const version = createHash("sha256");
        for (const part of [bundle["away.html"].source, source, readFileSync(`public-centre/${emblem}`)]) version.update(part);
        const told = { PAGE: kept[0], FILES: kept, VERSION: version.digest("hex").slice(0, 16) };
        const head = Object.entries(told).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};\n`);
        // At the root, for the pages there: a worker has no say over what lies above it.
        this.emitFile({ type: "asset", fileName: "root/away-worker.js", source: head.join("") + source });
      },
    },
  };
}

/** The centre's pages are rendered by its server; here is what moves on them, and how they look. */
export default defineConfig({
  base: "/static/",
  plugins: [icons(), away()],
  publicDir: "public-centre",
  build: {
    outDir: "../src/xomyen/centre/static",
    emptyOutDir: true,
    target: "es2022",
    manifest: "manifest.json",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: ["src/centre/office.ts", "src/centre/watch.ts", "src/centre/map.ts", "src/centre/cameras-live.ts", "src/centre/cameras-masks.ts", "src/centre/cameras-place.ts", "away.html"] },
  },
});
