// What Mastodon's own scripts do on these pages: links with a method, the menu of small screens, the page that waits for a confirmation.
"use strict";

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-method]") : null;
  if (!link) return;
  event.preventDefault();
  const param = document.querySelector('meta[name="csrf-param"]')?.content;
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  const form = document.createElement("form");
  form.method = "post";
  form.action = link.href;
  form.hidden = true;
  const add = (name, value) => {
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = name;
    input.value = value;
    form.append(input);
  };
  add("_method", link.dataset.method);
  if (param && token) add(param, token);
  document.body.append(form);
  form.submit();
});

for (const toggle of document.querySelectorAll(".sidebar__toggle__icon")) {
  toggle.addEventListener("click", (event) => {
    event.preventDefault();
    const open = toggle.closest(".sidebar").classList.toggle("sidebar--open");
    toggle.setAttribute("aria-expanded", String(open));
  });
}

for (const button of document.querySelectorAll(".timer-button")) {
  setTimeout(() => { button.disabled = false; }, 30_000);
}

const waiting = document.querySelector("[data-confirmation-poll]");
if (waiting) {
  setInterval(async () => {
    const reply = await fetch("/api/v1/emails/check_confirmation");
    if (reply.ok && (await reply.json()) === true) location.href = "/start";
  }, 1000 * Number(waiting.dataset.confirmationPoll));
}
