/** What every element has that shows pictures of a page of the centre by itself. */

import { LitElement } from "lit";
import { Street } from "../../street";
import { LanguageController } from "../../words";
import { Keeper } from "./keeper";
import { readStart } from "./office";

export class StreetElement extends LitElement {
  protected readonly start = readStart();
  protected readonly street = new Street(this.start.viewer);
  protected readonly keeper = new Keeper(this.start, this.street);

  constructor() {
    super();
    new LanguageController(this);
    this.street.addEventListener("cameras", () => this.requestUpdate());
  }
}
