import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { embedJson, escapeHtml } from "./html.js";

const require = createRequire(import.meta.url);
const library = (name: string): string => readFileSync(require.resolve(`uplot/dist/${name}`), "utf8");
const asset = (name: string): string => readFileSync(new URL(`../../../assets/${name}`, import.meta.url), "utf8");

/** Nothing may be loaded from anywhere: what the page needs stands in it. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

export interface DocumentParts {
  title: string;
  /** HTML, escaped already. */
  body: string;
  /** What the scripts read as `report.data`. */
  data: unknown;
  /** Files of assets/report, in order. */
  scripts: readonly string[];
}

/** A whole page that works offline: style, plotting library, data and scripts stand in it. */
export function document({ title, body, data, scripts }: DocumentParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${escapeHtml(title)} – Proximal</title>
<style>${library("uPlot.min.css")}</style>
<style>${asset("look.css")}</style>
<style>${asset("report/page.css")}</style>
<script>${asset("report/theme.js")}</script>
</head>
<body>
${body}
<script type="application/json" id="data">${embedJson(data)}</script>
<script>${library("uPlot.iife.min.js")}</script>
${scripts.map((file) => `<script>${asset(`report/${file}`)}</script>`).join("\n")}
</body>
</html>
`;
}
