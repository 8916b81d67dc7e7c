// The bootstrap of the background: a service worker in Chrome, an event page in Firefox. It may be stopped at any
// moment, so listeners are registered here, at once, and nothing is remembered. What is done with a message is decided
// in Rust (`src/web/background.rs`); here is only what must not wait for the wasm, or what only JavaScript can do:
//
//  1. the loader's words: `module` (its wasm bytes, and the glue put into its tab), `no-wasm` and `open-desk`;
//  2. grants: the content script is registered on the granted servers, and on their preferences pages alone;
//  3. the desk opens after installation and from the toolbar.

if (typeof importScripts === "function") importScripts("packed_trunk.js");

let bytes;
const wasmBytes = () =>
  (bytes ??= fetch(chrome.runtime.getURL("packed_trunk_bg.wasm")).then((file) => file.arrayBuffer()));

let starting;
const rust = () =>
  (starting ??= wasmBytes()
    .then((module) => globalThis.packedTrunkGlue({ module_or_path: module }))
    .then(() => globalThis.packedTrunkGlue));

const openDesk = async (hash = "") => {
  const address = chrome.runtime.getURL("desk.html");
  // Without the "tabs" permission our own pages are still ours to find.
  const [open] = await chrome.tabs.query({ url: address });
  if (!open) return chrome.tabs.create({ url: address + hash });
  await chrome.tabs.update(open.id, hash ? { active: true, url: address + hash } : { active: true });
  if (open.windowId !== undefined) await chrome.windows?.update?.(open.windowId, { focused: true });
};

// The pages on which we have something to say (`src/server/page/mod.rs`); the agent serves on the others too.
const PAGES =
  /^\/(settings\/(migration(\/redirect(\/new)?)?|aliases|export|imports?(\/\d+)?|delete|profile)|auth(\/(edit|setup))?)\/?$/;
const isOne = (sender) => URL.canParse(sender.url) && PAGES.test(new URL(sender.url).pathname);

const words = {
  async module(_message, sender) {
    const tab = sender.tab?.id;
    if (tab === undefined || !isOne(sender)) return null;
    const target = { tabId: tab, frameIds: [sender.frameId ?? 0] };
    // The guard's first question comes in a moment: be ready to answer it.
    rust();
    const [module] = await Promise.all([
      wasmBytes(),
      chrome.scripting.executeScript({ target, files: ["packed_trunk.js"], injectImmediately: true }),
    ]);
    return module;
  },
  async "no-wasm"(_message, sender) {
    if (!isOne(sender)) return null;
    const target = { tabId: sender.tab?.id, frameIds: [sender.frameId ?? 0] };
    await chrome.scripting.executeScript({ target, files: ["notice.js"] });
    return null;
  },
  "open-desk": async () => void (await openDesk()),
};

chrome.runtime.onMessage.addListener((message, sender, reply) => {
  if (sender.id !== chrome.runtime.id) return;
  const word = Object.hasOwn(words, message?.type ?? "") && words[message.type];
  const answer = word
    ? word(message, sender)
    : rust().then((glue) => glue.background(message, sender.origin ?? sender.url ?? "", sender.tab?.id));
  answer.then(reply, () => reply(null));
  return true;
});

// Grants. Wildcards are left alone, should somebody grant the whole web: only servers that were named.
const grantedOrigins = async () =>
  ((await chrome.permissions.getAll()).origins ?? []).filter((origin) => /^https?:\/\/[^*/]+\/\*$/.test(origin));

let reconciling = Promise.resolve();
const reconcile = () =>
  (reconciling = reconciling.then(async () => {
    const matches = (await grantedOrigins()).flatMap((origin) => {
      const base = origin.slice(0, -1);
      return [`${base}settings/*`, `${base}auth/*`];
    });
    const [present] = await chrome.scripting.getRegisteredContentScripts({ ids: ["loader"] });
    const script = { id: "loader", js: ["loader.js"], matches, runAt: "document_end", persistAcrossSessions: true };
    if (matches.length === 0) {
      if (present) await chrome.scripting.unregisterContentScripts({ ids: ["loader"] });
    } else if (present) {
      await chrome.scripting.updateContentScripts([script]);
    } else {
      await chrome.scripting.registerContentScripts([script]);
    }
    return matches;
  }).catch(() => []));

// A page that is open already when its server is granted gets its guard too. The loader refuses to run twice.
const startInOpenTabs = async (matches) => {
  if (matches.length === 0) return;
  for (const tab of await chrome.tabs.query({ url: matches })) {
    chrome.scripting.executeScript({ target: { tabId: tab.id }, files: ["loader.js"] }).catch(() => {});
  }
};

chrome.runtime.onInstalled.addListener(async ({ reason }) => {
  await startInOpenTabs(await reconcile());
  if (reason === "install") await openDesk();
});
// What is due is said from the start: the browser forgets the badge when it is closed.
chrome.runtime.onStartup.addListener(async () => {
  await reconcile();
  await (await rust()).badge();
});
const grantsChanged = async () => {
  if (starting) (await rust()).grants_changed();
  return reconcile();
};
chrome.permissions.onAdded.addListener(async () => startInOpenTabs(await grantsChanged()));
chrome.permissions.onRemoved.addListener(grantsChanged);

const looksLikeMastodon = () => document.querySelector("#mastodon, #initial-state") !== null;

chrome.action.onClicked.addListener(async (tab) => {
  const found = await chrome.scripting
    .executeScript({ target: { tabId: tab.id }, func: looksLikeMastodon })
    .catch(() => []);
  const host = found[0]?.result && URL.canParse(tab.url) ? new URL(tab.url).host : "";
  await openDesk(host && `#server=${encodeURIComponent(host)}`);
});

globalThis.packedTrunkDesk = openDesk;
