import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const plugins = fileURLToPath(new URL("../../plugins", import.meta.url));

interface Effect {
  declared: string;
  checks: { claim: string; verdict: string }[];
  unchecked: { claim: string; why: string }[];
}

describe("whether the effect that a paper claims shows", () => {
  const slugs = readdirSync(plugins).filter((slug) => existsSync(join(plugins, slug, "effect.yaml")));
  const read = (slug: string, file: string) => readFileSync(join(plugins, slug, file), "utf8");

  for (const slug of slugs) {
    it(`${slug}: the README says it for every declared claim, from an up-to-date run of five seeds`, () => {
      const { declared, checks, unchecked } = JSON.parse(read(slug, "effect.json")) as Effect;
      expect(declared).to.equal(
        createHash("sha256")
          .update(`${read(slug, "effect.yaml")}\n5`)
          .digest("hex")
          .slice(0, 16),
      );
      expect(checks.length + unchecked.length).to.be.above(0);
      const section = read(slug, "README.md").split("## Does the claimed effect show?")[1] ?? "";
      for (const { claim } of [...checks, ...unchecked]) expect(section).to.include(claim);
      for (const { verdict } of checks) expect(verdict).to.be.oneOf(["shows", "does not show", "opposite"]);
    });
  }
});
