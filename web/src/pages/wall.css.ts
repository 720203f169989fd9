/** Styles of the wall. */

import { css } from "lit";

export const wallStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    height: var(--page-height, 100dvh);
    background: var(--ground);
  }
  .tools {
    display: flex;
    align-items: center;
    gap: 8px;
    flex: 1;
    min-width: 0;
    /* A list of cameras beside the wall takes of its width too. */
    container: tools / inline-size;
  }
  ::slotted(xy-layouts) {
    flex: 0 1 auto;
    min-width: 0;
  }
  .brand {
    display: inline-flex;
    align-items: center;
    padding: 0 4px;
  }
  .brand img {
    width: 28px;
    height: 28px;
    display: block;
  }
  h1 {
    font-size: 16px;
    white-space: nowrap;
  }
  .grow {
    flex: 1;
  }
  select {
    flex: 0 1 auto;
    min-width: 64px;
    max-width: 300px;
    text-overflow: ellipsis;
  }
  .layouts {
    display: inline-flex;
    flex: none;
    background: var(--raised);
    border-radius: var(--radius);
  }
  .layouts button {
    padding: 0;
  }
  .pager {
    display: inline-flex;
    flex: none;
    align-items: center;
    font-size: 14px;
    white-space: nowrap;
  }
  .count {
    font-size: 14px;
    display: inline-flex;
    align-items: center;
    gap: 8px;
    white-space: nowrap;
  }
  .count::before {
    content: "";
    width: 9px;
    height: 9px;
    border-radius: 50%;
    background: var(--accent);
  }
  .count.some::before {
    border-radius: 2px;
    background: var(--warn);
  }
  time {
    font-size: 16px;
    font-weight: 600;
    white-space: nowrap;
    min-width: 72px;
    text-align: right;
  }
  .broken {
    background: #3a2016;
    color: #ffd9c2;
    padding: 8px 16px;
    font-size: 14px;
    display: flex;
    gap: 8px;
    align-items: center;
  }
  /* Unmissable by its place, its sign and its words; calm, for it may stand for hours. */
  .alarms {
    flex: none;
    background: #33260f;
    color: #ffdfa8;
    font-size: 14px;
    line-height: 1.45;
    border-left: 4px solid var(--warn);
  }
  .alarms.grave {
    background: #3b1618;
    color: #ffd3d4;
    border-color: var(--alarm);
  }
  .alarms summary {
    display: flex;
    align-items: center;
    gap: 10px;
    min-height: 44px;
    padding: 6px 16px 6px 12px;
    cursor: pointer;
    list-style: none;
  }
  .alarms summary::-webkit-details-marker {
    display: none;
  }
  .alarms summary:focus-visible {
    outline-offset: -3px;
  }
  .alarms summary div {
    flex: 1;
    min-width: 0;
    text-wrap: pretty;
  }
  .alarms summary span {
    font-weight: 500;
  }
  .alarms summary small {
    margin: 0 6px;
    white-space: nowrap;
  }
  .alarms summary strong {
    font-weight: 600;
    white-space: nowrap;
  }
  .alarms [open] summary svg:last-child {
    transform: rotate(180deg);
  }
  .alarms ul {
    margin: 0;
    padding: 0 16px 10px 42px;
    list-style: none;
    display: flex;
    flex-direction: column;
    gap: 8px;
    max-height: 40vh;
    overflow-y: auto;
  }
  .alarms small {
    font-size: 13px;
    overflow-wrap: anywhere;
  }
  xy-cards {
    flex: 1;
    min-width: 0;
  }
  main {
    flex: 1;
    min-height: 0;
    display: flex;
    position: relative;
    container-type: size;
  }
  /* As wide as 16:9 pictures fill: no black bars inside the wall, and nothing of a picture is cut. */
  .grid {
    flex: none;
    width: min(100cqw, 100cqh * 16 / 9);
    height: min(100cqh, 100cqw * 9 / 16);
    margin: auto;
    display: grid;
    gap: 2px;
  }
  .grid.n1 {
    grid-template: 1fr / 1fr;
  }
  .grid.n4 {
    grid-template: repeat(2, minmax(0, 1fr)) / repeat(2, minmax(0, 1fr));
  }
  .grid.n9 {
    grid-template: repeat(3, minmax(0, 1fr)) / repeat(3, minmax(0, 1fr));
  }
  .grid.n16 {
    grid-template: repeat(4, minmax(0, 1fr)) / repeat(4, minmax(0, 1fr));
  }
  .grid.n25 {
    grid-template: repeat(5, minmax(0, 1fr)) / repeat(5, minmax(0, 1fr));
  }
  .cell {
    position: relative;
    min-width: 0;
    min-height: 0;
    cursor: pointer;
    background: #0a0e11;
    border: 0;
    padding: 0;
    display: block;
    border-radius: 0;
    text-align: left;
    font: inherit;
    white-space: normal;
  }
  .cell:focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: -3px;
    z-index: 1;
  }
  .cell.over {
    outline: 3px dashed var(--text);
    outline-offset: -3px;
    z-index: 1;
  }
  .cell xy-picture {
    position: absolute;
    inset: 0;
    pointer-events: none;
  }
  .cell.skeleton {
    background: var(--raised);
    cursor: default;
  }
  .big {
    flex: 1;
    position: relative;
    display: flex;
  }
  .big .cell {
    flex: 1;
    cursor: zoom-out;
  }
  .bigTools {
    position: absolute;
    top: 8px;
    left: 8px;
    display: flex;
    gap: 8px;
  }
  .bigTools > * {
    background: rgb(10 14 17 / 80%);
  }
  .middle {
    flex: 1;
    min-width: 0;
    display: flex;
    flex-direction: column;
    align-items: center;
    justify-content: center;
    gap: 16px;
    text-align: center;
    padding: 24px;
  }
  .middle > svg {
    width: 40px;
    height: 40px;
    color: var(--muted);
  }
  .middle > * {
    max-width: 100%;
  }
  .middle p {
    max-width: 520px;
    text-wrap: balance;
  }
  :host(:fullscreen) xy-bar {
    position: absolute;
    inset: 0 0 auto 0;
    z-index: 5;
    background: rgb(15 20 24 / 90%);
    transition: opacity var(--motion);
  }
  :host(:fullscreen) .idle xy-bar {
    opacity: 0;
    pointer-events: none;
  }
  :host(:fullscreen) .idle {
    cursor: none;
  }
  .page {
    display: flex;
    flex-direction: column;
    flex: 1;
    min-height: 0;
    position: relative;
  }
  .count .short {
    display: none;
  }
  @container tools (max-width: 1040px) {
    .count .short {
      display: inline;
    }
    .count .long {
      position: absolute;
      clip-path: inset(50%);
    }
    h1 {
      position: absolute;
      clip-path: inset(50%);
    }
    select {
      max-width: 180px;
    }
  }
  @container tools (max-width: 760px) {
    time {
      display: none;
    }
  }
  @media (max-width: 640px), (max-height: 480px) {
    .phone {
      display: flex;
      flex-wrap: wrap;
      gap: 8px;
      padding: 0 8px 8px;
    }
    .phone select,
    .phone ::slotted(xy-layouts) {
      flex: 1 1 120px;
      min-width: 0;
      max-width: none;
    }
    .phone .layouts {
      margin-inline-start: auto;
    }
    h1 {
      position: static;
      clip-path: none;
      overflow: hidden;
      text-overflow: ellipsis;
    }
  }
  /* Upright: buttons in one row; what is chosen by name has the next to itself. */
  @media (max-width: 640px) {
    .phone select,
    .phone ::slotted(xy-layouts) {
      order: 1;
      flex: 1 1 38%;
    }
    .phone ::slotted(xy-layouts) {
      flex-basis: 50%;
    }
  }
`;
