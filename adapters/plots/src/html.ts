import type { GateCurve } from "./curve.js";
import { gateSvg } from "./svg.js";

const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const STYLE = `:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:720px;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
svg{width:100%;height:auto}table{border-collapse:collapse}th,td{text-align:left;padding:.2rem 1rem .2rem 0;border-bottom:1px solid #8884}
td{font-family:ui-monospace,monospace}@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#0d1117}}`;

const table = ({ gate }: GateCurve): string =>
  `<table><tbody>${Object.entries(gate.options)
    .map(([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(JSON.stringify(value) ?? "unset")}</td></tr>`)
    .join("")}</tbody></table>`;

/** A page that needs no network: all curves together, then each gate with its options. */
export function gateHtml(curves: readonly GateCurve[]): string {
  const title = `Gates: ${curves.map(({ gate }) => gate.label).join(", ")}`;
  const sections = curves.map(
    (curve) =>
      `<section><h2>${escapeHtml(curve.gate.label)}</h2><p>${escapeHtml(curve.gate.description)}</p>${curves.length > 1 ? gateSvg([curve]) : ""}${table(curve)}</section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escapeHtml(title)}</h1>
${gateSvg(curves)}
${sections.join("\n")}
</main></body></html>
`;
}
