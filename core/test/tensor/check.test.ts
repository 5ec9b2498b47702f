import { expect } from "chai";
import { checkGradient, gradient, input, tensor } from "../../src/tensor/index.js";

describe("checkGradient", () => {
  const [x, y, w] = [input("x", ["N"]), input("y", ["N"]), input("w", ["N"])];
  const feeds = { x: tensor([0.5, -1, 2]), y: tensor([1, 2, -3]) };
  const loss = x.exp().mul(y).sum();

  it("finds a right gradient right, tensor by tensor", () => {
    const { tensors, error, entryError } = checkGradient(loss, [x, y], feeds);
    expect(tensors.map((t) => t.name)).deep.equal(["x", "y"]);
    expect(error).most(1e-9);
    expect(entryError).most(1e-9);
  });

  it("finds a wrong one, and says where", () => {
    const wrong = gradient(loss, [x])[0]!.mul(w);
    const { tensors, error } = checkGradient(loss, [x], { ...feeds, w: tensor([1, 1, 1.01]) }, { gradients: [wrong] });
    expect(error).above(5e-3);
    expect(tensors[0]!.worst).deep.include({ index: 2 });
    expect(tensors[0]!.worst!.error).closeTo(0.01 / 1.01, 1e-6);
    expect(tensors[0]!.worst!.numeric).closeTo(-3 * Math.exp(2), 1e-6);
  });

  it("sees a gradient that is missing", () => {
    expect(checkGradient(x.stopGradient().mul(y).sum(), [x], feeds).error).closeTo(1, 1e-6);
  });

  it("holds what is stopped when asked: the weight of a surrogate is a constant", () => {
    const surrogate = x.exp().stopGradient().mul(x).mul(y).sum();
    expect(checkGradient(surrogate, [x], feeds).error).above(0.1);
    expect(checkGradient(surrogate, [x], feeds, { holdStopped: true }).error).most(1e-9);
  });

  it("finds no error where nothing depends", () => {
    expect(checkGradient(y.square().sum(), [x], feeds).error).equal(0);
  });

  it("takes no rounding of a large loss for an error, and a small gradient that is wrong for none", () => {
    const large = loss.add(1e6);
    expect(checkGradient(large, [x], feeds).error).equal(0);
    expect(
      checkGradient(loss.mul(1e-9), [x], { ...feeds, w: tensor([1, 1, 1.01]) }, { gradients: [gradient(loss.mul(1e-9), [x])[0]!.mul(w)] })
        .error,
    ).above(5e-3);
  });

  it("reports NaN as NaN, never as agreement", () => {
    const { error, entryError } = checkGradient(x.log().sum(), [x], feeds);
    expect(error).deep.equal(Number.NaN);
    expect(entryError).deep.equal(Number.NaN);
  });

  it("checks as many entries as asked, spread over the tensor, and leaves the feeds alone", () => {
    const before = [...feeds.x.data];
    const counted = checkGradient(
      loss,
      [x],
      { ...feeds, w: tensor([2, 1, 1]) },
      { entries: 1, gradients: [gradient(loss, [x])[0]!.mul(w)] },
    );
    expect(counted.tensors[0]!.worst!.index).equal(0);
    expect(counted.error).closeTo(0.5, 1e-6);
    expect([...feeds.x.data]).deep.equal(before);
  });
});
