/**
 * The service over HTTP. A POST carries an Idempotency-Key and is repeated with the same key until it is answered,
 * so that a lost reply, a restart of the service or a reload of the page never orders twice. An upload and a DELETE
 * are repeated too: the same picture is the same picture, and what is gone stays gone.
 */

const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 5000;
const NO_CONTENT = 204;
const NOT_LOGGED_IN = 401;
const NOT_FOUND = 404;

/** Told to the window when the service does not know who asks (any more). */
export const LOGGED_OUT = "videoplanet-logged-out";
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
    if (answer.status === NO_CONTENT) return {};
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
  if (answer.status === NOT_LOGGED_IN) dispatchEvent(new Event(LOGGED_OUT));
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
export function post(path, body, { key = freshKey(), onAway = () => {} } = {}) {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  return untilAnswered(path, { method: "POST", headers, body: JSON.stringify(body) }, onAway);
}

/** Upload a file. Throws `Refused`. */
export function upload(path, file, onAway = () => {}) {
  const body = new FormData();
  body.append("file", file);
  return untilAnswered(path, { method: "POST", body }, onAway);
}

/** DELETE until it is gone. Throws `Refused`. */
export async function remove(path, onAway = () => {}) {
  let isRepeated = false;
  try {
    return await untilAnswered(path, { method: "DELETE" }, () => {
      isRepeated = true;
      onAway();
    });
  } catch (error) {
    if (isRepeated && error.status === NOT_FOUND) return {}; // the answer to an earlier request was lost
    throw error;
  }
}

async function untilAnswered(path, options, onAway) {
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
