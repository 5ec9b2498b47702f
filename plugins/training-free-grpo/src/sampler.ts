import {
  type Batch,
  DataError,
  type DataState,
  type Group,
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type Prompt,
  type PromptSource,
  type SampleContext,
  type SampleResult,
  type ScoredGroups,
  StatefulGroupSampler,
  type Static,
  sampler,
  Type,
} from "@proximal/core";
import { type Account, advantagePrompt, batchUpdatePrompt, groupUpdatePrompt, summaryPrompt } from "./calls.js";
import { blockOf, type Experience, editLibrary, hasContrast, linesOf, type Operation, parseOperations } from "./library.js";

const { promptsPerStep, shuffle } = groupSamplerOptions.properties;

export const trainingFreeOptions = Type.Object({
  promptsPerStep: { ...promptsPerStep, default: 64 },
  shuffle,
  groupSize: Type.Integer({ default: 5, minimum: 2, description: "Responses a prompt" }),
  rolloutTemperature: Type.Number({ default: 0.7, minimum: 0, description: "Of responses; 0 = the likeliest token" }),
  editorTemperature: Type.Number({ default: 0, minimum: 0, description: "Of the four editing calls; 0 = the likeliest token" }),
  editorTokens: Type.Optional(Type.Integer({ minimum: 1, description: "Longest answer of an editing call, tokens; the run's by default" })),
  givenGroundTruth: Type.Boolean({ default: true, description: "Learn from groups with contrast and show answers to the editor" }),
  experiencesPerQuery: Type.Integer({ default: 2, minimum: 1, description: "Rules that one group may propose" }),
  maxRetries: Type.Integer({ default: 3, minimum: 1, description: "Attempts at the call that merges all proposals" }),
  leadIn: Type.String({ default: "Use these experiences where they help:\n", description: "Stands in front of the library" }),
  between: Type.String({ default: "\n\n", description: "Stands between the library and the prompt" }),
});

export interface LibraryState extends DataState {
  experiences: Experience[];
}

interface Call {
  base: Prompt;
  text: string;
  key: string;
}

/**
 * Learns a library of short texts in place of weights: the policy compares the responses of each group in words and edits the
 * library, which stands in front of every later prompt. Training-Free GRPO (2510.08191).
 */
@sampler({
  id: "training-free-grpo",
  description: "Groups behind a library of experiences that the policy itself edits after each step",
  options: trainingFreeOptions,
  reads: ["rewards"],
  provides: ["group-of-equal-prompts"],
})
export class TrainingFreeSampler extends StatefulGroupSampler<LibraryState> {
  constructor(@options() protected readonly settings: Static<typeof trainingFreeOptions>) {
    super();
  }

  initialState(): LibraryState {
    return { version: 1, drawn: 0, experiences: [] };
  }

  evaluationPrompt(prompt: Prompt, { state, prompts }: { state: LibraryState; prompts: Pick<PromptSource, "derive"> }): Prompt {
    return this.shown(prompt, state.experiences, prompts);
  }

  /** The prompt behind the library, or alone when both do not fit. */
  private shown(prompt: Prompt, experiences: readonly Experience[], prompts: Pick<PromptSource, "derive">): Prompt {
    if (experiences.length === 0) return prompt;
    return derived(prompts, prompt, this.settings.leadIn + linesOf(experiences) + this.settings.between + prompt.text) ?? prompt;
  }

  protected override async rollout(planned: readonly PlannedGroup[], context: SampleContext<LibraryState>): Promise<Group[]> {
    const { rolloutTemperature } = this.settings;
    const generate: typeof context.generate = (requests) =>
      context.generate(requests.map((request) => ({ ...request, ...temperature(rolloutTemperature) })));
    const shown = planned.map((group) => ({ ...group, prompt: this.shown(group.prompt, context.state.experiences, context.prompts) }));
    const groups = await super.rollout(shown, { ...context, generate });
    return groups.map(({ trajectories }, g) => ({ prompt: planned[g]!.prompt, trajectories }));
  }

  protected override async select(
    { groups, batch, state }: ScoredGroups<LibraryState>,
    context: SampleContext<LibraryState>,
  ): Promise<SampleResult<LibraryState>> {
    const accounts = groups.map((_, g) => this.accounts(groups[g]!, batch, g));
    const useful = accounts
      .map((list, g) => ({ list, prompt: groups[g]!.prompt, g }))
      .filter(({ g }) => hasContrast(verified(batch, g), this.settings.givenGroundTruth));
    const proposals = await this.proposals(useful, state.experiences, context);
    const plan = await this.consolidated(proposals, state.experiences, groups[0]!.prompt, context);
    const experiences = editLibrary(state.experiences, plan);
    return {
      groups,
      batch,
      state: { ...state, experiences },
      metrics: {
        usefulGroups: useful.length,
        proposals: proposals.length,
        operations: plan.length,
        experiences: experiences.length,
        libraryCharacters: linesOf(experiences).length,
      },
    };
  }

  private accounts({ prompt, trajectories }: Group, batch: Batch, g: number): Account[] {
    const rewards = batch.f64("rewards");
    const known = this.settings.givenGroundTruth;
    return trajectories.map(({ text }, i) => ({
      question: prompt.text,
      response: text,
      reward: known ? rewards[batch.groupRows[g]![i]!]! : null,
      golds: known ? prompt.golds : [],
    }));
  }

  /** Calls 1 to 3 of all groups side by side; a rollout or group whose call fails is left out. */
  private async proposals(
    groups: readonly { list: Account[]; prompt: Prompt; g: number }[],
    experiences: readonly Experience[],
    context: SampleContext<LibraryState>,
  ): Promise<Operation[]> {
    const attempts = groups.flatMap(({ list, prompt, g }) => list.map((account, i) => ({ account, prompt, g, i })));
    const summaries = await this.ask(
      attempts.map(({ account, prompt, g, i }) => ({ base: prompt, text: summaryPrompt(account), key: `summary/${g}/${i}` })),
      context,
    );
    const compared = groups
      .map(({ prompt, g }) => ({
        prompt,
        g,
        told: attempts.flatMap((attempt, a) => (attempt.g === g && summaries[a] ? [{ ...attempt, summary: summaries[a] }] : [])),
      }))
      .filter(({ told }) => told.length > 0);
    const lessons = await this.ask(
      compared.map(({ prompt, g, told }) => ({
        base: prompt,
        text: advantagePrompt(
          prompt.text,
          told.map(({ summary }) => summary),
          told.map(({ account }) => account.reward),
          this.settings.experiencesPerQuery,
        ),
        key: `advantage/${g}`,
      })),
      context,
    );
    const rules = compared.flatMap(({ prompt, g }, i) => {
      const block = lessons[i] === null ? null : blockOf(lessons[i]!, "experiences");
      return block ? [{ prompt, g, block }] : [];
    });
    const updates = await this.ask(
      rules.map(({ prompt, g, block }) => ({ base: prompt, text: groupUpdatePrompt(experiences, block), key: `update/${g}` })),
      context,
    );
    return updates.flatMap((text) => (text === null ? [] : parseOperations(text)));
  }

  /** Call 4: one plan out of all proposals, tried up to `maxRetries` times; [] when none can be read. */
  private async consolidated(
    proposals: readonly Operation[],
    experiences: readonly Experience[],
    base: Prompt,
    context: SampleContext<LibraryState>,
  ): Promise<Operation[]> {
    if (proposals.length === 0) return [];
    for (let attempt = 0; attempt < this.settings.maxRetries; attempt++) {
      const [answer] = await this.ask([{ base, text: batchUpdatePrompt(experiences, proposals), key: `batch/${attempt}` }], context);
      const plan = answer ? parseOperations(answer) : [];
      if (plan.length > 0) return plan;
    }
    return [];
  }

  /** The policy's answers; null for a call that does not fit the context or the tokenizer, or that has no answer. */
  private async ask(calls: readonly Call[], { prompts, generate }: SampleContext<LibraryState>): Promise<(string | null)[]> {
    const { editorTemperature, editorTokens } = this.settings;
    const asked = calls.map(({ base, text }) => derived(prompts, base, text));
    const sent = calls.flatMap(({ key }, i) =>
      asked[i] === null ? [] : [{ prompt: asked[i]!, key, ...temperature(editorTemperature), maxTokens: editorTokens }],
    );
    const answers = sent.length === 0 ? [] : await generate(sent);
    let at = 0;
    return asked.map((prompt) => (prompt === null ? null : answers[at++]!.text.trim() || null));
  }
}

const temperature = (value: number) => (value === 0 ? { greedy: true } : { temperature: value });

/** Rewards of a group, those that could be verified. */
const verified = (batch: Batch, g: number): number[] =>
  Array.from(batch.groupRows[g]!, (row) => batch.f64("rewards")[row]!).filter((reward) => !Number.isNaN(reward));

function derived(prompts: Pick<PromptSource, "derive">, base: Prompt, text: string): Prompt | null {
  try {
    return prompts.derive(base, text);
  } catch (error) {
    if (error instanceof DataError) return null;
    throw error;
  }
}
