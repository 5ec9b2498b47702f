import {
  type Context,
  definePlugin,
  min,
  options,
  runTerms,
  type Static,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
} from "@proximal/core";

const leakyOptions = Type.Object({
  clipRange: Type.Number({ default: 0.2, minimum: 0, exclusiveMaximum: 1, description: "Half width of the unclipped range" }),
  slope: Type.Number({ default: 0.1, minimum: 0, maximum: 1, description: "Slope of the surrogate beyond the range, of the slope within" }),
});

/** −min(r·A, c·A + s·(r − c)·A) with c = clip(r, 1 − ε, 1 + ε), [B, T]. */
@trustRegionGate({
  id: "leaky-clip",
  description: "Clip whose gradient fades instead of vanishing",
  options: leakyOptions,
  reads: ["logp", "oldLogp", "advantages"],
  conventions: { ratioAnchor: "policy that sampled", bound: "clip with a leak" },
})
class LeakyClip implements TrustRegionGate {
  constructor(@options() private readonly o: Static<typeof leakyOptions>) {}

  terms({ ratio, advantages }: Context): Term {
    const { clipRange, slope } = this.o;
    const clipped = ratio.clip(1 - clipRange, 1 + clipRange);
    const leaky = clipped.add(ratio.sub(clipped).mul(slope));
    return { value: min(ratio.mul(advantages), leaky.mul(advantages)).neg() };
  }
}

export default definePlugin({
  slug: "leaky-clip",
  title: "Leaky clip",
  provenance: "the tutorial of this project",
  components: [LeakyClip],
  algorithms: {
    "leaky-clip": {
      description: "GRPO with a clip that leaks",
      compose: { sampler: { use: "independent", groupSize: 8 }, advantage: { use: "group-normalized" }, gate: { use: "leaky-clip" } },
    },
  },
});

// One token with ratio 1.5 and advantage 1: surrogate 1.2 + 0.1 · 0.3, slope 0.1 with respect to the ratio.
const { loss, gradLogp } = runTerms({ component: LeakyClip }, { logp: [[Math.log(1.5)]], oldLogp: [[0]], advantages: [1] });
console.log(loss.toFixed(4), gradLogp[0]![0]!.toFixed(4)); // prints -1.2300 -0.1500
