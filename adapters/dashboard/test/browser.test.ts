import { existsSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { expect } from "chai";
import { type Browser, chromium, type Page } from "playwright-core";
import { type RunningDashboard, startDashboard } from "../src/index.js";
import { metricsOf, temporaryFolder, writeRun } from "./fixture.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** CHROMIUM_PATH, or what is on the PATH. */
const browserFile = (): string | undefined =>
  [
    process.env.CHROMIUM_PATH,
    ...(process.env.PATH ?? "")
      .split(delimiter)
      .flatMap((folder) => ["chromium", "chromium-browser", "google-chrome"].map((name) => join(folder, name))),
  ].find((file) => file !== undefined && existsSync(file));

describe("the dashboard in a browser (skipped where there is no chromium: set CHROMIUM_PATH)", function () {
  this.timeout(120000);
  let root: string;
  let browser: Browser;
  let dashboard: RunningDashboard;
  let live: ReturnType<typeof writeRun>;
  const problems: string[] = [];

  before(async function () {
    const executablePath = browserFile();
    if (executablePath === undefined) return this.skip();
    root = temporaryFolder();
    writeRun(root, { id: "demo", finished: true, text: "</div><b>1</b>" });
    live = writeRun(root, { id: "live", steps: 3, seed: 8 });
    dashboard = await startDashboard(root, { port: 0 });
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  });
  after(async () => {
    await browser?.close();
    await dashboard?.close();
    live?.folder.close();
    if (root !== undefined) rmSync(root, { recursive: true });
  });

  const open = async (hash: string, { width = 1280, scheme = "light" as "light" | "dark" } = {}): Promise<Page> => {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme });
    problems.length = 0;
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("request", (request) => !request.url().startsWith(dashboard.url) && problems.push(`request: ${request.url()}`));
    await page.goto(`${dashboard.url}#${hash}`);
    await page.waitForSelector("h1");
    return page;
  };
  /** Waits in this process: the page's policy lets no text be run as code. */
  const until = async (page: Page, condition: string): Promise<void> => {
    for (let i = 0; i < 200; i++) {
      if (await page.evaluate(condition)) return;
      await page.waitForTimeout(50);
    }
    throw new Error(`never came true: ${condition}`);
  };
  const settled = (page: Page, selector: string) => page.waitForSelector(selector);

  const views: [tab: string, selector: string][] = [
    ["curves", ".chart canvas"],
    ["samples", ".token"],
    ["rewards", ".warnings"],
    ["system", ".chart canvas"],
    ["config", "table.config td"],
  ];
  for (const [width, scheme] of [
    [1280, "light"],
    [390, "dark"],
  ] as const) {
    for (const [tab, selector] of views) {
      it(`shows ${tab} at ${width} px, ${scheme}: no error, no foreign request, no sideways scroll, nothing that axe finds`, async () => {
        const page = await open(`run=demo&tab=${tab}`, { width, scheme });
        await settled(page, selector);
        expect(await page.evaluate("document.documentElement.scrollWidth")).to.equal(width);
        await page.evaluate(AXE);
        const found = (await page.evaluate(
          "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))",
        )) as string[];
        expect(found).to.deep.equal([]);
        expect(problems).to.deep.equal([]);
        await page.close();
      });
    }
  }

  it("follows a run at work without being loaded again", async () => {
    const page = await open("run=live");
    await settled(page, ".chart canvas");
    expect(await page.locator(".tile dd").first().textContent()).to.equal("3 of 20");
    live.folder.appendMetrics(metricsOf(4));
    await until(page, "document.querySelector('.tile dd').textContent === '4 of 20'");
    await until(page, "document.querySelector('.plot').getAttribute('aria-label').includes('at step 4')");
    expect(problems).to.deep.equal([]);
    await page.close();
  });

  it("compares runs: a line for each, and the keys of the config that differ", async () => {
    const page = await open("run=demo");
    await page.getByLabel("Compare with live").check();
    await settled(page, ".chart canvas");
    await until(page, "document.querySelector('.plot').getAttribute('aria-label').includes('live: ')");
    await page.getByRole("tab", { name: "Config" }).click();
    await until(page, "document.querySelectorAll('table.config tbody tr').length === 2");
    expect(await page.locator("table.config tbody th").allTextContents()).to.have.members(["name", "seed"]);
    await page.close();
  });

  it("finds a metric by its name, smooths and changes the axis", async () => {
    const page = await open("run=demo");
    await settled(page, ".chart canvas");
    await page.getByLabel("Metric").fill("gradnorm");
    await until(page, "document.querySelectorAll('figcaption').length === 1");
    expect(await page.locator("figcaption").allTextContents()).to.deep.equal(["gradNorm"]);
    await page.getByLabel("Across").selectOption("tokens");
    await page.getByLabel("Smoothing").press("ArrowRight");
    expect(await page.locator(".plot").getAttribute("aria-label")).to.include("at tokens 800");
    expect(problems).to.deep.equal([]);
    await page.close();
  });

  it("searches samples, sorts by disagreement of reward and judge, and walks through tokens by keyboard", async () => {
    const page = await open("run=demo&tab=samples");
    await settled(page, ".token");
    expect(await page.locator(".row .tokens").first().textContent()).to.equal("one two<eos>");
    await page.getByLabel("Sort").selectOption("disagreement");
    expect(await page.locator(".row dl").first().textContent()).to.include("exact-match0judge1");
    await page.getByLabel("Sort").selectOption("sampled");
    await page.getByLabel("Search").fill("</DIV>");
    await until(page, "document.querySelectorAll('.row').length === 1");
    await page.getByLabel("Colour by").selectOption("gate");
    await page.locator(".tokens").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    const facts = await page.locator("output.facts").textContent();
    for (const line of [
      'token 2 of 3: " two" (id 2)',
      "log-prob -1 nats",
      "ratio 1.5",
      "share of the gradient that passes 0",
      "limited by clipHigh",
    ]) {
      expect(facts).to.include(line);
    }
    await page.keyboard.press("Escape");
    expect(await page.locator("output.facts").textContent()).to.equal("");
    await page.getByLabel("Search").fill("");
    await page.getByLabel("Earlier step").press("Enter");
    await until(page, "location.hash.includes('step=19')");
    expect(problems).to.deep.equal([]);
    await page.close();
  });

  it("changes views by number keys and keeps the chosen theme", async () => {
    const page = await open("run=demo");
    await page.keyboard.press("3");
    await settled(page, ".warnings");
    expect(await page.locator(".events li").allTextContents()).to.deep.equal(["step 2, entropy-watch, rollback: back to step 1"]);
    const before = await page.evaluate("getComputedStyle(document.body).backgroundColor");
    await page.getByRole("button", { name: "Theme" }).click();
    await page.getByRole("button", { name: "Theme" }).click();
    await until(page, `getComputedStyle(document.body).backgroundColor !== ${JSON.stringify(before)}`);
    await page.reload();
    await page.waitForSelector("h1");
    expect(await page.getByRole("button", { name: "Theme" }).textContent()).to.equal("Theme: dark");
    await page.close();
  });

  it("opens the list of runs behind its button on a narrow page", async () => {
    const page = await open("run=demo", { width: 390 });
    expect(await page.locator("nav").isVisible()).to.equal(false);
    await page.getByRole("button", { name: /^Runs/ }).click();
    await page.locator(".run button", { hasText: "live" }).click();
    await until(page, "document.querySelector('h1').textContent === 'live'");
    expect(await page.locator("nav").isVisible()).to.equal(false);
    await page.close();
  });
});
