/**
 * The film strip in the player: which stretch of media time shows which moment.
 *
 * Pieces (groups of pictures) lie one behind the other on the media axis, also across gaps, so that
 * playing runs on over a gap; wall time jumps there. Times of pictures come from the samples themselves.
 */

export interface Picture {
  /** Media time, seconds. */
  media: number;
  /** Wall time, ms since 1970. */
  wallMs: number;
}

export interface Piece {
  key: string;
  mediaStart: number;
  mediaEnd: number;
  wallStart: number;
  wallEnd: number;
  /** Presentation times of its pictures on the media axis, ascending. */
  pictures: number[];
}

const EPSILON = 0.0002;

export class Reel {
  private pieces: Piece[] = [];

  get first(): Piece | null {
    return this.pieces[0] ?? null;
  }

  get last(): Piece | null {
    return this.pieces.at(-1) ?? null;
  }

  clear(): void {
    this.pieces = [];
  }

  add(piece: Piece): void {
    const at = this.pieces.findIndex((other) => other.mediaStart > piece.mediaStart);
    if (at < 0) this.pieces.push(piece);
    else this.pieces.splice(at, 0, piece);
  }

  has(key: string): boolean {
    return this.pieces.some((piece) => piece.key === key);
  }

  /** Drops what the buffer no longer holds. */
  dropBefore(media: number): void {
    this.pieces = this.pieces.filter((piece) => piece.mediaEnd > media);
  }

  /** Where the newest piece that ends at or before `media` ends; null when there is none. */
  endBefore(media: number): number | null {
    return this.pieces.reduce<number | null>((found, p) => (p.mediaEnd <= media ? p.mediaEnd : found), null);
  }

  pieceAtMedia(media: number): Piece | null {
    return this.pieces.find((piece) => media >= piece.mediaStart - EPSILON && media < piece.mediaEnd - EPSILON) ?? null;
  }

  pieceAtWall(wallMs: number): Piece | null {
    return this.pieces.find((piece) => wallMs >= piece.wallStart - 0.5 && wallMs < piece.wallEnd) ?? null;
  }

  /** The moment shown at a media time; outside the reel, that of the nearer end. */
  wallAt(media: number): number | null {
    const piece = this.pieceAtMedia(media);
    if (piece) return wallIn(piece, media);
    const { first, last } = this;
    if (!first || !last) return null;
    return media < first.mediaStart ? first.wallStart : wallIn(last, Math.min(media, last.mediaEnd));
  }

  /** The picture on the screen at a media time: the newest one that has begun. */
  pictureAt(media: number): Picture | null {
    const piece = this.pieceAtMedia(media) ?? (this.last && media >= this.last.mediaStart ? this.last : null);
    if (!piece) return null;
    const index = newestIndex(piece.pictures, media);
    const at = piece.pictures[Math.max(0, index)];
    return at === undefined ? null : { media: at, wallMs: wallIn(piece, at) };
  }

  /** The picture shown at a moment, when the reel holds it. */
  pictureAtWall(wallMs: number): Picture | null {
    const piece = this.pieceAtWall(wallMs);
    if (!piece) return null;
    // Half a millisecond forgives times that were rounded to milliseconds on their way.
    return this.pictureAt(mediaIn(piece, wallMs + 0.5));
  }

  /** The picture `count` pictures after (or before) the one shown; null when the reel ends before. */
  step(media: number, count: 1 | -1): Picture | null {
    const shown = this.pictureAt(media);
    if (!shown) return null;
    const all = this.pieces.flatMap((piece) => piece.pictures.map((at) => ({ media: at, piece })));
    const index = all.findIndex((picture) => Math.abs(picture.media - shown.media) < EPSILON);
    const next = all[index + count];
    return next ? { media: next.media, wallMs: wallIn(next.piece, next.media) } : null;
  }
}

function wallIn(piece: Piece, media: number): number {
  const share = (media - piece.mediaStart) / (piece.mediaEnd - piece.mediaStart);
  return piece.wallStart + share * (piece.wallEnd - piece.wallStart);
}

function mediaIn(piece: Piece, wallMs: number): number {
  const share = (wallMs - piece.wallStart) / (piece.wallEnd - piece.wallStart);
  return piece.mediaStart + share * (piece.mediaEnd - piece.mediaStart);
}

function newestIndex(times: readonly number[], media: number): number {
  let low = 0;
  let high = times.length - 1;
  let found = -1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? Infinity) <= media + EPSILON) {
      found = middle;
      low = middle + 1;
    } else high = middle - 1;
  }
  return found;
}
