import { existsSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { type Browser, chromium, type Page } from "playwright-core";
import { writeReport } from "../../src/index.js";
import { temporaryFolder } from "../doubles/runs.js";
import { syntheticRun } from "./synthetic.js";

const browserOnPath = (): string | undefined =>
  (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((folder) => ["chromium", "chromium-browser", "google-chrome"].map((name) => join(folder, name)))
    .find((file) => existsSync(file));

describe("the report in a browser (skipped where no chromium is on the PATH)", function () {
  this.timeout(60000);
  let root: string;
  let browser: Browser;
  const problems: string[] = [];

  before(async function () {
    const executablePath = browserOnPath();
    if (executablePath === undefined) this.skip();
    root = temporaryFolder();
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  });
  after(async () => {
    await browser?.close();
    if (root !== undefined) rmSync(root, { recursive: true });
  });

  const open = async (width: number, colorScheme: "light" | "dark"): Promise<Page> => {
    const file = await writeReport(syntheticRun(root, { text: "</script><b>1</b>" }));
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    problems.length = 0;
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("request", (request) => !request.url().startsWith("file:") && problems.push(`request: ${request.url()}`));
    await page.goto(pathToFileURL(file).href);
    return page;
  };

  for (const [width, scheme] of [
    [1280, "light"],
    [390, "dark"],
  ] as const) {
    it(`draws curves and samples at ${width} px, ${scheme}, without an error, a request or a sideways scroll`, async () => {
      const page = await open(width, scheme);
      expect(await page.locator("figcaption").allTextContents()).to.deep.equal(["Reward", "Held-out accuracy", "Loss"]);
      expect(await page.locator(".chart canvas").count()).to.equal(3);
      expect(await page.locator(".row").count()).to.equal(3);
      expect(await page.evaluate("document.documentElement.scrollWidth")).to.equal(width);
      expect(problems).to.deep.equal([]);
      await page.close();
    });
  }

  it("searches, sorts, changes the step and tells a token's numbers by keyboard alone", async () => {
    const page = await open(1280, "light");
    const lengths = () => page.locator(".row dl div:has-text('tokens') dd").allTextContents();
    expect(await lengths()).to.deep.equal(["2", "2", "5"]);
    await page.getByLabel("Sort").selectOption("length-down");
    expect(await lengths()).to.deep.equal(["5", "2", "2"]);
    await page.getByLabel("Search").fill("LONGER");
    expect(await lengths()).to.deep.equal(["5"]);
    await page.getByLabel("in all steps").check();
    expect(await lengths()).to.deep.equal(["5", "5", "5"]);
    await page.getByLabel("Search").fill("");
    await page.getByLabel("Earlier step").press("Enter");
    expect(await page.locator(".group summary").first().textContent()).to.include("step 3");
    await page.getByLabel("Smoothing").press("ArrowRight");
    await page.getByLabel("Colour tokens by").selectOption("logp");
    await page.locator(".tokens").nth(2).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    expect(await page.locator(".tip").textContent()).to.equal(
      'token 2 of 2: "t0" (id 0)\nlog-prob -2 nats, probability 0.1353\nadvantage -0.5\nnot trained on',
    );
    expect(problems).to.deep.equal([]);
    await page.close();
  });
});
