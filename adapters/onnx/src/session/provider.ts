import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { EngineError } from "@proximal/core";
import { type InferenceSession, listSupportedBackends } from "onnxruntime-node";

const PROVIDERS = ["cpu", "cuda", "webgpu"] as const;
export type Provider = (typeof PROVIDERS)[number];

const INSTALL: Record<Provider, string> = {
  cpu: "reinstall onnxruntime-node: it has no binary for this platform",
  cuda: "npm rebuild onnxruntime-node --onnxruntime-node-install=cuda12 downloads it (Linux x64); it needs CUDA 12 and cuDNN 9",
  webgpu: "it needs a graphics driver: Vulkan on Linux, Metal on macOS, Direct3D 12 on Windows",
};

/** CUDA's provider is a library of its own, which the package's installer adds. */
function isInstalled(name: string): boolean {
  const root = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  return existsSync(join(root, "bin", "napi-v6", process.platform, process.arch, `libonnxruntime_providers_${name}.so`));
}

/** Execution providers that are part of this installation of onnxruntime-node. Whether there is a device shows when one is used. */
export function availableProviders(): Provider[] {
  const backends = listSupportedBackends();
  return PROVIDERS.filter((name) => backends.some((backend) => backend.name === name && (backend.bundled || isInstalled(name))));
}

export function unavailable(provider: Provider, cause?: unknown): EngineError {
  return new EngineError(`the execution provider ${provider} is not available`, {
    given: provider,
    accepted: availableProviders().filter((name) => name !== provider),
    hint: INSTALL[provider],
    cause,
  });
}

/** The runtime's name for a provider; `EngineError` when it is not there. Nothing falls back to another provider. */
export function executionProvider(provider: Provider, deviceId: number): InferenceSession.ExecutionProviderConfig {
  if (!PROVIDERS.includes(provider)) {
    throw new EngineError(`${provider} is no execution provider`, { given: provider, accepted: PROVIDERS });
  }
  if (!availableProviders().includes(provider)) throw unavailable(provider);
  return provider === "cuda" ? { name: "cuda", deviceId } : provider;
}

/** Whether a session could not be opened for want of a library or a device, not because of the graph. */
export const isDeviceFailure = (message: string): boolean =>
  /failed to load shared library|WebGPU adapter|no supported devices|CUDA failure|cudaErrorNoDevice|no CUDA-capable device/i.test(message);
