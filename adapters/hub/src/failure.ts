import { HubApiError } from "@huggingface/hub";
import { CheckpointError, type ErrorDetails } from "@proximal/core";

/** What was asked of which Hub. */
export interface Asked {
  id: string;
  revision: string;
  endpoint: string;
  token: string | undefined;
}

/** The Hub's reason for its last refusal, of the header X-Error-Code: RepoNotFound, RevisionNotFound, GatedRepo, … */
export class Refusals {
  last: string | undefined;

  /** `fetch` that keeps the reason. */
  readonly fetch: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (!response.ok) this.last = response.headers.get("x-error-code") ?? undefined;
    return response;
  };
}

type Explanation = [message: string, hint: string, details?: ErrorDetails];

function explanation(status: number, reason: string | undefined, { id, revision, endpoint, token }: Asked): Explanation {
  const page = `${endpoint}/${id}`;
  if (reason === "GatedRepo") {
    return token === undefined
      ? ["the model is given only to those who accept its conditions", `accept them at ${page}, and put an access token into HF_TOKEN`]
      : ["the account of the access token may not read this model", `accept its conditions at ${page}; some owners grant access by hand`];
  }
  if (reason === "RevisionNotFound") {
    return ["the model has no such revision", `its branches, tags and commits: ${page}/tree/main`, { path: "--revision", given: revision }];
  }
  // Without a token the Hub answers 401 for what is private and for what does not exist.
  if (reason === "RepoNotFound" || status === 404 || (status === 401 && token === undefined)) {
    return ["the Hub has no such model, or does not show it", `is ${page} its page? A private model needs an access token in HF_TOKEN`];
  }
  if (status === 401)
    return ["the Hub does not accept the access token", `make one at ${endpoint}/settings/tokens and put it into HF_TOKEN`];
  if (status === 403)
    return ["the access token gives no access to this model", "make one that may read the model and put it into HF_TOKEN"];
  if (status === 429)
    return ["the Hub takes no more requests for now", "run the command again in some minutes; an access token in HF_TOKEN helps"];
  return [`the Hub answers with status ${status}`, "try again later"];
}

/** What the network says: of an error with a cause the cause's message. The library's streams fail with a text. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** A failure of the network or the Hub in the user's words; `otherwise`: what a failure without an answer of the Hub means. */
export function explained(cause: unknown, asked: Asked, reason: string | undefined, otherwise?: CheckpointError): CheckpointError {
  if (cause instanceof CheckpointError) return cause;
  if (cause instanceof HubApiError) {
    const [message, hint, details = { given: asked.id }] = explanation(cause.statusCode, reason, asked);
    return new CheckpointError(message, { ...details, hint, cause });
  }
  if (otherwise !== undefined) return otherwise;
  return new CheckpointError(`the Hub cannot be reached: ${messageOf(cause)}`, {
    given: asked.endpoint,
    hint: "set HF_ENDPOINT to a mirror, or copy the model's folder from another machine",
    cause,
  });
}
