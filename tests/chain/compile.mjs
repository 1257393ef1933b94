// Compiles the devnet's contracts: `node compile.mjs` writes the artifacts, `node compile.mjs --check` compares them with
// what is there, byte for byte, and ends with 1 when they differ.
//
// The bytecode depends on the sources, the compiler's version and the settings below, and on nothing else: no metadata
// hash is appended, and imports are named without their folder.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import solc from "solc";

const folder = fileURLToPath(new URL("../../host/devnet/contracts/", import.meta.url));
const deployed = [
  "BondingManager",
  "Controller",
  "Lens",
  "Multicall3",
  "PriceFeed",
  "RoundsManager",
  "ServiceRegistry",
  "TicketBroker",
];

const sources = {};
for (const file of readdirSync(folder).filter((name) => name.endsWith(".sol")).sort()) {
  sources[file] = { content: readFileSync(join(folder, file), "utf8") };
}
const input = {
  language: "Solidity",
  sources,
  settings: {
    evmVersion: "paris",
    optimizer: { enabled: true, runs: 200 },
    metadata: { bytecodeHash: "none", appendCBOR: false },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
if (output.errors?.length) {
  console.error(output.errors.map((error) => error.formattedMessage).join("\n"));
  process.exit(1);
}

const check = process.argv.includes("--check");
const different = [];
for (const name of deployed) {
  const { abi, evm } = output.contracts[`${name}.sol`][name];
  const artifact = JSON.stringify({ abi, bytecode: `0x${evm.bytecode.object}` }, null, 1) + "\n";
  const path = join(folder, "artifacts", `${name}.json`);
  if (check) {
    let present = "";
    try {
      present = readFileSync(path, "utf8");
    } catch {
      // Not there is different.
    }
    if (present !== artifact) different.push(name);
  } else {
    writeFileSync(path, artifact);
  }
}
if (different.length) {
  console.error(`these artifacts are not what their sources compile to: ${different.join(", ")}; run \`make contracts\``);
  process.exit(1);
}
console.log(`${deployed.length} contracts, solc ${solc.version()}`);
