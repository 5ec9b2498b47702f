import { type JudgeModel, type JudgeRequest, judge, options, type Static, Type } from "@proximal/core";

const judgeOptions = Type.Object({
  ignoreCase: Type.Boolean({ default: true, description: "Compare without regard to case" }),
});

/** Share of the words of the nearest reference that the completion holds, in [0, 1]; null without references. */
@judge({ id: "my-slug", description: "A rule: words of the references", options: judgeOptions })
export class MySlugJudge implements JudgeModel {
  constructor(@options() private readonly o: Static<typeof judgeOptions>) {}

  async grade(requests: readonly JudgeRequest[]): Promise<(number | null)[]> {
    return requests.map(({ completion, references = [] }) => {
      const given = new Set(this.wordsOf(completion));
      const shares = references.map((reference) => {
        const wanted = this.wordsOf(reference);
        return wanted.filter((word) => given.has(word)).length / Math.max(1, wanted.length);
      });
      return shares.length === 0 ? null : Math.max(...shares);
    });
  }

  private wordsOf(text: string): string[] {
    return (this.o.ignoreCase ? text.toLowerCase() : text).split(/\s+/).filter((word) => word !== "");
  }
}
