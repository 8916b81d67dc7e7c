// Where the page's own policy forbids wasm (Chrome, Mastodon up to 3.5, some proxies): a short notice in the guard's
// place that leads to the desk, which makes the same checks through the agent.

(() => {
  const place = document.querySelector(".admin-wrapper .content-wrapper > .content, .form-container");
  if (!place || document.getElementById("packed-trunk")) return;
  const say = (key) => chrome.i18n.getMessage(key);
  const make = (name, style, text) => {
    const element = document.createElement(name);
    element.style.cssText = style;
    if (text) element.textContent = text;
    return element;
  };

  const host = make("div", "");
  host.id = "packed-trunk";
  // The same names as the guard's, `src/server/page/mod.rs`.
  const name = location.pathname.replace(/^\/settings\/|\/(new|\d+)?$/g, "");
  host.dataset.page =
    { "migration/redirect": "redirect", import: "imports", "/auth/edit": "account", "/auth": "account", "/auth/setup": "setup" }[name] ?? name;
  const box = make("section", "border:1px solid;border-radius:4px;padding:12px 15px;margin:0 0 20px;line-height:1.5");
  box.setAttribute("aria-label", say("name"));
  const button = make("button", "font:inherit;padding:8px 14px;cursor:pointer", say("action_open_desk"));
  button.type = "button";
  button.dataset.action = "open-desk";
  button.addEventListener("click", (event) => {
    if (event.isTrusted) chrome.runtime.sendMessage({ type: "open-desk" });
  });
  box.append(make("p", "margin:0 0 10px", say("notice_no_wasm")), button);
  host.attachShadow({ mode: "closed" }).append(box);
  host.dataset.ready = "";

  const heading = place.querySelector(":scope > .content__heading, :scope > .content-heading");
  heading ? heading.after(host) : place.prepend(host);
})();
