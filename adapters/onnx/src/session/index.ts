export { graphDigest, SessionCache, sessionKey } from "./cache.js";
export { evaluateOnRuntime } from "./evaluate.js";
export { type MethodName, WorkerHost, type WorkerHostOptions } from "./host.js";
export { transfer, transferArrays } from "./message.js";
export { availableProviders, type Provider } from "./provider.js";
export { type Feeds as SessionFeeds, type Fetches, Session, type SessionOptions } from "./session.js";
export { serve, type WorkerContext } from "./worker.js";
