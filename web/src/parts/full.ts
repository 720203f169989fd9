/** Full screen, as far as the browser has it. */

export function toggleFull(element: HTMLElement): void {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void element.requestFullscreen().catch(() => undefined);
}
