import { expect } from "chai";
import { extractAnswer } from "../src/extract.js";

const boxed = (text: string) => extractAnswer(text, { mode: "boxed", requireThinkEnd: false });
const flexible = (text: string) => extractAnswer(text, { mode: "flexible", requireThinkEnd: false });

describe("the boxed answer", () => {
  const table: [promise: string, text: string, answer: string | null][] = [
    ["is the content of the box", "So \\boxed{42}.", "42"],
    ["may stand in \\fbox", "So \\fbox{42}.", "42"],
    ["is the last of several", "\\boxed{1} then \\boxed{2}, not \\fbox{3}", "3"],
    ["keeps nested braces", "\\boxed{\\frac{1}{2^{3}}}", "\\frac{1}{2^{3}}"],
    ["keeps escaped braces, which need not balance", "\\boxed{\\{1,2\\}} and \\boxed{[0,\\}}", "[0,\\}"],
    ["is the innermost of nested boxes", "\\boxed{x = \\boxed{5}}", "5"],
    ["is the last box that is closed", "\\boxed{3} or \\boxed{5", "3"],
    ["may be set off from the command by spaces", "\\boxed {7}", "7"],
    ["is empty in an empty box", "\\boxed{1} \\boxed{}", ""],
    ["needs braces", "\\boxed 5", null],
    ["does not exist without a box", "The answer is 7.", null],
    ["does not exist in another command", "\\unboxed{5} \\framebox{6}", null],
    ["survives braces that nothing closes or opens", "} } { \\boxed{8} { {", "8"],
  ];
  for (const [promise, text, answer] of table) it(promise, () => expect(boxed(text)).to.equal(answer));
});

describe("the flexible answer", () => {
  const table: [promise: string, text: string, answer: string | null][] = [
    ["is the box first of all", "\\boxed{1} #### 2, the answer is 3 or 4", "1"],
    ["is the number after #### next", "#### 1,250\nThe answer is 7, or 8", "1,250"],
    ["is the last #### that a number follows", "#### 1\n#### -2.5\n#### none", "-2.5"],
    ["may carry a currency sign after ####", "#### $18", "18"],
    ["is the stated answer next", "The answer is 7, since 3 + 4 = 7 < 12.", "7"],
    ["may be stated after a colon", "Final Answer: -3/4.", "-3/4"],
    ["may be stated after is and colon", "the final answer is: 50\\% of 12", "50\\%"],
    ["may be stated without either", "ANSWER 12", "12"],
    ["is the last statement that a number or formula follows", "answer: 5. answer: 6. That answer looks right to 2 of us.", "6"],
    ["may be a formula", "The answer is $\\frac{1}{2}$ and not 3", "\\frac{1}{2}"],
    ["may be a displayed formula", "Answer: $$x = 5$$ (2 lines)", "x = 5"],
    ["may be a formula with text", "The answer is $2\\sqrt{3}\\text{ cm}$, 2 of them", "2\\sqrt{3}\\text{ cm}"],
    ["is a price rather than the words between two prices", "The answer is $18. She saved $2.", "18"],
    ["is a price although the next price has no words before it", "The answer is $18, $20", "18"],
    ["is the last number otherwise", "There are 3 boxes of 4, which makes 12.", "12"],
    ["is a number with sign, commas, decimals", "from 3 down to -1,234.50 in all", "-1,234.50"],
    ["is a fraction", "that is 3/4", "3/4"],
    ["is a percentage", "that is 12.5 %, I think", "12.5 %"],
    ["takes a dash between numbers for an operator", "pages 3-5", "5"],
    ["does not take a list for thousands", "1,234,56", "56"],
    ["may begin with the point", "about .5", ".5"],
    ["does not exist without any number", "I do not know.", null],
    ["is not what an empty box hides", "\\boxed{} but 5", ""],
  ];
  for (const [promise, text, answer] of table) it(promise, () => expect(flexible(text)).to.equal(answer));
});

describe("requireThinkEnd", () => {
  const after = (text: string, mode: "boxed" | "flexible" = "boxed") => extractAnswer(text, { mode, requireThinkEnd: true });
  it("looks after the last </think>", () => expect(after("\\boxed{1}</think>\\boxed{2}</think>\\boxed{3}")).to.equal("3"));
  it("does not see the box inside the thinking", () => expect(after("<think>\\boxed{1}</think> done")).to.equal(null));
  it("finds nothing where the thinking never ends", () => expect(after("<think> maybe \\boxed{9}")).to.equal(null));
  it("holds in flexible mode too", () => expect(after("<think>the answer is 9", "flexible")).to.equal(null));
});
