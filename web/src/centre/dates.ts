/**
 * Says beside each field of a date which day it is, as people there write it: browsers show dates in the order of their own
 * language, so that 08/09 may be either.
 */

const FIELDS = 'input[type="date"], input[type="datetime-local"]';
/** Somebody is still typing the year. */
const FIRST_YEAR = 1900;
let made = 0;

const english = document.documentElement.lang === "en";
const weekday = new Intl.DateTimeFormat(english ? "en" : "vi", { weekday: "long", timeZone: "UTC" });
const month = new Intl.DateTimeFormat("en-US", { month: "short", timeZone: "UTC" });

/** Sunday, 22 Nov 2026; Chủ Nhật, 22/11/2026: as everywhere on these pages (formats/). */
function dayText(value: string): string {
  const [date = "", time = ""] = value.split("T");
  const [year = "", numbered = "", day = ""] = date.split("-");
  const ms = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(ms) || Number(year) < FIRST_YEAR) return "";
  const written = english ? `${Number(day)} ${month.format(ms)} ${year}` : `${day}/${numbered}/${year}`;
  return `${weekday.format(ms)}, ${written} ${time}`.trim();
}

/** Where the day is said, made when it is needed. A label around the field is not to be called by it as well. */
function placeOf(field: HTMLInputElement): HTMLElement {
  const known = document.getElementById(field.dataset.saidIn ?? "");
  if (known) return known;
  const place = document.createElement("span");
  made += 1;
  place.id = `day-${made}`;
  place.className = "form-hint day-said";
  field.dataset.saidIn = place.id;
  const described = field.getAttribute("aria-describedby");
  field.setAttribute("aria-describedby", described ? `${described} ${place.id}` : place.id);
  if (field.closest("label")) place.ariaHidden = "true";
  field.after(place);
  return place;
}

function say(field: HTMLInputElement): void {
  const text = dayText(field.value);
  if (!text && field.dataset.saidIn === undefined) return;
  const place = placeOf(field);
  if (place.textContent !== text) place.textContent = text;
}

function sayAll(within: ParentNode): void {
  for (const field of within.querySelectorAll<HTMLInputElement>(FIELDS)) say(field);
}

sayAll(document);
document.addEventListener("input", (event) => {
  if (event.target instanceof HTMLInputElement && event.target.matches(FIELDS)) say(event.target);
});
document.addEventListener("htmx:load", (event) => sayAll(event.target as Element));
