/**
 * The service over HTTP. A POST carries an Idempotency-Key and is repeated with the same key until it is answered,
 * so that a lost reply, a restart of the service or a reload of the page never orders twice.
 */

const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 5000;
const AWAY = new Set([502, 503, 504]);

/** The service said no; `errors` name the fields. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `The service answered ${status}.`);
    this.status = status;
    this.code = problem.code || "";
    this.errors = problem.errors || [];
  }
}

/** The service cannot be reached, or not all of it. */
export class Away extends Error {}

export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Return 128 random bits as text; `crypto.randomUUID` exists on https and localhost only. */
export function freshKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function ask(path, options) {
  let answer;
  let body;
  try {
    answer = await fetch(path, { cache: "no-store", ...options });
    if (AWAY.has(answer.status)) throw new Away();
    body = await answer.text();
  } catch {
    throw new Away();
  }
  let json = {};
  try {
    json = JSON.parse(body);
  } catch {
    if (answer.ok) throw new Away(); // cut short, or somebody else answered
  }
  if (!answer.ok) throw new Refused(answer.status, json);
  return json;
}

/** GET once. Throws `Refused` or `Away`. */
export function get(path) {
  return ask(path, { headers: { Accept: "application/json" } });
}

/**
 * POST until it is answered. Throws `Refused`.
 *
 * @param onAway called before each repetition
 */
export async function post(path, body, { key = freshKey(), onAway = () => {} } = {}) {
  const options = {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": key },
    body: JSON.stringify(body),
  };
  for (let wait = RETRY_FIRST_MS; ; wait = Math.min(wait * 2, RETRY_MOST_MS)) {
    try {
      return await ask(path, options);
    } catch (error) {
      if (!(error instanceof Away)) throw error;
      onAway();
      await pause(wait);
    }
  }
}

/** The one order that is under way; it outlives a reload of the page. */
export const outbox = {
  NAME: "videoplanet.order",

  /** Remember an order, send it, forget it when it is answered. */
  async send(path, body, onAway) {
    const order = { path, body, key: freshKey() };
    remember(order);
    return deliver(order, onAway);
  },

  hasOrder() {
    return recall() !== null;
  },

  /** Send again what a reload interrupted. */
  async resume(onAway) {
    return deliver(recall(), onAway);
  },
};

async function deliver(order, onAway) {
  try {
    return await post(order.path, order.body, { key: order.key, onAway });
  } finally {
    remember(null); // reached only when it was answered
  }
}

function remember(order) {
  try {
    if (order) sessionStorage.setItem(outbox.NAME, JSON.stringify(order));
    else sessionStorage.removeItem(outbox.NAME);
  } catch {
    // Storage is switched off: then only a reload in the middle of sending forgets the order.
  }
}

function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(outbox.NAME));
  } catch {
    return null;
  }
}
