/** Proofs that this browser holds its key: a signed word for one request and one grant (DPoP, RFC 9449 §4). */

const text = new TextEncoder();

function base64url(data: ArrayBuffer | Uint8Array): string {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function part(value: unknown): string {
  return base64url(text.encode(JSON.stringify(value)));
}

/** `nonce`: the number that the node has just given; empty before it gave one. */
export async function proofFor(key: CryptoKeyPair, url: string, grant: string, nonce: string): Promise<string> {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", key.publicKey);
  const header = { typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } };
  const claims = {
    jti: base64url(crypto.getRandomValues(new Uint8Array(16))),
    htm: "POST",
    htu: url,
    iat: Math.floor(Date.now() / 1000),
    ath: base64url(await crypto.subtle.digest("SHA-256", text.encode(grant))),
    ...(nonce ? { nonce } : {}),
  };
  const signed = `${part(header)}.${part(claims)}`;
  // WebCrypto's form of the signature is that of JWS (RFC 7518 §3.4).
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, text.encode(signed));
  return `${signed}.${base64url(signature)}`;
}

export function askNode(url: string, grant: string, proof: string): Promise<Response> {
  const headers = { Authorization: `DPoP ${grant}`, DPoP: proof };
  return fetch(url, { method: "POST", credentials: "omit", cache: "no-store", headers });
}
