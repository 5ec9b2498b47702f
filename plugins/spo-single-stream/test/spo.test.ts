import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { batchNormalized } from "../src/advantage.js";
import conformance from "../src/conformance.js";
import { initialTracker, updated, value } from "../src/tracker.js";

testVectors(new URL("../../vectors/spo-single-stream.json", import.meta.url), conformance);

describe("SPO's tracker", () => {
  it("settles at 1 / (1 - rho) observations and at the reward's mean", () => {
    let tracker = initialTracker(0, 0, 0.875);
    for (let i = 0; i < 400; i++) tracker = updated(tracker, i % 4 === 0 ? 1 : 0, 0.9);
    expect(tracker.alpha + tracker.beta).to.be.closeTo(10, 1e-9);
    expect(value(tracker)).to.be.within(0.15, 0.35);
  });

  it("gives no advantage to a batch of one or to equal differences", () => {
    expect([...batchNormalized(Float64Array.of(0.7), 1e-8)]).to.deep.equal([0]);
    expect([...batchNormalized(Float64Array.of(0.3, 0.3, 0.3), 1e-8)]).to.deep.equal([0, 0, 0]);
  });
});
