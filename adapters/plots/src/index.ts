export { type PlotGatesOptions, plotGates } from "./command.js";
export { type CurveOptions, type CurvePoint, type GateCurve, gateCurve } from "./curve.js";
export { type OpenGate, openGate } from "./gate.js";
export { gateHtml } from "./html.js";
export { gateSvg } from "./svg.js";
export { gateText } from "./terminal.js";
