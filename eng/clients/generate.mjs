// Writes the clients of contracts/*.json: TypeScript for the browser app, C# for the mobile app, both for partners.
// Usage: npm ci && npm run generate [-- <folder>]; without a folder they land in artifacts/clients.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const output = resolve(process.argv[2] ?? join(root, "artifacts/clients"));

const csharp = [
  "/jsonLibrary:SystemTextJson", "/useBaseUrl:false", "/generateNullableReferenceTypes:true", "/generateOptionalPropertiesAsNullable:true",
  "/generateOptionalParameters:true",
];
const typescript = ["/template:Fetch", "/typeStyle:Interface", "/nullValue:Null", "/dateTimeType:String", "/typeScriptVersion:5.0"];

const clients = [
  { from: "web", to: "web.ts", command: "openapi2tsclient", options: ["/className:WebClient", ...typescript] },
  { from: "mobile", to: "MobileClient.cs", command: "openapi2csclient", options: ["/className:MobileClient", "/namespace:Bff.Clients.Mobile", ...csharp] },
  { from: "partner-v1", to: "PartnerClient.cs", command: "openapi2csclient", options: ["/className:PartnerClient", "/namespace:Bff.Clients.Partner.V1", ...csharp] },
  { from: "partner-v1", to: "partner.ts", command: "openapi2tsclient", options: ["/className:PartnerClient", ...typescript] },
];

mkdirSync(output, { recursive: true });
for (const { from, to, command, options } of clients) {
  const nswag = join(here, "node_modules/nswag/bin/nswag.js");
  const run = spawnSync(
    process.execPath,
    [nswag, command, "/runtime:Net100", `/input:${join(root, "contracts", from + ".json")}`, `/output:${join(output, to)}`, ...options],
    { encoding: "utf8", cwd: output });
  if (run.status !== 0) {
    console.error(`${to}: ${run.error ?? ""}${run.stdout}${run.stderr}`);
    process.exit(1);
  }

  console.log(join(output, to));
}
