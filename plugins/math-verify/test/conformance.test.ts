import { testVectors } from "@proximal/core/testing";
import conformance from "../src/conformance.js";

testVectors(new URL("../../vectors/math-verify.json", import.meta.url), conformance);
