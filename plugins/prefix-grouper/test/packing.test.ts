import { DataError } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { packedRows, packing, positionIds, predictorRows, visibleKeys } from "../src/index.js";

testVectors(new URL("../../vectors/prefix-grouper.json", import.meta.url), conformance);

describe("a packed group", () => {
  const group = packing(2, [2, 0, 1]);

  it("starts every response where the prefix ends", () => expect(positionIds(group)).to.deep.equal([0, 1, 2, 3, 2]));

  it("hides responses from each other and from the prefix", () => {
    expect(visibleKeys(group)).to.deep.equal([[0], [0, 1], [0, 1, 2], [0, 1, 2, 3], [0, 1, 4]]);
  });

  it("predicts every first token from the last prefix row", () => expect(predictorRows(group)).to.deep.equal([[1, 2], [], [1]]));

  it("leaves first tokens out without the last prefix row", () => expect(predictorRows(group, false)).to.deep.equal([[2], [], []]));

  it("holds the prefix once", () => {
    const repeated = 8 * (64 + 8);
    expect([packedRows(packing(64, new Array<number>(8).fill(8))), repeated]).to.deep.equal([128, 576]);
  });

  it("needs a prefix", () => expect(() => packing(0, [3])).to.throw(DataError, "nothing predicts its first tokens"));
});
