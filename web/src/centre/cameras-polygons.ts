/** Polygons that hide parts of a picture: corners are parts of its width and height, from 0 to 1. */

export type Corner = readonly [number, number];
export type Mask = readonly Corner[];

export const LEAST_CORNERS = 3;
const DIGITS = 10_000; // a tenth of a pixel of the widest pictures

function inside(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value)) * DIGITS) / DIGITS;
}

/** Masks as a form keeps them; what cannot be read is as if it were not there. */
export function readMasks(text: string): Mask[] {
  try {
    const found: unknown = JSON.parse(text);
    return Array.isArray(found) ? (found as Mask[]) : [];
  } catch {
    return [];
  }
}

export function rectangle(one: Corner, other: Corner): Mask {
  const [left, right] = [inside(Math.min(one[0], other[0])), inside(Math.max(one[0], other[0]))];
  const [top, bottom] = [inside(Math.min(one[1], other[1])), inside(Math.max(one[1], other[1]))];
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
}

/** The mask as a whole elsewhere; it stops at the edge of the picture and keeps its form. */
export function moved(mask: Mask, dx: number, dy: number): Mask {
  const xs = mask.map(([x]) => x);
  const ys = mask.map(([, y]) => y);
  const x = Math.min(1 - Math.max(...xs), Math.max(-Math.min(...xs), dx));
  const y = Math.min(1 - Math.max(...ys), Math.max(-Math.min(...ys), dy));
  return mask.map(([left, top]) => [inside(left + x), inside(top + y)]);
}

export function withCornerAt(mask: Mask, corner: number, [x, y]: Corner): Mask {
  return mask.map((one, number) => (number === corner ? [inside(x), inside(y)] : one));
}

/** The middle of the edge that begins at a corner. */
export function middle(mask: Mask, corner: number): Corner {
  const [from, to] = [mask[corner], mask[(corner + 1) % mask.length]];
  if (!from || !to) return [0, 0];
  return [inside((from[0] + to[0]) / 2), inside((from[1] + to[1]) / 2)];
}

/** With one corner more, in the middle of the edge that begins at a corner. */
export function withMiddle(mask: Mask, corner: number): Mask {
  return [...mask.slice(0, corner + 1), middle(mask, corner), ...mask.slice(corner + 1)];
}

export function withoutCorner(mask: Mask, corner: number): Mask {
  return mask.filter((_, number) => number !== corner);
}

/** The part of the picture that a mask covers, if its edges do not cross. */
export function area(mask: Mask): number {
  let sum = 0;
  mask.forEach(([x, y], number) => {
    const [nextX, nextY] = mask[(number + 1) % mask.length] ?? [x, y];
    sum += x * nextY - nextX * y;
  });
  return Math.abs(sum) / 2;
}
