// Reads a clip with mp4box.js and prints what it found; anything it warns of goes to stderr.
// node clip.mjs <mp4box module> <clip>
import { readFileSync } from "node:fs";

const [module, path] = process.argv.slice(2);
const { createFile, Log } = await import(module);
for (const level of ["warn", "error"]) Log[level] = (...words) => console.error(level, ...words);
const file = createFile();
file.onError = (...words) => console.error("error", ...words);
file.onReady = (info) => {
  const track = info.tracks[0];
  const found = {
    duration: info.duration / info.timescale,
    fragmented: info.isFragmented,
    tracks: info.tracks.length,
    codec: track.codec,
    samples: track.nb_samples,
    edit: track.edits[0].segment_duration / info.timescale,
  };
  console.log(JSON.stringify(found));
};
const bytes = readFileSync(path);
const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
buffer.fileStart = 0;
file.appendBuffer(buffer, true);
file.flush();
