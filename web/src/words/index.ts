/** Looks words up in the chosen language and tells components when it changes. */

import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Problem } from "../net/problem";
import { en } from "./en";
import { vi, type Word } from "./vi";

export type { Word } from "./vi";
export type Language = "vi" | "en";

const STORED = "xomyen.language";
const LISTS: Record<Language, Readonly<Record<Word, string>>> = { vi, en };
const changes = new EventTarget();

function stored(): Language {
  try {
    return localStorage.getItem(STORED) === "en" ? "en" : "vi";
  } catch {
    return "vi"; // storage is switched off in this browser
  }
}

/** On a centre's page its server has chosen; a node's page remembers. */
function chosen(): Language {
  const told = typeof document === "undefined" ? undefined : document.documentElement.dataset.language;
  return told === "vi" || told === "en" ? told : stored();
}

let current: Language = typeof localStorage === "undefined" ? "vi" : chosen();

export function language(): Language {
  return current;
}

export function setLanguage(next: Language): void {
  current = next;
  document.documentElement.lang = next;
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // Not remembered, but switched.
  }
  changes.dispatchEvent(new Event("change"));
}

export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : String(value);
  });
}

export function t(word: Word, values: Readonly<Record<string, string | number>> = {}): string {
  return fill(LISTS[current][word], values);
}

/** What to tell a person about a refusal, and what to do. */
export function problemText(problem: Problem): string {
  const word = `error.${problem.code}`;
  if (word in vi) return t(word as Word);
  if (problem.status === 403) return t("error.forbidden");
  if (problem.status === 503) return t("error.not_running");
  return t("error.other", { code: problem.code });
}

/** Redraws its host when the language changes. */
export class LanguageController implements ReactiveController {
  constructor(private readonly host: ReactiveControllerHost) {
    host.addController(this);
  }

  hostConnected(): void {
    changes.addEventListener("change", this.onChange);
  }

  hostDisconnected(): void {
    changes.removeEventListener("change", this.onChange);
  }

  private readonly onChange = (): void => this.host.requestUpdate();
}
