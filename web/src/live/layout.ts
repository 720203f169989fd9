/** Which pictures stand where on the wall. */

export const LAYOUTS = [1, 4, 9, 16, 25] as const;
export type Layout = (typeof LAYOUTS)[number];

/** Which cameras stand where. */
export interface Arrangement {
  size: Layout;
  /** Ids of cameras, page after page. */
  cells: readonly string[];
}

/** Walls of more pictures than this show the sub-stream: 25 full pictures are more than a PC decodes. */
export const MAIN_UP_TO = 4;

export function columnsOf(layout: Layout): number {
  return Math.sqrt(layout);
}

/** The smallest layout that shows all, up to 25. */
export function layoutFor(count: number): Layout {
  return LAYOUTS.find((layout) => layout >= count) ?? 25;
}

export function pageCount(count: number, layout: Layout): number {
  return Math.max(1, Math.ceil(count / layout));
}

/** The remembered order first, then what is new in its own order; what is gone falls out. */
export function arranged<T extends { id: string }>(items: readonly T[], order: readonly string[]): T[] {
  const place = new Map(order.map((id, index) => [id, index]));
  return items
    .map((item, index) => ({ item, at: place.get(item.id) ?? order.length + index }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

export function swapped(ids: readonly string[], a: string, b: string): string[] {
  return ids.map((id) => (id === a ? b : id === b ? a : id));
}

/** The picture an arrow key leads to; stays at the edge of the grid. */
export function moved(index: number, key: string, columns: number, count: number): number {
  const column = index % columns;
  if (key === "ArrowLeft") return column > 0 ? index - 1 : index;
  if (key === "ArrowRight") return column < columns - 1 && index + 1 < count ? index + 1 : index;
  if (key === "ArrowUp") return index >= columns ? index - columns : index;
  if (key === "ArrowDown") return index + columns < count ? index + columns : index;
  return index;
}
