import { testTerms, testVectors } from "@proximal/core/testing";
import conformance from "../src/conformance.js";
import { SapoGate } from "../src/index.js";

testVectors(new URL("../../vectors/sapo.json", import.meta.url), conformance);

testTerms("SapoGate", { component: SapoGate });
