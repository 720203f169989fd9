/** What pages about people need of a script: the code of a link, passkeys, copying. */

import "./accounts.css";
import "./leaving";

/** A link's code stands behind the #, where servers and logs do not see it; the page's form sends it. */
const entry = document.querySelector<HTMLFormElement>("form[data-code-from-address]");
if (entry && location.hash.length > 1) {
  const field = entry.elements.namedItem("code") as HTMLInputElement;
  field.value = location.hash.slice(1);
  // Neither the history nor a copied address keeps it.
  history.replaceState(null, "", location.pathname);
  entry.requestSubmit();
}

function bytes(text: string): ArrayBuffer {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (one) => one.charCodeAt(0)).buffer;
}

function text(buffer: ArrayBuffer | null): string | null {
  if (buffer === null) return null;
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

interface Named {
  id: string;
  type: "public-key";
}
interface CreationJson {
  publicKey: Omit<PublicKeyCredentialCreationOptions, "challenge" | "user" | "excludeCredentials"> & {
    challenge: string;
    user: { id: string; name: string; displayName: string };
    excludeCredentials?: Named[];
  };
}
interface RequestJson {
  publicKey: Omit<PublicKeyCredentialRequestOptions, "challenge" | "allowCredentials"> & {
    challenge: string;
    allowCredentials?: Named[];
  };
}

const known = (list: Named[] = []) => list.map((one) => ({ ...one, id: bytes(one.id) }));

async function made(options: CreationJson, passwordless: boolean): Promise<object> {
  const wanted = options.publicKey;
  const credential = (await navigator.credentials.create({
    publicKey: {
      ...wanted,
      challenge: bytes(wanted.challenge),
      user: { ...wanted.user, id: bytes(wanted.user.id) },
      excludeCredentials: known(wanted.excludeCredentials),
      authenticatorSelection: {
        ...wanted.authenticatorSelection,
        residentKey: passwordless ? "required" : "discouraged",
        requireResidentKey: passwordless,
        ...(passwordless ? { userVerification: "required" as const } : {}),
      },
    },
  })) as PublicKeyCredential;
  const answer = credential.response as AuthenticatorAttestationResponse;
  return {
    ...plain(credential),
    response: {
      clientDataJSON: text(answer.clientDataJSON),
      attestationObject: text(answer.attestationObject),
      transports: answer.getTransports(),
    },
  };
}

async function shown(options: RequestJson): Promise<object> {
  const wanted = options.publicKey;
  const credential = (await navigator.credentials.get({
    publicKey: { ...wanted, challenge: bytes(wanted.challenge), allowCredentials: known(wanted.allowCredentials) },
  })) as PublicKeyCredential;
  const answer = credential.response as AuthenticatorAssertionResponse;
  return {
    ...plain(credential),
    response: {
      clientDataJSON: text(answer.clientDataJSON),
      authenticatorData: text(answer.authenticatorData),
      signature: text(answer.signature),
      userHandle: text(answer.userHandle),
    },
  };
}

function plain(credential: PublicKeyCredential): object {
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

/** Browsers have passkeys on pages with a name and TLS alone; elsewhere what asks for one is not offered. */
const passkeys = "PublicKeyCredential" in window && !/^[\d.]+$|^\[/.test(location.hostname);
if (!passkeys) {
  for (const one of document.querySelectorAll<HTMLElement>("[data-needs-passkeys]")) one.hidden = true;
  for (const one of document.querySelectorAll<HTMLElement>("[data-no-passkeys]")) one.hidden = false;
}

/** No answer of the centre's, or one that there is nothing to be had now. */
class CentreAway extends Error {}

/** Why a browser gives no passkey (WebAuthn level 3 §5.1.3, §5.1.4), by what the page has a text for. */
const REASONS: Readonly<Record<string, string>> = {
  InvalidStateError: "known",
  NotSupportedError: "unable",
  ConstraintError: "unable",
  SecurityError: "address",
};

/** Browsers do not tell apart who cancels, who lets the time run out and who has none (NotAllowedError): no page is to know. */
function reasonOf(failure: unknown): string {
  if (failure instanceof CentreAway) return "away";
  return failure instanceof DOMException ? (REASONS[failure.name] ?? "refused") : "refused";
}

/** Puts a text of the form's own where it is read out, or takes away what stood there. */
function say(form: HTMLFormElement, where: "waiting" | "failed", which: string | null): void {
  const place = form.querySelector<HTMLElement>(`[data-passkey-${where}]`);
  if (!place) return;
  const texts = form.querySelectorAll<HTMLTemplateElement>("template[data-passkey-text]");
  const text = [...texts].find((one) => one.dataset.passkeyText === which)?.content.textContent ?? "";
  place.textContent = text.trim();
  place.hidden = !text;
}

/** Forms with `data-passkey` (`create`, `get`, `sign-in`) ask the device first, and send what it answers. */
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-passkey]")) {
  let asking = false;
  form.addEventListener("submit", (event) => {
    const field = form.elements.namedItem("credential") as HTMLInputElement;
    if (field.value) return;
    event.preventDefault();
    // Browsers refuse a second question while the first stands.
    if (asking) return;
    asking = true;
    say(form, "failed", null);
    say(form, "waiting", "waiting");
    answer(form)
      .then((credential) => {
        field.value = JSON.stringify(credential);
        form.submit();
      })
      .catch((failure: unknown) => {
        asking = false;
        say(form, "waiting", null);
        say(form, "failed", reasonOf(failure));
        // The browser's own window has had the focus; from here one tries again.
        form.querySelector("button")?.focus();
      });
  });
}

async function answer(form: HTMLFormElement): Promise<object> {
  if (form.dataset.passkey === "sign-in") {
    return shown((await asked(form.action)).request_options);
  }
  const data = JSON.parse(document.getElementById("passkey-data")?.textContent ?? "{}") as {
    creation_options: CreationJson;
    request_options: RequestJson;
  };
  if (form.dataset.passkey === "get") return shown(data.request_options);
  const alone = form.elements.namedItem("passwordless") as HTMLInputElement | null;
  return made(data.creation_options, alone?.checked ?? false);
}

async function asked(address: string): Promise<{ request_options: RequestJson }> {
  try {
    const told = await fetch(address, { headers: { Accept: "application/json" } });
    if (told.ok) return (await told.json()) as { request_options: RequestJson };
  } catch {
    // Told below.
  }
  throw new CentreAway();
}

/** Buttons that copy the text of another element. */
for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copies]")) {
  button.addEventListener("click", () => {
    const source = document.getElementById(button.dataset.copies ?? "");
    if (!source) return;
    if (!window.isSecureContext) {
      // Without TLS browsers have no clipboard: the text is marked, to be copied by hand.
      if (source instanceof HTMLInputElement) source.select();
      else getSelection()?.selectAllChildren(source);
      button.textContent = button.dataset.marked ?? button.textContent;
      return;
    }
    void navigator.clipboard.writeText(source instanceof HTMLInputElement ? source.value : source.textContent.trim()).then(() => {
      button.textContent = button.dataset.copied ?? button.textContent;
    });
  });
}
