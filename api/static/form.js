/** The order form: choices from what the service offers, problems beside the field they name. */

import { Refused, pause } from "./client.js";
import { PictureField } from "./picture.js";
import { priceWords, sentence, shapeWords } from "./words.js";

const PROMPT_MAX = 1000;
const DOUBLE_CLICK_MS = 800; // the second click of a double click is no second order
const TEXT = "text_to_video";
const IMAGE = "image_to_video";

const $ = (id) => document.getElementById(id);

export class OrderForm {
  #isSandbox = false;
  #offers = []; // {provider, model, needsImage, ability}: one for each mode of each model
  #isSending = false;
  #picture;

  /** @param onOrder called with the body of an order, tells whether it was accepted; the form is locked meanwhile */
  constructor(onOrder) {
    $("order").addEventListener("submit", async (event) => {
      event.preventDefault();
      if (this.#isSending) return;
      this.lock(true);
      this.showProblem(null);
      try {
        if (await onOrder(await this.#body())) await pause(DOUBLE_CLICK_MS);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        this.showProblem(error);
      } finally {
        this.lock(false);
      }
    });
    $("prompt").addEventListener("input", () => this.#count());
    $("prompt").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("order").requestSubmit();
    });
    $("model").addEventListener("change", () => this.#offerChoices());
    $("shape").addEventListener("change", () => this.#offerResolutions());
    for (const id of ["duration", "resolution"]) $(id).addEventListener("change", () => this.#showPrice());
    this.#picture = new PictureField(() => this.#offerChoices());
    this.#count();
  }

  /** Fill the choices from `GET /v1/providers`. */
  offer(providers) {
    this.#isSandbox = providers.some(({ mode }) => mode === "sandbox");
    this.#offers = providers
      .filter(({ retired }) => !retired)
      .flatMap((provider) => provider.models.flatMap((model) => model.modes.map((ability) => offerOf(provider, model, ability))));
    const groups = providers.map((provider) => {
      const group = document.createElement("optgroup");
      group.label = provider.retired ? `${provider.name} (retired since ${provider.retired.on})` : provider.name;
      group.disabled = Boolean(provider.retired);
      group.append(...provider.models.map((model) => modelOption(provider, model)));
      return group;
    });
    const before = $("model").value;
    $("model").replaceChildren(new Option("Automatic", ""), ...groups);
    $("model").value = before;
    this.#offerChoices();
  }

  /** Mark the form as busy: a second click changes nothing. */
  lock(isSending) {
    this.#isSending = isSending;
    $("make").setAttribute("aria-disabled", String(isSending));
    $("make").textContent = isSending ? "Sending…" : "Make the video";
    if (!isSending) $("order-note").textContent = "";
  }

  /** Say that the order waits for the service. */
  waiting() {
    $("order-note").textContent =
      "The service does not answer. Your order is kept and sent again until it does; it is never ordered twice.";
  }

  /** Show a refusal beside the fields it names, the rest below the button; null clears. */
  showProblem(refused) {
    const rest = refused && !refused.errors.length ? [sentence(refused.message)] : [];
    const byField = new Map();
    for (const error of refused?.errors || []) {
      const field = fieldOf(error.pointer);
      const words = sentence(error.message) + servedBy(error);
      if (field) byField.set(field, [...(byField.get(field) || []), words]);
      else rest.push(`${error.pointer}: ${words}`);
    }
    for (const field of document.querySelectorAll("#order .field")) {
      const control = field.querySelector("textarea, select, input");
      const words = byField.get(field);
      field.querySelector(".field-error").textContent = words ? words.join(" ") : "";
      if (words) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
    $("order-error").textContent = rest.join(" ");
    document.querySelector("#order [aria-invalid]")?.focus();
  }

  async #body() {
    const [provider, model] = $("model").value.split("/");
    const params = {};
    const image = await this.#picture.id();
    if (image) params.image_id = image;
    if ($("duration").value) params.duration_seconds = Number($("duration").value);
    if ($("shape").value) params.aspect_ratio = $("shape").value;
    if ($("resolution").value) params.resolution = $("resolution").value;
    return { prompt: $("prompt").value, params, ...(model ? { provider, model } : {}) };
  }

  #count() {
    const count = [...$("prompt").value].length; // code points, as the service counts
    $("prompt-count").textContent = `${count} / ${PROMPT_MAX}`;
    $("prompt-count").classList.toggle("over", count > PROMPT_MAX);
  }

  /** What the chosen model, or any, can do with what there is: a picture, or text alone. */
  #chosen() {
    const chosen = $("model").value;
    const wanted = this.#picture?.isChosen ? IMAGE : TEXT;
    return this.#offers.filter(({ provider, model, needsImage, ability }) =>
      chosen
        ? `${provider}/${model}` === chosen && (ability.mode === wanted || needsImage)
        : ability.mode === wanted,
    );
  }

  #offerChoices() {
    const chosen = this.#chosen();
    const abilities = chosen.map(({ ability }) => ability);
    if (!abilities.length) return;
    const isMissing = chosen.every(({ needsImage }) => needsImage) && !this.#picture.isChosen;
    $("model-note").textContent = isMissing ? "This model needs a picture to begin with." : "";
    $("prompt-note").textContent = abilities.some(({ uses_prompt }) => uses_prompt)
      ? ""
      : "This model looks at the picture only; the prompt is kept, but not sent.";
    const durations = [...new Set(abilities.flatMap((ability) => ability.duration_seconds))].sort((a, b) => a - b);
    const seconds = durations.map((duration) => new Option(`${duration} seconds`, String(duration)));
    refill($("duration"), seconds, String(abilities[0].default_duration_seconds));
    const ratios = [...new Set(sizesOf(abilities).map((size) => size.aspect_ratio))];
    const shapes = ratios.map((ratio) => new Option(shapeWords(ratio), ratio));
    if (this.#picture.isChosen) refill($("shape"), [new Option("As the picture", ""), ...shapes], "", true);
    else refill($("shape"), shapes, ratios[0]);
    this.#offerResolutions();
  }

  #offerResolutions() {
    const sizes = this.#sizes();
    const names = [...new Set(sizes.map(({ resolution }) => resolution).filter(Boolean))];
    names.sort((a, b) => a.length - b.length || a.localeCompare(b));
    const ofChoice = new Option("The model's choice", "");
    refill($("resolution"), [ofChoice, ...names.map((name) => new Option(name, name))], "");
    this.#showPrice();
  }

  #sizes() {
    const shape = $("shape").value;
    return sizesOf(this.#chosen().map(({ ability }) => ability)).filter(
      (size) => !shape || size.aspect_ratio === shape,
    );
  }

  #showPrice() {
    const seconds = Number($("duration").value);
    const [shape, resolution] = [$("shape").value, $("resolution").value];
    const fits = (size) =>
      (!shape || size.aspect_ratio === shape) && (!resolution || size.resolution === resolution);
    const able = this.#chosen()
      .map(({ ability }) => ability)
      .find((ability) => ability.duration_seconds.includes(seconds) && ability.sizes.some(fits));
    const about = able ? priceWords(able, seconds, able.sizes.find(fits)) : "No model offers this length and size together.";
    $("price").textContent = able && this.#isSandbox ? `${about}, in sandbox money` : about;
  }
}

function offerOf(provider, model, ability) {
  return { provider: provider.id, model: model.id, needsImage: model.needs_image, ability };
}

function modelOption(provider, model) {
  return new Option(model.needs_image ? `${model.id} (needs a picture)` : model.id, `${provider.id}/${model.id}`);
}

function sizesOf(abilities) {
  return abilities.flatMap((ability) => ability.sizes);
}

/** Replace the options; keep what was chosen where it still exists. */
function refill(select, options, preferred, isNew = false) {
  const known = [...select.options].map((option) => option.value);
  const before = isNew && !known.includes(preferred) ? preferred : select.value;
  select.replaceChildren(...options);
  const values = options.map((option) => option.value);
  select.value = values.includes(before) ? before : preferred;
}

function servedBy({ served_by: providers }) {
  return providers?.length ? ` Served by ${providers.join(", ")}.` : "";
}

function fieldOf(pointer) {
  return [...document.querySelectorAll("#order .field")].find((field) =>
    field.dataset.pointers.split(" ").includes(pointer),
  );
}
