/** Every page of the centre: how it looks, and htmx. */

import "@fontsource/be-vietnam-pro/400.css";
import "@fontsource/be-vietnam-pro/500.css";
import "@fontsource/be-vietnam-pro/600.css";
import "@tabler/core/dist/css/tabler.min.css";
import htmx from "htmx.org";
import "./office.css";
import "./cameras.css";
import "./organisation.css";
import "./audit.css";
import "./accounts";
import "./dates";
import "./keep-away";
import "./organisation";

// The content security policy allows no inline styles and no code made of text.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.allowScriptTags = false;
htmx.config.selfRequestsOnly = true;

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
  (event as CustomEvent<{ headers: Record<string, string> }>).detail.headers["X-CSRFToken"] = token;
});

/** A way round that opens on a phone; works without a script library. */
for (const button of document.querySelectorAll<HTMLButtonElement>("[data-opens]")) {
  button.addEventListener("click", () => {
    const target = document.getElementById(button.dataset.opens ?? "");
    const open = target?.classList.toggle("show") ?? false;
    button.setAttribute("aria-expanded", String(open));
  });
}

/** A form that came back begins at what is wrong with it: on a phone that may be far below. */
document.querySelector<HTMLElement>('main form [aria-invalid="true"]')?.focus();

/** Menus, and what asks once more before something that cannot be undone. */
const OPENED = "details.org-menu[open], details.sure[open]";

/** The key that closes closes what is open, and leaves one where it was opened. */
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-opens][aria-expanded="true"]')) {
    button.click();
    button.focus();
  }
  for (const menu of document.querySelectorAll<HTMLDetailsElement>(OPENED)) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>(OPENED)) {
    if (!menu.contains(event.target as Node)) menu.open = false;
  }
});

/** Forms that take effect at once, such as the choice of language. */
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-at-once]")) {
  form.addEventListener("change", (event) => {
    // A field that only helps to choose belongs to no form.
    if ((event.target as HTMLInputElement).form === form) form.requestSubmit();
  });
}
