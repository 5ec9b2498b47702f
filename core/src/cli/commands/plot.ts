import "reflect-metadata";
import { optionalPackage } from "../optional.js";

export interface PlotFlags {
  out?: string;
  ratio?: string;
}

interface Plots {
  plotGates(labels: readonly string[], flags: PlotFlags): Promise<void>;
}

/** `proximal plot gate`: the package that draws is loaded when it is there. */
export async function plotGateCommand(labels: readonly string[], flags: PlotFlags): Promise<void> {
  const { plotGates } = await optionalPackage<Plots>("@proximal/plots", "proximal plot");
  await plotGates(labels, flags);
}
