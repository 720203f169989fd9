/** The cameras of several nodes as one: each node is reached through the door that its tickets open. */

import { House, inOrder, type Watched } from "./house";
import type { Problem } from "./net/problem";
import type { Alarm, Camera } from "./net/types";

/** One set of limits at one node. */
export interface Room {
  key: string;
  cameras: readonly string[];
  house: House;
  /** The same cameras as the centre knows them, for as long as their node does not answer. */
  named: readonly Named[];
}

export interface Named {
  id: string;
  name: string;
  site: string;
  order: number;
}

/** What is known of a camera whose node says nothing. */
function unheard(named: Named, since: number): Camera {
  const main: Camera["streams"]["main"] = {
    state: "connecting",
    since: new Date(since).toISOString(),
    reason: null,
    detail: "",
    codec: null,
    codec_string: "",
    width: 0,
    height: 0,
    recorded: true,
  };
  return { ...named, enabled: true, streams: { main } };
}

/** Events: `cameras` (list, states or alarms changed), `session` (a node wants another ticket). */
export class Street extends EventTarget implements Watched {
  readonly own = false;
  readonly clock = { now: (): number => this.houses.find((house) => house.clock.known)?.clock.now() ?? Date.now() };
  /** Why nobody could be asked at all. */
  trouble: Problem | null = null;
  private rooms: Room[] = [];
  private known: Camera[] | null = null;
  private readonly began = Date.now();
  /** Which of the cameras are shown, in this order; null: all. */
  private chosen: readonly string[] | null = null;

  constructor(readonly viewer: string) {
    super();
  }

  private get houses(): House[] {
    return this.rooms.map((room) => room.house);
  }

  room(key: string): Room | null {
    return this.rooms.find((room) => room.key === key) ?? null;
  }

  /** The rooms there are from now on; those no longer among them are left. */
  settle(rooms: Room[]): void {
    for (const old of this.rooms) {
      if (rooms.some((room) => room.house === old.house)) continue;
      this.stopHearing(old.house);
      old.house.leave();
    }
    for (const room of rooms) {
      if (this.houses.includes(room.house)) continue;
      room.house.addEventListener("cameras", this.onCameras);
      room.house.addEventListener("session", this.onSession);
    }
    this.rooms = rooms;
    this.trouble = null;
    this.onCameras();
  }

  leave(): void {
    for (const house of this.houses) {
      this.stopHearing(house);
      house.leave();
    }
    this.rooms = [];
  }

  choose(cameras: readonly string[] | null): void {
    this.chosen = cameras;
    this.onCameras();
  }

  get cameras(): readonly Camera[] | null {
    return this.known;
  }

  get alarms(): readonly Alarm[] {
    return this.houses.flatMap((house) => house.alarms);
  }

  get problem(): Problem | null {
    const house = this.houses.find((one) => one.problem ?? one.refused);
    return this.trouble ?? house?.problem ?? house?.refused ?? null;
  }

  get liveDownSince(): number | null {
    const since = this.houses.map((house) => house.liveDownSince);
    return since.length && since.every((one) => one !== null) ? Math.min(...since) : null;
  }

  camera(id: string): Camera | null {
    return this.known?.find((camera) => camera.id === id) ?? this.of(id)?.camera(id) ?? null;
  }

  /** Several rooms may have a camera: the last that was entered counts. */
  of(camera: string): House | null {
    const rooms = this.rooms.filter((room) => room.cameras.includes(camera));
    return (rooms.findLast((room) => room.house.camera(camera)) ?? rooms.at(-1))?.house ?? null;
  }

  private stopHearing(house: House): void {
    house.removeEventListener("cameras", this.onCameras);
    house.removeEventListener("session", this.onSession);
  }

  private readonly onCameras = (): void => {
    const all = new Map<string, Camera>();
    for (const { house, named } of this.rooms) {
      // A wall with a hole would not say what is missing: such a picture says that its node does not answer.
      if (!house.cameras && (house.problem ?? house.refused)) for (const one of named) all.set(one.id, unheard(one, this.began));
    }
    for (const house of this.houses) for (const camera of house.cameras ?? []) all.set(camera.id, camera);
    const { chosen } = this;
    const answered = all.size > 0 || this.houses.some((house) => house.cameras !== null);
    const listed = chosen ? chosen.flatMap((id) => all.get(id) ?? []) : inOrder(all.values());
    this.known = answered || !this.rooms.length ? listed : null;
    this.dispatchEvent(new Event("cameras"));
  };

  private readonly onSession = (event: Event): void => {
    const house = event.target as House;
    this.onCameras();
    if (house.session === null && house.problem === null) this.dispatchEvent(new Event("session"));
  };
}
