/** Small choices of this browser's user. Losing them is no harm. */

export function remembered<T, F = T>(key: string, fallback: F, valid: (value: unknown) => value is T): T | F {
  try {
    const text = localStorage.getItem(`xomyen.${key}`);
    const value: unknown = text === null ? null : JSON.parse(text);
    return valid(value) ? value : fallback;
  } catch {
    return fallback;
  }
}

export function remember(key: string, value: unknown): void {
  try {
    localStorage.setItem(`xomyen.${key}`, JSON.stringify(value));
  } catch {
    // Storage is full or switched off: the choice lasts until the page is left.
  }
}
