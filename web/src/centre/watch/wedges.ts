/** What a camera sees of the ground, as far as its mount tells: a sector of a circle. */

export type Position = [longitude: number, latitude: number];

const METRES_OF_A_DEGREE = 111_320;
const USUAL_VIEW_DEG = 60;
const STEPS = 12;

/** The sector's outline, closed; azimuth from north, clockwise. */
export function wedge(at: Position, azimuthDeg: number, viewDeg: number | null, metres: number): Position[] {
  const view = Math.min(359, viewDeg ?? USUAL_VIEW_DEG);
  const outline: Position[] = [at];
  for (let step = 0; step <= STEPS; step += 1) {
    const angle = ((azimuthDeg - view / 2 + (view * step) / STEPS) * Math.PI) / 180;
    const north = (Math.cos(angle) * metres) / METRES_OF_A_DEGREE;
    const east = (Math.sin(angle) * metres) / (METRES_OF_A_DEGREE * Math.cos((at[1] * Math.PI) / 180));
    outline.push([at[0] + east, at[1] + north]);
  }
  outline.push(at);
  return outline;
}
