import {
  type Batch,
  behindExamples,
  type DataState,
  type GenerateRequest,
  type Group,
  GroupSampler,
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type Prompt,
  type PromptSource,
  type Random,
  type SampleContext,
  type SampleResult,
  type ScoredGroups,
  type Static,
  sampler,
  Type,
  withPrompts,
} from "@proximal/core";

export const icpoSamplerOptions = Type.Object({
  ...groupSamplerOptions.properties,
  steeredRollouts: Type.Integer({ default: 1, minimum: 0, description: "m: responses of a group that are sampled behind a demonstration" }),
  demonstrations: Type.Integer({ default: 1, minimum: 1, description: "Demonstrations in front of a steered prompt" }),
  solutionField: Type.String({
    default: "solution",
    description: "Field of the records that holds the worked answer; a record without it shows its first accepted answer",
  }),
  demonstrationTemplate: Type.String({
    default: "{question}\n{solution}\n\n",
    description: "A demonstration; stands in front of the prompt",
  }),
});

/** Questions with worked answers, by place in the data set. */
class Demonstrations {
  private readonly places: number[];

  constructor(
    private readonly prompts: PromptSource,
    private readonly s: Static<typeof icpoSamplerOptions>,
  ) {
    this.places = Array.from({ length: prompts.size }, (_, i) => i).filter((i) => this.solution(prompts.get(i)) !== undefined);
  }

  private solution({ fields, golds }: Prompt): string | undefined {
    const worked = fields[this.s.solutionField];
    return typeof worked === "string" && worked !== "" ? worked : golds[0];
  }

  /** Different questions than that of the prompt, at random. */
  draw({ id }: Prompt, random: Random): string[] {
    const others = this.places.filter((place) => this.prompts.get(place).id !== id);
    const order = random.permutation(others.length).slice(0, this.s.demonstrations);
    return Array.from(order, (i) => {
      const shown = this.prompts.get(others[i]!);
      return this.s.demonstrationTemplate.replace("{question}", () => shown.text).replace("{solution}", () => this.solution(shown)!);
    });
  }
}

/** Steers m responses of each group by a demonstration in their context; they are trained as answers to the plain prompt. ICPO (2510.26519). */
@sampler({
  id: "icpo",
  description: "Groups in which some responses are sampled behind random demonstrations",
  options: icpoSamplerOptions,
  reads: ["rewards"],
  writes: ["hinted"],
  provides: ["group-of-equal-prompts"],
})
export class IcpoSampler extends GroupSampler {
  constructor(@options() protected readonly settings: Static<typeof icpoSamplerOptions>) {
    super();
  }

  protected override async rollout(planned: readonly PlannedGroup[], context: SampleContext<DataState>): Promise<Group[]> {
    const demonstrations = new Demonstrations(context.prompts, this.settings);
    const requests = planned.flatMap(({ prompt, count }, g) => {
      const steered = Math.min(this.settings.steeredRollouts, count - 1);
      return Array.from({ length: count }, (_, i): GenerateRequest => {
        const random = context.random.fork("demonstrations", g, i);
        const shown = i < count - steered ? null : behindExamples(prompt, demonstrations.draw(prompt, random), context.prompts);
        return { prompt: shown ?? prompt, key: `${g}/${i}`, columns: { hinted: Number(shown !== null) } };
      });
    });
    const trajectories = await context.generate(requests);
    let at = 0;
    return planned.map(({ prompt, count }) => {
      at += count;
      return { prompt, trajectories: trajectories.slice(at - count, at) };
    });
  }

  /** Takes the demonstrations away: log-probs become those behind the plain prompt. */
  protected override async select(
    { groups, batch, state }: ScoredGroups,
    { policy }: SampleContext<DataState>,
  ): Promise<SampleResult<DataState>> {
    const hinted = batch.f64("hinted");
    const plain = await withPrompts(
      batch,
      Array.from(batch.group, (group, row) => (hinted[row] === 1 ? groups[group]!.prompt : null)),
      policy,
    );
    const trained = groups.map(({ prompt }, g) => ({
      prompt,
      trajectories: Array.from(batch.groupRows[g]!, (row) => plain.trajectories[row]!),
    }));
    return { groups: trained, batch: plain, state, metrics: successBySteering(batch) };
  }
}

/** Success of plain and steered responses: reward above 0. NaN where there are none. */
function successBySteering(batch: Batch) {
  const rewards = batch.f64("rewards");
  const hinted = batch.f64("hinted");
  const success = (steered: number) => {
    const rows = [...rewards.keys()].filter((row) => hinted[row] === steered);
    return rows.filter((row) => rewards[row]! > 0).length / rows.length;
  };
  return { plainSuccess: success(0), steeredSuccess: success(1) };
}
