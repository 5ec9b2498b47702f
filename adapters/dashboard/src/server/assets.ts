import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Asset {
  type: string;
  body: Buffer;
}

const SCRIPT = "text/javascript; charset=utf-8";
const TYPES = { mjs: SCRIPT, js: SCRIPT, css: "text/css; charset=utf-8", svg: "image/svg+xml" } as const;
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const require = createRequire(import.meta.url);

/** Module names in the page's code, and the files that they stand for: the packages' own modules, served as they are. */
const LIBRARIES: Readonly<Record<string, string>> = {
  preact: require.resolve("preact"),
  "preact/hooks": require.resolve("preact/hooks"),
  "preact/jsx-runtime": require.resolve("preact/jsx-runtime"),
  uplot: require.resolve("uplot/dist/uPlot.esm.js"),
};

const read = (file: string): Asset => ({
  type: TYPES[file.slice(file.lastIndexOf(".") + 1) as keyof typeof TYPES],
  body: readFileSync(file),
});

/** Every file that is served, by its path: a request is only ever looked up here. */
export function loadAssets(): ReadonlyMap<string, Asset> {
  const assets = new Map<string, Asset>();
  const web = join(ROOT, "dist", "web");
  for (const file of readdirSync(web)) if (file.endsWith(".js")) assets.set(`/web/${file}`, read(join(web, file)));
  for (const [name, file] of Object.entries(LIBRARIES)) assets.set(`/lib/${name}.js`, read(file));
  assets.set("/uplot.css", read(require.resolve("uplot/dist/uPlot.min.css")));
  assets.set("/look.css", read(fileURLToPath(import.meta.resolve("@proximal/core/look.css"))));
  for (const file of ["page.css", "icon.svg"]) assets.set(`/${file}`, read(join(ROOT, "assets", file)));
  return assets;
}

const IMPORTS = JSON.stringify({ imports: Object.fromEntries(Object.keys(LIBRARIES).map((name) => [name, `/lib/${name}.js`])) });

/** Nothing may come from elsewhere, and no page may hold this one in a frame. */
export const POLICY = [
  "default-src 'none'",
  `script-src 'self' 'sha256-${createHash("sha256").update(IMPORTS).digest("base64")}'`,
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Proximal</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/uplot.css">
<link rel="stylesheet" href="/look.css">
<link rel="stylesheet" href="/page.css">
<script type="importmap">${IMPORTS}</script>
<script type="module" src="/web/main.js"></script>
</head>
<body><noscript>This page needs JavaScript.</noscript><div id="app"></div></body>
</html>
`;
