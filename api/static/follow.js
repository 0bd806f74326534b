/**
 * Follows one generation: its events, each once and in order, and its state, never older than the last.
 *
 * The browser resumes a broken stream by itself (Last-Event-ID) unless the answer is an error; then we do.
 */

import { Refused, get, pause } from "./client.js";

const TYPES = [
  "generation.accepted", "take.started", "attempt.queued", "attempt.submitting", "attempt.accepted",
  "attempt.provider_queued", "attempt.generating", "attempt.progress", "attempt.failed", "attempt.unknown",
  "attempt.found", "recovery.decided", "take.storing", "take.completed", "take.superseded", "take.kept",
  "cancel.requested", "cancel.outcome", "cost.changed", "generation.completed", "generation.failed",
  "generation.cancelled", "generation.late_success", "generation.deleted", "feedback.added", "user.notice",
];
const TERMINAL = new Set(["completed", "failed", "cancelled"]);
const AGAIN_MS = 1000;
const NOTICE_AFTER_MS = 1500;
const WAITS = new Set(["queued", "waiting_retry"]); // places and times change without an event
const LOOK_WHILE_WAITING_MS = 2000;

export function isOver(generation) {
  return TERMINAL.has(generation.status);
}

export class Follower {
  #path;
  #hooks;
  #source = null;
  #seen = 0;
  #latest = null;
  #looking = false;
  #lookAgain = false;
  #noticeTimer = 0;
  #waitTimer = 0;
  #stopped = false;

  /** @param hooks onEvent(event), onState(generation), onConnected(boolean), onMissing() */
  constructor(id, hooks) {
    this.#path = `/v1/generations/${id}`;
    this.#hooks = hooks;
    this.wake();
  }

  /** Look now, and listen (again): something was asked of the generation. */
  wake() {
    this.#look();
    if (!this.#source) this.#listen();
  }

  stop() {
    this.#stopped = true;
    this.#hush();
    clearTimeout(this.#noticeTimer);
    clearTimeout(this.#waitTimer);
  }

  #listen() {
    if (this.#stopped || this.#source) return;
    const source = new EventSource(`${this.#path}/events?after=${this.#seen}`);
    this.#source = source;
    source.onopen = () => this.#connected(true);
    source.onerror = () => this.#broke(source);
    for (const type of TYPES) source.addEventListener(type, (message) => this.#hear(message));
  }

  #hear(message) {
    const event = JSON.parse(message.data);
    if (event.seq <= this.#seen) return;
    this.#seen = event.seq;
    this.#hooks.onEvent(event);
    if (event.type === "generation.deleted") this.#lose();
    else this.#look();
  }

  #lose() {
    this.stop();
    this.#hooks.onMissing();
  }

  /** The stream ended: for good (after the last event), or for a reason that passes. */
  async #broke(source) {
    if (this.#isDone()) {
      this.#hush();
      this.#connected(true);
      return;
    }
    this.#connected(false);
    if (source.readyState !== EventSource.CLOSED) return; // the browser reconnects
    this.#hush();
    this.#look();
    await pause(AGAIN_MS);
    if (!this.#isDone()) this.#listen();
  }

  #isDone() {
    return this.#latest !== null && isOver(this.#latest) && this.#seen >= this.#latest.last_seq;
  }

  #hush() {
    this.#source?.close();
    this.#source = null;
  }

  /** Fetch the state; one request at a time, and once more if there was news meanwhile. */
  async #look() {
    this.#lookAgain = true;
    if (this.#looking) return;
    this.#looking = true;
    while (this.#lookAgain && !this.#stopped) {
      this.#lookAgain = false;
      try {
        const generation = await get(this.#path);
        if (this.#stopped) return;
        this.#latest = generation;
        this.#hooks.onState(generation);
        clearTimeout(this.#waitTimer);
        if (WAITS.has(generation.stage)) this.#waitTimer = setTimeout(() => this.#look(), LOOK_WHILE_WAITING_MS);
        if (this.#isDone()) {
          this.#hush();
          this.#connected(true);
        }
      } catch (error) {
        if (this.#stopped) return;
        if (error instanceof Refused && error.status === 404) {
          this.#lose();
          return;
        }
        this.#connected(false);
        this.#lookAgain = true;
        await pause(AGAIN_MS);
      }
    }
    this.#looking = false;
  }

  /** Say so only if it lasts: each stream ends once in a while. */
  #connected(isConnected) {
    if (isConnected) {
      clearTimeout(this.#noticeTimer);
      this.#noticeTimer = 0;
      this.#hooks.onConnected(true);
    } else if (!this.#noticeTimer) {
      this.#noticeTimer = setTimeout(() => this.#hooks.onConnected(false), NOTICE_AFTER_MS);
    }
  }
}
