/** Styles of several recordings side by side. */

import { css } from "lit";

export const togetherStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    height: var(--page-height, 100dvh);
    background: var(--ground);
  }
  .head,
  .tools {
    display: flex;
    align-items: center;
    gap: 8px;
  }
  .tools {
    flex-wrap: wrap;
  }
  .moment {
    display: flex;
    flex-direction: column;
    align-items: flex-end;
    line-height: 1.2;
    padding: 0 8px;
    white-space: nowrap;
  }
  .moment small {
    font-size: 12px;
    color: var(--muted);
  }
  .head {
    flex: 1;
    min-width: 0;
  }
  h1 {
    font-size: 16px;
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .grow {
    flex: 1;
  }
  .across {
    flex: 1;
    min-height: 0;
    display: flex;
    position: relative;
  }
  .grid {
    flex: 1;
    display: grid;
    gap: 2px;
    min-height: 0;
    min-width: 0;
    grid-auto-rows: minmax(0, 1fr);
    overflow-y: auto;
  }
  .n1 {
    grid-template-columns: 1fr;
  }
  .n2 {
    grid-template-columns: 1fr 1fr;
  }
  .n3 {
    grid-template-columns: repeat(3, 1fr);
  }
  figure {
    margin: 0;
    position: relative;
    min-height: 120px;
    background: #000;
  }
  figure.lead {
    outline: 2px solid var(--accent);
    outline-offset: -2px;
  }
  xy-stage {
    position: absolute;
    inset: 0;
  }
  figcaption {
    position: absolute;
    inset: auto 0 0;
    display: flex;
    align-items: center;
    gap: 4px;
    padding: 4px;
    font-size: 13px;
    pointer-events: none;
  }
  /* Only the corners of the picture are covered. */
  figcaption button,
  figcaption a.button {
    pointer-events: auto;
    min-width: 36px;
    min-height: 32px;
    padding: 0 8px;
    background: rgb(10 14 17 / 78%);
  }
  figcaption svg {
    width: 18px;
    height: 18px;
  }
  @media (pointer: coarse) {
    figcaption button,
    figcaption a.button {
      min-width: 44px;
      min-height: 44px;
    }
  }
  .none {
    position: absolute;
    inset: 0 0 44px;
    display: grid;
    place-items: center;
    background: rgb(5 8 10 / 90%);
    color: var(--muted);
    padding: 8px 16px;
    text-align: center;
  }
  .tools {
    padding: 4px 16px;
  }
  .time {
    padding: 0 16px 16px;
  }
  .middle {
    flex: 1;
    display: grid;
    place-items: center;
    color: var(--muted);
    padding: 16px;
    text-align: center;
  }
  time {
    font-size: 22px;
    font-weight: 600;
  }
  @media (max-width: 640px) {
    .text,
    .grow {
      display: none;
    }
    h1 {
      flex: 1;
      font-size: 13px;
      line-height: 1.25;
      white-space: normal;
    }
    .moment {
      padding: 0;
    }
    .n2,
    .n3 {
      grid-template-columns: 1fr;
      grid-auto-rows: 56vw;
    }
  }
  /* A phone on its side: two rows of pictures at least stay in sight, the rest is scrolled to. */
  @media (min-width: 641px) and (max-height: 480px) {
    .grid {
      grid-auto-rows: minmax(108px, 1fr);
    }
    figure {
      min-height: 108px;
    }
    .tools {
      padding: 0 8px;
    }
    .time {
      padding: 0 8px 4px;
    }
  }
`;
