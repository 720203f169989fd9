/** Styles of the player page. */

import { css } from "lit";

export const cameraStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    height: var(--page-height, 100dvh);
    background: var(--ground);
  }
  .head {
    display: flex;
    align-items: center;
    gap: 4px;
    flex: 1;
    min-width: 0;
  }
  .title {
    min-width: 0;
    display: flex;
    flex-direction: column;
    line-height: 1.25;
    padding: 0 8px;
  }
  .title h1 {
    font-size: 16px;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .title small {
    font-size: 13px;
    color: var(--muted);
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .cameras {
    max-width: 240px;
  }
  .grow {
    flex: 1;
  }
  .moment {
    display: flex;
    flex-direction: column;
    align-items: flex-end;
    line-height: 1.2;
    padding: 0 8px;
    white-space: nowrap;
  }
  .moment time {
    font-size: 22px;
    font-weight: 600;
  }
  .moment small {
    font-size: 12px;
    color: var(--muted);
  }
  .badge {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    font-size: 13px;
    font-weight: 500;
    border-radius: 6px;
    padding: 4px 10px;
    background: var(--raised);
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
    min-width: 0;
  }
  .badge svg {
    width: 16px;
    height: 16px;
  }
  .badge .dot {
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: var(--accent);
    flex: none;
  }
  .badge.delayed,
  .badge.not_recording {
    color: #ffc35c;
  }
  .badge.lost {
    color: var(--alarm-text);
  }
  main {
    flex: 1;
    min-height: 0;
    display: flex;
    flex-direction: column;
  }
  xy-stage {
    flex: 1;
    min-height: 160px;
  }
  .deckTools {
    padding: 4px 16px 8px;
  }
  ::slotted([slot="beside"]) {
    padding: 0 16px 12px;
  }
  .time {
    position: relative;
    padding: 0 16px 16px;
    padding-bottom: max(16px, env(safe-area-inset-bottom));
  }
  xy-clip {
    margin: 0 16px 16px;
  }
  .over {
    position: absolute;
    inset: 0;
    display: flex;
    flex-direction: column;
    align-items: center;
    justify-content: center;
    gap: 12px;
    text-align: center;
    padding: 16px;
    background: rgb(5 8 10 / 82%);
    overflow: auto;
  }
  .over > svg,
  .middle > svg {
    width: 36px;
    height: 36px;
    color: var(--muted);
  }
  .over.gap > svg {
    color: var(--warn);
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    justify-content: center;
  }
  .middle {
    flex: 1;
    display: flex;
    flex-direction: column;
    align-items: center;
    justify-content: center;
    gap: 16px;
    text-align: center;
    padding: 24px;
  }
  .failed {
    font-size: 13px;
    color: #ffd591;
    padding-top: 4px;
  }
  .skeleton.stage {
    flex: 1;
    border-radius: 0;
  }
  .skeleton.line {
    height: 96px;
    margin: 60px 16px 16px;
  }
  /* A full screen is the picture's: the controls lie over it and go when nobody moves. */
  :host(:fullscreen) xy-bar {
    display: none;
  }
  :host(:fullscreen) .bottom {
    position: absolute;
    inset: auto 0 0 0;
    z-index: 2;
    background: rgb(10 14 17 / 90%);
  }
  /* What stays says whose picture this is, of when, and in what state. */
  :host(:fullscreen) .idle .bottom {
    background: rgb(10 14 17 / 74%);
  }
  :host(:fullscreen) .idle .bottom > :not(.onFull) {
    display: none;
  }
  :host(:fullscreen) .idle {
    cursor: none;
  }
  .onFull {
    display: flex;
    align-items: center;
    gap: 8px;
    padding: 4px 16px;
  }
  .onFull small {
    color: #bcc7d0;
    font-size: 13px;
  }
  .page {
    position: relative;
    display: flex;
    flex-direction: column;
    flex: 1;
    min-height: 0;
  }
  @media (max-width: 900px) {
    .cameras {
      display: none;
    }
  }
  @media (max-width: 640px) {
    .moment,
    .head .badge {
      display: none;
    }
    .phone {
      display: flex;
      align-items: center;
      justify-content: space-between;
      gap: 8px;
      padding: 8px 16px;
    }
    .phone .badge {
      white-space: normal;
      line-height: 1.3;
    }
    .phone .moment {
      display: flex;
      align-items: flex-start;
      padding: 0;
    }
    xy-stage {
      flex: none;
      aspect-ratio: 16 / 9;
      min-height: 0;
    }
    .deckTools {
      padding: 0 8px 16px;
      order: 2;
    }
    xy-clip {
      order: 3;
    }
    .bottom {
      display: flex;
      flex-direction: column;
      overflow-y: auto;
      flex: 1;
    }
    .time {
      padding: 0 0 8px;
    }
    .time.muted {
      padding: 8px 16px 16px;
    }
  }
  /* A phone on its side: picture, buttons and timeline on one screen; what else there is lies below. */
  @media (min-width: 641px) and (max-height: 480px) {
    .deckTools {
      padding: 0 8px;
    }
    .time {
      padding: 0 8px 4px;
    }
    main {
      overflow-y: auto;
    }
    :host(:not(:fullscreen)) xy-stage {
      flex: none;
      height: calc(100dvh - 52px - 52px - 100px);
    }
    /* What is taken along is chosen beside the picture, where there is room that a wide picture leaves empty. */
    :host(:not(:fullscreen)) main {
      display: grid;
      grid-template-columns: minmax(0, 1fr) auto;
      align-content: start;
    }
    :host(:not(:fullscreen)) .bottom {
      display: contents;
    }
    :host(:not(:fullscreen)) .bottom > * {
      grid-column: 1 / -1;
    }
    :host(:not(:fullscreen)) .bottom > xy-clip {
      grid-area: 1 / 2;
      width: 472px;
      max-height: calc(100dvh - 52px - 52px - 100px);
      overflow-y: auto;
      margin: 0 8px 0 0;
    }
  }
  @media (min-width: 641px) {
    .phone {
      display: none;
    }
  }
`;
