import {
  aggregationOf,
  aggregationOptions,
  type Context,
  options,
  type Static,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
} from "@proximal/core";

const vanillaOptions = Type.Object(aggregationOptions);

/** -A·log π, [B, T]: weighted likelihood, neither ratio nor clip. GVM-RAFT (2505.02391), loss `vanilla`. */
@trustRegionGate({
  id: "gvm-vanilla",
  description: "Advantage-weighted log-likelihood without ratio and clip",
  options: vanillaOptions,
  reads: ["logp", "advantages"],
  conventions: { ratioAnchor: "none", bound: "none" },
})
export class VanillaGate implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof vanillaOptions>) {}

  terms({ logp, advantages }: Context): Term {
    return { value: logp.mul(advantages).neg(), aggregation: aggregationOf(this.o) };
  }
}
