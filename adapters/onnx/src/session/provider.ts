import { EngineError } from "@proximal/core";
import { type InferenceSession, listSupportedBackends } from "onnxruntime-node";

export type Provider = "cpu" | "cuda" | "webgpu";

const INSTALL: Record<Provider, string> = {
  cpu: "reinstall onnxruntime-node: its package has no binary for this platform",
  cuda: "run onnxruntime-node's installer: npm rebuild onnxruntime-node --onnxruntime-node-install=cuda12 (Linux x64, CUDA 12 and cuDNN 9)",
  webgpu: "WebGPU is part of onnxruntime-node on Windows, macOS and Linux x64; it needs a Vulkan, Metal or D3D12 driver",
};

/** Execution providers that this installation of onnxruntime-node can load. */
export function availableProviders(): string[] {
  return listSupportedBackends().map((backend) => backend.name);
}

export function unavailable(provider: Provider, cause?: unknown): EngineError {
  return new EngineError(`the execution provider ${provider} is not available`, {
    given: provider,
    accepted: availableProviders(),
    hint: INSTALL[provider],
    cause,
  });
}

/** The runtime's name for a provider; `EngineError` when it is not there. Nothing falls back to another provider. */
export function executionProvider(provider: Provider, deviceId: number): InferenceSession.ExecutionProviderConfig {
  if (!(provider in INSTALL)) {
    throw new EngineError(`${provider} is no execution provider`, { given: provider, accepted: Object.keys(INSTALL) });
  }
  if (!availableProviders().includes(provider)) throw unavailable(provider);
  return provider === "cuda" ? { name: "cuda", deviceId } : provider;
}
