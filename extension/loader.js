// The only content script. Does nothing on a page that is not one of Mastodon's preferences pages, holds the agent
// (requests in the page's own origin), and starts the guard. Where the page's policy lets no wasm run (Chrome, Mastodon
// up to 3.5), `notice.js` leads to the desk.

(() => {
  if (globalThis.packedTrunk || window.top !== window) return;

  const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content;
  const state = () => document.querySelector('script#initial-state[type="application/json"]')?.textContent;
  const content = ".admin-wrapper .content-wrapper > .content";
  if (meta("csrf-param") !== "authenticity_token") return;
  if (!(state() && document.querySelector(content)) && location.pathname !== "/auth/setup") return;

  // What the agent performs: the list of `src/server/request.rs`; a test compares the two. `#` is a number.
  const GET = [
    "api/v1/accounts/(verify_credentials|lookup|relationships|#/(statuses|followers|following))",
    "api/v1/(conversations|notifications(/requests)?|statuses(/#(/(context|history))?)?|lists)",
    "api/v1/(mutes|(domain_)?blocks|bookmarks|favourites|endorsements|(followed|featured)_tags|follow_requests)",
    "api/v1/(preferences|instance/domain_blocks|emails/check_confirmation|custom_emojis)",
    "api/v2/(search|notifications/policy)",
    "api/v[12]/instance",
    "api/v[12]/filters",
    "settings/(migration|aliases|export|imports?|imports/#/failures.(csv|json)|exports/[a-z_]+.(csv|json))",
    "auth/(edit|confirmation/new)",
  ];
  const POST = [
    "settings/(aliases|imports?|imports/#(/confirm)?|profile/pictures/(avatar|header))",
    "api/v1/(lists(/#/accounts)?|featured_tags|tags/[^/]+/follow|accounts/#/(note|mute|pin|endorse))",
    "api/v[12]/filters",
  ];
  const PUT = ["api/v1/lists/#"];
  const PATCH = ["api/v1/accounts/update_credentials"];
  const DELETE = ["api/v1/(featured_tags/#|profile/(avatar|header))"];
  // A thread of 8,192 posts, the most that a context has.
  const LARGEST = 4e7;
  // Pages carry the session's token and the forms' tokens; none of them leaves this tab.
  const CSRF = "X-CSRF-Token";
  const SECRETS = /("access_token":|name="csrf-token" content=|name="authenticity_token" value=)"[^"]*"/g;

  const whose = () => {
    try {
      const { me, disabled_account_id } = JSON.parse(state()).meta;
      return me ?? disabled_account_id;
    } catch {}
  };

  const ask = async ({ method, path, form, file, accept }, me) => {
    const url = new URL(path, location.origin);
    const fits = (one) => RegExp(`^/${one.replaceAll("#", "\\d+")}$`).test(url.pathname);
    if (url.origin !== location.origin || !{ GET, POST, PUT, PATCH, DELETE }[method]?.some(fits)) return { Err: "refused" };
    // Another tab of this server may be somebody else's, and this one too since it was opened anew.
    if (me && me !== whose()) return { Err: "other-account" };
    const headers = { Accept: accept === "api" ? "application/json" : "text/html,*/*;q=0.8" };
    // Read at this moment, sent to its own server, kept nowhere.
    if (accept === "api") {
      try {
        const token = JSON.parse(state()).meta.access_token;
        if (token) headers.Authorization = `Bearer ${token}`;
      } catch {}
    }
    const init = { method, headers, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(file ? 3e5 : 3e4) };
    if (method !== "GET") {
      headers[CSRF] = meta("csrf-token") ?? "";
      const body = file ? new FormData() : new URLSearchParams();
      for (const [name, value] of form) body.append(name, value);
      if (file) {
        const data = file.bytes ? Uint8Array.from(atob(file.text), (byte) => byte.charCodeAt()) : file.text;
        body.append(file.field, new File([data], file.name, { type: file.kind }));
      }
      init.body = body;
    }
    try {
      let reply = await fetch(url, init);
      // This page is older than the session: another tab has signed in anew. A page of today has today's token.
      if (reply.status === 422 && accept === "page") {
        const page = await (await fetch("/auth/edit", { cache: "no-store" })).text();
        headers[CSRF] = /name="csrf-token" content="([^"]*)"/.exec(page)?.[1] ?? "";
        reply = await fetch(url, init);
      }
      const end = new URL(reply.url || url);
      const header = (name) => reply.headers.get(name);
      const text = (await reply.text()).replace(SECRETS, '$1""');
      return {
        Ok: {
          status: reply.status,
          path: end.pathname + end.search,
          elsewhere: end.origin !== location.origin,
          content_type: header("content-type") ?? "",
          cut: text.length > LARGEST,
          reset: header("x-ratelimit-reset"),
          limit: parseInt(header("x-ratelimit-limit")) || null,
          remaining: header("x-ratelimit-remaining") && +header("x-ratelimit-remaining"),
          link: header("link"),
          date: Date.parse(header("date")) || null,
          body: text.slice(0, LARGEST),
        },
      };
    } catch (error) {
      return { Err: error?.name === "TimeoutError" ? "timed-out" : "unreachable" };
    }
  };

  const ours = (sender) =>
    sender.id === chrome.runtime.id && (!sender.tab || sender.url?.startsWith(chrome.runtime.getURL("")));
  chrome.runtime.onMessage.addListener((message, sender, reply) => {
    if (!ours(sender)) return;
    if (message?.ask) {
      ask(message.ask.request, message.ask.me).then(reply, () => reply({ Err: "refused" }));
      return true;
    }
    const told = globalThis.packedTrunk.tell?.(message);
    if (!told) return;
    told.then(reply, () => reply(null));
    return true;
  });
  globalThis.packedTrunk = { ask };

  const mayRunWasm = () => {
    try {
      return !!new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    } catch {
      return false;
    }
  };

  if (!mayRunWasm()) return void chrome.runtime.sendMessage({ type: "no-wasm" });
  // The background puts the glue into this world and answers with the module's bytes.
  chrome.runtime
    .sendMessage({ type: "module" })
    .then((bytes) => bytes && globalThis.packedTrunkGlue({ module_or_path: bytes }))
    .then((ready) => ready && globalThis.packedTrunkGlue.guard())
    .catch(() => {});
})();
