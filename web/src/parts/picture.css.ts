/** Styles of a live picture. */

import { css } from "lit";

export const pictureStyles = css`
  :host {
    display: block;
    position: relative;
    overflow: hidden;
    background: #000;
    contain: strict;
    container-type: size;
  }
  video {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    object-fit: contain;
    background: #000;
  }
  .stale video {
    /* Dark enough that the words over it keep a contrast of 4.5:1 on the lightest picture. */
    filter: grayscale(1) brightness(0.22);
  }
  .none video {
    visibility: hidden;
  }
  .caption {
    position: absolute;
    inset: auto 0 0 0;
    display: flex;
    align-items: center;
    gap: 8px;
    padding: 5px 8px;
    font-size: 13px;
    line-height: 1.25;
    background: rgb(10 14 17 / 74%);
    pointer-events: none;
  }
  .names {
    flex: 1;
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    font-weight: 500;
  }
  .names small {
    font-size: 12px;
    font-weight: 400;
    color: #bcc7d0;
    margin-left: 6px;
  }
  .state {
    flex: none;
    display: inline-flex;
    align-items: center;
    gap: 5px;
    font-size: 12px;
    font-weight: 500;
    white-space: nowrap;
  }
  .state svg {
    width: 15px;
    height: 15px;
  }
  .dot {
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: var(--accent);
  }
  .delayed .state,
  .not_recording .state {
    color: #ffc35c;
  }
  .over {
    position: absolute;
    inset: 0 0 28px 0;
    display: flex;
    flex-direction: column;
    align-items: center;
    justify-content: center;
    gap: 6px;
    padding: 8px;
    text-align: center;
    font-size: 13px;
    line-height: 1.35;
    color: var(--muted);
    pointer-events: none;
  }
  .over svg {
    width: 26px;
    height: 26px;
  }
  .over strong {
    font-weight: 600;
    color: var(--text);
    font-size: 14px;
  }
  .over .why::first-letter {
    text-transform: uppercase;
  }
  .over .why {
    display: inline-block;
  }
  .over .advice {
    max-width: 440px;
  }
  /* The machine's own words, for whoever is told of it; they must not push the rest away. */
  .over .detail {
    margin-top: 4px;
    max-width: 480px;
    font-size: 12px;
    overflow-wrap: anywhere;
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    overflow: hidden;
  }
  .lost .over svg {
    color: var(--alarm-text);
  }
  .lost .caption {
    box-shadow: inset 3px 0 0 var(--alarm);
  }
  .note {
    position: absolute;
    top: 6px;
    right: 6px;
    padding: 2px 8px;
    border-radius: 6px;
    font-size: 12px;
    background: rgb(10 14 17 / 78%);
    color: #d5dee6;
  }
  :host([bare]) .caption {
    display: none;
  }
  /* A small picture keeps its name and its state whole, and most of its pixels free. */
  @container (max-width: 340px) {
    .names small {
      display: none;
    }
    .caption {
      gap: 0 6px;
      padding: 2px 6px;
      font-size: 12px;
    }
    .over .advice,
    .over .detail {
      display: none;
    }
    .over {
      inset: 0 0 20px 0;
      gap: 2px;
      font-size: 12px;
    }
    .over svg {
      width: 22px;
      height: 22px;
    }
    .over strong {
      font-size: 13px;
    }
  }
  :host([bare]) .over {
    inset: 0;
  }
  /* The longest state stands under the name, whole. */
  @container (max-width: 560px) {
    .not_recording .caption {
      flex-wrap: wrap;
      row-gap: 0;
    }
    .not_recording .names {
      flex-basis: 100%;
    }
    .not_recording .state {
      flex: 1;
      white-space: normal;
    }
  }
  @container (max-height: 230px) {
    .over .detail {
      -webkit-line-clamp: 1;
    }
  }
  /* A large picture is looked at from further away. */
  @container (min-width: 760px) {
    .over {
      gap: 10px;
      font-size: 16px;
    }
    .over svg {
      width: 36px;
      height: 36px;
    }
    .over strong {
      font-size: 20px;
    }
    .over .advice {
      max-width: 560px;
    }
    .over .detail {
      font-size: 13px;
      max-width: 640px;
    }
  }
`;
