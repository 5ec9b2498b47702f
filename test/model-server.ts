import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const wordOf = (text: string): number => [...text].reduce((sum, character, i) => (sum + (i + 1) * character.charCodeAt(0)) % 997, 0);

/** A stand-in for an OpenAI-compatible server, and for one that gives rewards (`/score`), whose answers depend on nothing but what is asked. */
export async function modelServer(): Promise<{ baseUrl: string; close(): void }> {
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const {
      messages = [],
      input = [],
      items = [],
    } = JSON.parse(text) as { messages?: { content: string }[]; input?: string[]; items?: { completion: string }[] };
    const score = wordOf(messages.at(-1)?.content ?? "") % 11;
    const data = input.map((part, index) => ({ index, embedding: [1 + wordOf(part), 3, 4] }));
    const bodies: Record<string, object> = {
      embeddings: { data },
      score: { rewards: items.map(({ completion }) => wordOf(completion) % 11) },
      completions: { choices: [{ message: { content: `{"score": ${score}}` } }] },
    };
    response.end(JSON.stringify(bodies[request.url!.split("/").at(-1)!]));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`, close };
}
