export { availableProviders, type Provider } from "./provider.js";
export { type Feeds as SessionFeeds, type Fetches, Session, type SessionOptions } from "./session.js";
