// Wraps the glue that wasm-bindgen writes, for three reasons:
//
// 1. It is a classic script with a top-level `let`: injected twice into one page it would be a SyntaxError.
// 2. Its only name, `wasm_bindgen`, is a lexical one that other files of the extension could see only by luck of
//    how a browser joins content scripts. They get one global of ours instead.
// 3. In Firefox an answer still comes to a page that was left, whose window is then another origin's: even to go on would
//    be an error there, and nobody is left to go on for.
//
//     node tests/build/wrap.mjs GLUE.js > OUT.js

import { readFileSync } from "node:fs";

const glue = readFileSync(process.argv[2], "utf8").trimEnd();
process.stdout.write(`(() => {
if (globalThis.packedTrunkGlue) return;
const queueMicrotask = (task) => { try { globalThis.queueMicrotask(task); } catch { } };
${glue}
globalThis.packedTrunkGlue = wasm_bindgen;
})();
`);
