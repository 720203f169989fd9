/** A refusal of the node (RFC 9457), or of the network on the way to it. */

export class Problem extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly detail: string,
    readonly body: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail || code);
  }

  /** May be over in a moment: the network, or a node that starts or is busy. */
  get passing(): boolean {
    return this.code === "unreachable" || this.status === 503;
  }

  /** The page must ask the user to sign in again. */
  get signedOut(): boolean {
    return this.status === 401;
  }
}

/** Reads a failed answer. A body that is not a problem document still gives a usable one. */
export async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text().catch(() => "");
  let body: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) body = parsed as Record<string, unknown>;
  } catch {
    // Not JSON: a proxy's page, or nothing at all. The status alone speaks.
  }
  const code = typeof body.code === "string" ? body.code : `http_${response.status}`;
  const detail = typeof body.detail === "string" ? body.detail : "";
  return new Problem(code, response.status, detail, body);
}

/** What to show when `reason` is whatever a promise was rejected with. */
export function asProblem(reason: unknown): Problem {
  if (reason instanceof Problem) return reason;
  return new Problem("unreachable", 0, reason instanceof Error ? reason.message : "");
}

/** True for a request that was given up because something newer was asked for. */
export function isAbort(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === "AbortError";
}
