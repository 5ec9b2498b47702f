import { expect } from "chai";
import { optionalPackage } from "../../src/cli/optional.js";
import { UsageError } from "../../src/errors.js";

describe("a package that a command needs", () => {
  it("is loaded where it is installed", async () => {
    expect(await optionalPackage<{ expect: unknown }>("chai", "proximal x")).to.have.property("expect");
  });

  it("is named with the line that installs it where it is not", async () => {
    const error = await optionalPackage("@proximal/no-such-package", "proximal x").catch((cause: unknown) => cause);
    expect(error).to.be.instanceOf(UsageError);
    expect((error as UsageError).describe())
      .to.include("`proximal x` needs the package")
      .and.include("npm i @proximal/no-such-package");
  });
});
