import { testPackage } from "@proximal/testkit";

await testPackage(new URL("../..", import.meta.url));
