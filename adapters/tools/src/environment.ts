import { ConfigError, type Environment, environment, options, type Static, type Turn, type TurnOutcome, Type } from "@proximal/core";
import { sandbox } from "@proximal/sandbox";
import { calculate, shown } from "./calculator.js";
import { Collection, readDocuments } from "./collection.js";
import { limitOptions } from "./limit-options.js";

const tag = (fallback: string, what: string) => Type.String({ default: fallback, minLength: 1, description: what });
const tags = (name: string) => ({ open: tag(`<${name}>`, "Begins a call"), close: tag(`</${name}>`, "Ends it, and the policy's turn") });

const toolsOptions = Type.Object({
  calculator: Type.Optional(
    Type.Object(tags("calculator"), { description: "Arithmetic: numbers, + - * / % ^, parentheses, common functions" }),
  ),
  search: Type.Optional(
    Type.Object(
      {
        ...tags("search"),
        collection: Type.String({ format: "path", minLength: 1, description: 'JSONL file, one { "id", "title", "text" } a line' }),
        topK: Type.Integer({ default: 5, minimum: 1, description: "Documents found" }),
        excerpt: Type.Integer({
          default: 200,
          minimum: 0,
          description: "Characters of each document that the list shows; 0 = titles alone",
        }),
      },
      { description: "Full-text search over a collection" },
    ),
  ),
  access: Type.Optional(
    Type.Object(
      {
        ...tags("access"),
        collection: Type.String({ format: "path", minLength: 1, description: "As for search" }),
      },
      { description: "The whole document with a given id" },
    ),
  ),
  code: Type.Optional(
    Type.Object({ ...tags("code"), ...limitOptions }, { description: "JavaScript in a sandbox; variables live on from call to call" }),
  ),
  output: Type.String({
    default: "<output>{output}</output>",
    pattern: "\\{output\\}",
    description: "What the policy is shown after a call",
  }),
  maxCalls: Type.Integer({ default: 1000, minimum: 0, description: "Calls an episode; further ones are answered with an error" }),
});
export type ToolsOptions = Static<typeof toolsOptions>;

export interface ToolState {
  calls: number;
  failed: number;
  /** Blocks of code so far: each call runs them again, so that the state is text alone. */
  blocks: readonly string[];
}

interface Tool {
  open: string;
  close: string;
  /** Errors are shown to the policy. */
  call(input: string, state: ToolState): Promise<{ output: string; state: ToolState }>;
}

const stateless = (answer: (input: string) => string) => async (input: string, state: ToolState) => ({ output: answer(input), state });

/** Every call of a tool is answered; a turn without a call ends the episode. */
@environment({
  id: "tools",
  description: "Tools that the policy calls in tags: calculator, search, access, code",
  options: toolsOptions,
  writes: ["toolCalls", { name: "failedCalls", at: "row", dtype: "i32" }],
  provides: ["multi-turn"],
})
export class ToolsEnvironment implements Environment<ToolState> {
  readonly endOfTurn: readonly string[];
  private readonly tools: readonly Tool[];

  constructor(@options() private readonly o: ToolsOptions) {
    this.tools = toolsOf(o);
    this.endOfTurn = this.tools.map(({ close }) => close);
    const closes = new Set(this.endOfTurn);
    if (this.tools.length === 0) throw new ConfigError("no tool is named", { accepted: ["calculator", "search", "access", "code"] });
    if (closes.size < this.tools.length) throw new ConfigError("two tools have the same closing tag", { given: this.endOfTurn });
  }

  reset(): ToolState {
    return { calls: 0, failed: 0, blocks: [] };
  }

  async step({ state, text, end }: Turn<ToolState>): Promise<TurnOutcome<ToolState>> {
    const call = end === "text" ? this.callIn(text) : null;
    if (call === null) return { state, done: true };
    const { output, state: next, failed } = await this.answer(call, state);
    const counted = { ...next, calls: state.calls + 1, failed: state.failed + Number(failed) };
    return { state: counted, observation: this.o.output.replace("{output}", () => output), done: false };
  }

  /** The call that a turn ends with; null when its end was never opened. */
  private callIn(text: string): { tool: Tool; input: string } | null {
    const tool = this.tools.find(({ close }) => text.endsWith(close)) ?? this.tools.find(({ close }) => text.includes(close));
    if (tool === undefined) return null;
    const until = text.lastIndexOf(tool.close);
    const from = text.lastIndexOf(tool.open, until - 1);
    return from < 0 ? null : { tool, input: text.slice(from + tool.open.length, until).trim() };
  }

  private async answer({ tool, input }: { tool: Tool; input: string }, state: ToolState) {
    try {
      if (state.calls >= this.o.maxCalls) throw new Error("no call is left");
      return { ...(await tool.call(input, state)), failed: false };
    } catch (error) {
      return { output: `Error: ${(error as Error).message}`, state, failed: true };
    }
  }

  columns({ calls, failed }: ToolState) {
    return { toolCalls: calls, failedCalls: failed };
  }
}

function toolsOf({ calculator, search, access, code }: ToolsOptions): Tool[] {
  const collections = new Map<string, Collection>();
  const collectionOf = (file: string): Collection => {
    const known = collections.get(file) ?? new Collection(readDocuments(file));
    collections.set(file, known);
    return known;
  };
  const tools: Tool[] = [];
  if (calculator !== undefined) tools.push({ ...calculator, call: stateless((input) => shown(calculate(input))) });
  if (search !== undefined) {
    const { topK, excerpt } = search;
    const collection = collectionOf(search.collection);
    const line = ({ id, title, text }: { id: string; title: string; text: string }) =>
      excerpt === 0 ? `[${id}] ${title}` : `[${id}] ${title}: ${text.slice(0, excerpt)}`;
    const find = (query: string) => collection.search(query, topK).map(line).join("\n") || "nothing found";
    tools.push({ ...search, call: stateless(find) });
  }
  if (access !== undefined) {
    const collection = collectionOf(access.collection);
    tools.push({ ...access, call: stateless((id) => collection.get(id)?.text ?? `there is no document ${id}`) });
  }
  if (code !== undefined) {
    const call: Tool["call"] = async (input, state) => {
      const blocks = [...state.blocks, input];
      const results = await sandbox().run(blocks, code);
      return { output: results.at(-1)!.output, state: { ...state, blocks } };
    };
    tools.push({ ...code, call });
  }
  return tools;
}
