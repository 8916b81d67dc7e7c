// Packs files into a zip whose bytes depend on nothing but the names and contents of the files:
//
//     node tests/build/pack.mjs OUT.zip FOLDER < NAMES
//
// NAMES are paths below FOLDER, each ended by a NUL byte. The system's `zip` is not used because it writes times,
// owners and the order of the file system, and Node's own deflate because its bytes differ from processor to processor.

import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";

const [out, folder] = process.argv.slice(2);
const names = readFileSync(0, "utf8").split("\0").filter(Boolean);
names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

// A zip holds local time without a zone. Built from local parts, this is the same stamp everywhere.
const mtime = new Date(1980, 0, 1);
const UNIX = 3;
const REGULAR_FILE = 0o100000;

const entries = {};
for (const name of names) {
  const path = join(folder, name);
  const mode = statSync(path).mode & 0o100 ? 0o755 : 0o644;
  entries[name] = [readFileSync(path), { level: 9, mtime, os: UNIX, attrs: ((REGULAR_FILE | mode) << 16) >>> 0 }];
}
writeFileSync(out, zipSync(entries));
