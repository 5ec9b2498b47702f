import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

interface Call {
  call: string;
  body: Record<string, unknown>;
  authorization: string | undefined;
}

/** Answers as a tracking server does, and writes the calls down. */
export class TrackingServer {
  readonly calls: Call[] = [];
  experiments: Record<string, string> = {};
  refuses: string | undefined;
  private server: Server | undefined;

  async start(): Promise<string> {
    this.server = createServer((request, response) => {
      let text = "";
      request.on("data", (part: Buffer) => {
        text += part.toString();
      });
      request.on("end", () => {
        const url = new URL(request.url!, "http://localhost");
        const call = url.pathname.replace("/api/2.0/mlflow/", "");
        const body = (text === "" ? Object.fromEntries(url.searchParams) : JSON.parse(text)) as Record<string, unknown>;
        this.calls.push({ call, body, authorization: request.headers.authorization });
        const [status, answer] = this.answer(call, body);
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((done) => this.server!.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }

  private answer(call: string, body: Record<string, unknown>): [number, unknown] {
    if (call === this.refuses) return [400, { error_code: "INVALID_PARAMETER_VALUE", message: "no such thing" }];
    if (call === "experiments/get-by-name") {
      const id = this.experiments[String(body.experiment_name)];
      return id === undefined ? [404, { error_code: "RESOURCE_DOES_NOT_EXIST" }] : [200, { experiment: { experiment_id: id } }];
    }
    if (call === "experiments/create") return [200, { experiment_id: "3" }];
    if (call === "runs/create") return [200, { run: { info: { run_id: "r1" } } }];
    return [200, {}];
  }

  of(call: string): Record<string, unknown>[] {
    return this.calls.filter((made) => made.call === call).map(({ body }) => body);
  }
}
