import { type Static, Type } from "typebox";
import { AGGREGATIONS, type Aggregation, type AggregationName } from "../extension/points.js";

/** Option of every term of token values: how they become one number. Left out = the algorithm's. */
export const aggregationOptions = {
  aggregation: Type.Optional(
    Type.Union(
      AGGREGATIONS.filter((name) => name !== "scalar" && name !== "row-mean").map((name) => Type.Literal(name)),
      { description: "How per-token values become one number; the algorithm's when left out" },
    ),
  ),
  fixedLength: Type.Optional(
    Type.Number({
      exclusiveMinimum: 0,
      description: "Tokens; divisor of seq-mean-token-sum-norm, the run's longest response when left out",
    }),
  ),
};

const schema = Type.Object(aggregationOptions);

/** The aggregation that the options name, or undefined for the algorithm's. */
export function aggregationOf(o: Static<typeof schema>): Aggregation | undefined {
  const kind = o.aggregation as AggregationName | undefined;
  return kind === undefined || o.fixedLength === undefined ? kind : { kind, fixedLength: o.fixedLength };
}
