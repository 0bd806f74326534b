/** The page: an order becomes an id in the address, and what the address names is followed. */

import { Away, Refused, freshKey, get, outbox, pause, post } from "./client.js";
import { Follower } from "./follow.js";
import { OrderForm } from "./form.js";
import { Recent } from "./recent.js";
import { View } from "./view.js";
import { sentence } from "./words.js";

const GENERATIONS = "/v1/generations";
const RETRY_MS = 2000;

const $ = (id) => document.getElementById(id);

const names = new Map();
const view = new View((provider) => names.get(provider) || provider);
const recent = new Recent();
const form = new OrderForm((body) => order(() => outbox.send(GENERATIONS, body, () => form.waiting())));
let opened = { id: "", follower: null, status: "" };

/** Send an order, and open what it made; tell whether it was accepted. */
async function order(send) {
  try {
    const generation = await send();
    location.hash = generation.id;
    recent.refresh();
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    form.showProblem(error);
    return false;
  }
}

/** Follow what the address names. */
function openFromAddress() {
  const [, id = ""] = /^#(gen_[0-9a-z]{26})$/.exec(location.hash) || [];
  if (id === opened.id) return;
  opened.follower?.stop();
  opened = { id, follower: null, status: "" };
  view.clear();
  recent.mark(id);
  if (!id) return;
  opened.follower = new Follower(id, {
    onEvent: (event) => view.event(event),
    onConnected: (isConnected) => view.connected(isConnected),
    onMissing: () => view.missing(),
    onState: (generation) => {
      const isFirst = !opened.status;
      view.state(generation);
      if (!isFirst && opened.status !== generation.status) recent.refresh();
      opened.status = generation.status;
      if (isFirst) $("live").scrollIntoView({ block: "nearest" });
    },
  });
}

/** Let a button ask something of the open generation; once at a time. */
function act(button, path, body) {
  button.addEventListener("click", async () => {
    if (button.disabled) return;
    const { id, follower } = opened;
    button.disabled = true;
    $("action-error").textContent = "";
    try {
      await post(`${GENERATIONS}/${id}/${path}`, body, { key: freshKey(), onAway: () => view.connected(false) });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (opened.id === id) $("action-error").textContent = sentence(error.message);
    } finally {
      button.disabled = false;
    }
    follower?.wake();
    recent.refresh();
  });
}

async function offer() {
  for (;;) {
    try {
      const { data } = await get("/v1/providers");
      for (const provider of data) names.set(provider.id, provider.name);
      $("mode").hidden = !data.some(({ mode }) => mode === "sandbox");
      form.offer(data);
      return;
    } catch (error) {
      if (!(error instanceof Away)) throw error;
      await pause(RETRY_MS);
    }
  }
}

/** Go on with an order that a reload interrupted. */
async function resume() {
  if (!outbox.hasOrder()) return;
  form.lock(true);
  await order(() => outbox.resume(() => form.waiting()));
  form.lock(false);
}

act($("cancel"), "cancel", {});
act($("regenerate"), "regenerate", {});
addEventListener("hashchange", openFromAddress);
addEventListener("visibilitychange", () => document.hidden || recent.refresh());
offer();
openFromAddress();
recent.refresh();
resume();
