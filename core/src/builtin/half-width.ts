import { Type } from "typebox";

/** Option of a clip that cannot be opened: half-width on one side of the ratio 1, in (0, 1). */
export const halfWidth = (side: "below" | "above", width = 0.2, region = "clip") =>
  Type.Number({ default: width, exclusiveMinimum: 0, exclusiveMaximum: 1, description: `Half-width of the ${region} ${side} 1` });
