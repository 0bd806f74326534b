/** The picture that a video begins with: chosen, shown, uploaded at once, and known by its id from then on. */

import { Refused, upload } from "./client.js";
import { sentence } from "./words.js";

const IMAGES = "/v1/images";

const $ = (id) => document.getElementById(id);

export class PictureField {
  #onChange;
  #uploading = null; // resolves to the id, rejects where it was refused
  #preview = "";

  /** @param onChange called when there is a picture, and when there is none any more */
  constructor(onChange) {
    this.#onChange = onChange;
    $("picture").addEventListener("change", () => this.#choose($("picture").files[0] || null));
    $("picture-remove").addEventListener("click", () => {
      $("picture").value = "";
      this.#choose(null);
      $("picture").focus();
    });
    this.#choose($("picture").files[0] || null); // browsers keep the choice over a reload
  }

  get isChosen() {
    return this.#uploading !== null;
  }

  /** Return the id of the picture when it is uploaded; null without one. Throws `Refused`. */
  async id() {
    return this.#uploading;
  }

  #choose(file) {
    URL.revokeObjectURL(this.#preview);
    this.#preview = file ? URL.createObjectURL(file) : "";
    $("picture-error").textContent = "";
    $("picture").removeAttribute("aria-invalid");
    $("picture-shown").hidden = !file;
    this.#uploading = null;
    if (file) {
      $("picture-preview").src = this.#preview;
      this.#send(file);
    } else {
      $("picture-preview").removeAttribute("src");
    }
    this.#onChange();
  }

  #send(file) {
    const facts = $("picture-facts");
    facts.textContent = "Uploading…";
    const uploading = upload(IMAGES, file, () => {
      if (this.#uploading === uploading) facts.textContent = "The service does not answer; trying again…";
    }).then(
      (image) => {
        if (this.#uploading === uploading) facts.textContent = `${image.width}×${image.height}, uploaded`;
        return image.id;
      },
      (error) => {
        if (!(error instanceof Refused)) throw error;
        if (this.#uploading === uploading) this.#refused(error);
        throw error;
      },
    );
    uploading.catch(() => {}); // whoever orders with it hears of it
    this.#uploading = uploading;
  }

  #refused(error) {
    $("picture-facts").textContent = "Not uploaded";
    $("picture-error").textContent = sentence(error.errors[0]?.message || error.message);
    $("picture").setAttribute("aria-invalid", "true");
  }
}
