/** What the centre tells of the places on the map. */

import { t } from "../../words";
import { askCentre } from "./office";
import type { Position } from "./wedges";

export type SiteState = "live" | "lost" | "unknown";
/** West, south, east, north. */
export type Box = [number, number, number, number];

export interface PlacedCamera {
  id: string;
  code: string;
  name: string;
  azimuth: number | null;
  view: number | null;
  /** As the centre heard last. */
  state: SiteState;
  watched: boolean;
}

export interface Place {
  id: string;
  name: string;
  code: string;
  unit: string;
  at: Position;
  cameras: PlacedCamera[];
}

export interface Bunch {
  at: Position;
  sites: number;
  cameras: number;
  lost: number;
  box: Box;
}

export interface UnitPlaced {
  id?: string;
  name: string;
  /** Where the sites are told one by one. */
  at?: Position;
  /** Where they are counted. */
  sites?: number;
  cameras?: number;
  lost?: number;
  box?: Box;
}

export interface Places {
  /** Null: too many, they are counted by unit and in bunches. */
  sites: Place[] | null;
  units: UnitPlaced[];
  bunches: Bunch[];
  /** Of everything there is; null when a part was asked for. */
  box: Box | null;
  more: boolean;
}

export interface FoundPlaces {
  sites: Place[];
  more: boolean;
}

export interface View {
  box: Box;
  /** Of the map; null: there is no drawing. */
  zoom: number | null;
}

/** The places in a part of the map; null: everywhere. */
export function placesIn(address: string, view: View | null): Promise<Places> {
  const query = new URLSearchParams();
  if (view) query.set("in", view.box.map((edge) => edge.toFixed(6)).join());
  if (view?.zoom != null) query.set("zoom", view.zoom.toFixed(2));
  return askCentre(`${address}?${query.toString()}`);
}

export function placesCalled(address: string, text: string): Promise<FoundPlaces> {
  return askCentre(`${address}?${new URLSearchParams({ q: text }).toString()}`);
}

export function camerasText(n: number): string {
  return n === 1 ? t("map.oneCamera") : t("map.cameras", { n });
}

export function sitesText(n: number): string {
  return n === 1 ? t("map.oneSite") : t("map.sites", { n });
}
