import { serve } from "../session/index.js";
import { Engine } from "./engine.js";
import type { EngineData } from "./protocol.js";

serve<EngineData>(({ data }) => new Engine(data));
