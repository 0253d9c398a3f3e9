"use strict";
// Compiles the demo's contracts with npm's solc. Arguments: folder with node_modules, folder with our sources, output file.
const fs = require("fs");
const path = require("path");
const { createRequire } = require("module");

const [toolFolder, sourceFolder, outputFile] = process.argv.slice(2);
const solc = createRequire(path.join(toolFolder, "package.json"))("solc");

const sources = {};
for (const name of fs.readdirSync(sourceFolder).filter((file) => file.endsWith(".sol")).sort()) {
  sources[name] = { content: fs.readFileSync(path.join(sourceFolder, name), "utf8") };
}
const input = {
  language: "Solidity",
  sources,
  settings: {
    optimizer: { enabled: true, runs: 200 },
    evmVersion: "cancun",
    metadata: { bytecodeHash: "none", appendCBOR: false },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.methodIdentifiers"] } },
  },
};

function findImport(name) {
  const file = path.join(toolFolder, "node_modules", name);
  return fs.existsSync(file) ? { contents: fs.readFileSync(file, "utf8") } : { error: `${name} is not installed` };
}

const output = JSON.parse(solc.compile(JSON.stringify(input), { import: findImport }));
const failures = (output.errors || []).filter((one) => one.severity === "error");
if (failures.length > 0) {
  console.error(failures.map((one) => one.formattedMessage).join("\n"));
  process.exit(1);
}
const artifacts = {};
for (const name of Object.keys(sources)) {
  for (const [contract, made] of Object.entries(output.contracts[name] || {})) {
    if (made.evm.bytecode.object === "") continue;
    artifacts[contract] = {
      abi: made.abi,
      bytecode: "0x" + made.evm.bytecode.object,
      selectors: Object.values(made.evm.methodIdentifiers).map((one) => "0x" + one),
    };
  }
}
fs.writeFileSync(outputFile, JSON.stringify(artifacts));
// The WebAssembly compiler would keep the process alive.
process.exit(0);
