// Wraps the glue that wasm-bindgen writes, for two reasons:
//
// 1. It is a classic script with a top-level `let`: injected twice into one page it would be a SyntaxError.
// 2. Its only name, `wasm_bindgen`, is a lexical one that other files of the extension could see only by luck of
//    how a browser joins content scripts. They get one global of ours instead.
//
//     node tests/build/wrap.mjs GLUE.js > OUT.js

import { readFileSync } from "node:fs";

const glue = readFileSync(process.argv[2], "utf8").trimEnd();
process.stdout.write(`(() => {
if (globalThis.packedTrunkGlue) return;
${glue}
globalThis.packedTrunkGlue = wasm_bindgen;
})();
`);
