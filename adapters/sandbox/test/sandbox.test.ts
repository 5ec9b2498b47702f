import { expect } from "chai";
import { type BlockResult, Sandbox } from "../src/index.js";

describe("the sandbox", function () {
  this.timeout(60000);
  const sandbox = new Sandbox(2);
  after(() => sandbox.close());
  const limits = { seconds: 2, interrupts: 200, megabytes: 16, outputLength: 200 };
  const run = async (...blocks: string[]): Promise<BlockResult> => (await sandbox.run(blocks, limits)).at(-1)!;

  const programs: [name: string, code: string, output: string][] = [
    ["the value of the last expression", "const x = 6; x * 7", "42"],
    ["what was printed, before any value", "print(1, 'a'); console.log([1, { b: 2 }]); 3", '1 a\n[1,{"b":2}]'],
    ["nothing for nothing", "let y = 1;", ""],
    ["a thrown error", "null.x", "TypeError: cannot read property 'x' of null"],
    ["a syntax error", "let let = 1", "SyntaxError"],
    ["something thrown that is no error", "throw { code: 4 }", 'Error: {"code":4}'],
    ["an awaited value", "(async () => (await 1) + 1)()", "2"],
    ["a rejected promise", "(async () => { throw new RangeError('far') })()", "RangeError: far"],
    ["a promise that nobody settles", "new Promise(() => {})", ""],
    ["an integer of any size", "2n ** 70n", "1180591620717411303424"],
    [
      "the absence of a clock and of chance",
      "[typeof Date, typeof Math.random, typeof setTimeout]",
      '["undefined","undefined","undefined"]',
    ],
  ];
  for (const [name, code, output] of programs) {
    it(`gives ${name}`, async () => expect((await run(code)).output).to.match(new RegExp(`^${output.replace(/[^\w\s]/g, "\\$&")}`)));
  }

  it("keeps variables from block to block, and from program to program none", async () => {
    expect((await sandbox.run(["let a = 2", "a += 3", "a"], limits)).map(({ output }) => output)).to.deep.equal(["", "5", "5"]);
    expect((await run("typeof a")).output).to.equal("undefined");
  });

  it("hands out values as JSON", async () => {
    const values = async (...codes: string[]) => Promise.all(codes.map(async (code) => (await run(code)).value));
    expect(await values("1 + 1", "'a'", "[1, { b: null }]", "undefined", "() => 1", "null")).to.deep.equal([
      "2",
      '"a"',
      '[1,{"b":null}]',
      undefined,
      undefined,
      "null",
    ]);
  });

  const escapes: [name: string, code: string][] = [
    ["process", "typeof process"],
    ["require", "typeof require"],
    ["process by the function constructor", "print.constructor('return typeof process')()"],
    ["the global object of the host", "(function () { return typeof this.process })()"],
    ["a global by a getter chain", "Object.getPrototypeOf(print).constructor('return typeof globalThis.process')()"],
    ["web interfaces", "typeof fetch"],
    ["WebAssembly", "typeof WebAssembly"],
    ["shared memory of the host", "typeof parentPort"],
  ];
  for (const [name, code] of escapes) {
    it(`does not give ${name}`, async () => expect((await run(code)).output).to.equal("undefined"));
  }

  for (const [name, code] of [
    ["a dynamic import", "import('node:fs').then((fs) => fs.readFileSync('/etc/passwd'))"],
    ["a static import", "import fs from 'node:fs'; fs"],
    ["require", "require('node:child_process').execSync('id')"],
  ] as const) {
    it(`refuses ${name}`, async () => expect(await run(code)).to.include({ ok: false }));
  }

  const hostile: [name: string, code: string, stopped: readonly (string | undefined)[]][] = [
    ["an endless loop", "while (true) {}", ["work"]],
    ["an endless loop that catches everything", "while (true) { try { while (true) {} } catch {} finally { continue } }", ["work"]],
    ["endless recursion", "const f = () => f() + 1; f()", [undefined]],
    ["mutual recursion through a getter", "const o = { get x() { return this.x } }; o.x", [undefined]],
    ["recursion that catches its end and goes on", "const f = () => { try { f() } catch { f() } }; f()", ["work", "crash"]],
    ["a memory bomb of arrays", "const a = []; while (true) a.push(new Array(1e5).fill(1))", ["memory", "work"]],
    ["a memory bomb of strings", "let s = 'x'; while (true) s += s", ["memory", "work", undefined]],
    ["one huge buffer", "new Uint8Array(2 ** 30)", ["memory", undefined]],
    [
      "a memory bomb that catches its end",
      "const a = []; while (true) try { a.push(new Array(1e5).fill(1)) } catch {}",
      ["work", "memory"],
    ],
    ["a flood of output", "while (true) print('x'.repeat(50))", ["output"]],
    ["one line of output that is too long", "print('x'.repeat(1e6))", ["output"]],
    ["a flood that catches everything", "while (true) try { print('x'.repeat(50)) } catch {}", ["output"]],
    ["an endless chain of promises", "const f = () => Promise.resolve().then(f); f()", ["work"]],
    ["promises that multiply", "const f = () => { Promise.resolve().then(f); Promise.resolve().then(f) }; f()", ["work", "memory"]],
    ["an endless async loop", "(async () => { while (true) await 0 })()", ["work"]],
    ["a regular expression that backtracks for ever", "/^(a+)+$/.test('a'.repeat(40) + 'b')", ["work"]],
    ["an endless toString", "print({ toString() { while (true) {} }, toJSON() { while (true) {} } })", ["work"]],
    ["an endless getter of the result", "({ get x() { while (true) {} } })", ["work"]],
    ["an endless iterator", "[...{ [Symbol.iterator]() { return { next: () => ({ value: 1, done: false }) } } }]", ["work", "memory"]],
    ["an endless sort", "[3, 1, 2].sort(() => { while (true) {} })", ["work"]],
    ["a proxy without end", "const p = new Proxy({}, { get: () => { while (true) {} } }); p.x", ["work"]],
    [
      "an endless finaliser of a generator",
      "function* g() { try { yield 1 } finally { while (true) {} } } for (const x of g()) break",
      ["work"],
    ],
  ];
  for (const [name, code, stopped] of hostile) {
    it(`contains ${name}`, async () => {
      const start = performance.now();
      const result = await run(code);
      expect(result.ok, result.output).to.equal(false);
      expect([...stopped, "time"], JSON.stringify(result)).to.include(result.stopped);
      expect(result.output.length).to.be.at.most(limits.outputLength);
      expect(performance.now() - start).to.be.below(20000);
      expect((await run("1 + 1")).output, "the next program").to.equal("2");
    });
  }

  it("is not changed by a program that spoils prototypes and globals", async () => {
    await run("Object.prototype.toJSON = () => 'spoilt'; Array.prototype.map = null; globalThis.print = 1; JSON.stringify = () => '0'");
    expect(await run("[1, 2].map((x) => x + 1)")).to.deep.equal({ ok: true, output: "[2,3]", value: "[2,3]" });
  });

  it("gives the same for the same program, also where it stops", async () => {
    const code = "let n = 0; try { while (true) n++ } finally { print(n) }";
    const results = await Promise.all(Array.from({ length: 4 }, () => run("globalThis.n = 0; ", code, "n")));
    expect(new Set(results.map((result) => JSON.stringify(result))).size).to.equal(1);
  });

  it("ends what is slower than its wall clock, and what is behind it", async () => {
    const results = await sandbox.run(["1", "while (true) {}", "2"], { ...limits, interrupts: 1e9, seconds: 1 });
    expect(results.map(({ stopped }) => stopped)).to.deep.equal(["time", "time", "time"]);
    expect((await run("1 + 1")).output).to.equal("2");
  });

  it("runs many programs side by side, each with its own result", async () => {
    const outputs = await Promise.all(Array.from({ length: 40 }, async (_, i) => (await run(`${i} * 2`)).output));
    expect(outputs).to.deep.equal(Array.from({ length: 40 }, (_, i) => String(i * 2)));
  });
});
