/** Styles that several components share. */

import { css } from "lit";

export const controls = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  button,
  .button,
  select,
  input {
    font: inherit;
    font-size: 14px;
    color: var(--text);
    min-height: 44px;
    border-radius: var(--radius);
    border: 1px solid transparent;
  }
  button,
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 8px;
    min-width: 44px;
    padding: 0 12px;
    background: none;
    cursor: pointer;
    text-decoration: none;
    white-space: nowrap;
    font-weight: 500;
    transition: background-color var(--motion);
  }
  @media (hover: hover) {
    button:hover:not(:disabled),
    .button:hover {
      background: var(--raised-2);
    }
  }
  button:disabled {
    color: var(--control-line);
    cursor: default;
  }
  button.primary,
  .button.primary {
    background: var(--accent);
    color: var(--on-accent);
    font-weight: 600;
  }
  @media (hover: hover) {
    button.primary:hover:not(:disabled),
    .button.primary:hover {
      background: #46c8b8;
    }
  }
  button.primary:disabled {
    background: var(--raised-2);
    color: var(--muted);
  }
  button.outlined,
  .button.outlined {
    border-color: var(--control-line);
  }
  button[aria-pressed="true"],
  button[aria-current="true"] {
    background: var(--raised-2);
    color: var(--text);
    box-shadow: inset 0 -2px 0 var(--accent);
  }
  select,
  input {
    background: var(--raised);
    border-color: var(--control-line);
    padding: 0 12px;
  }
  :focus {
    outline: none;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  svg {
    display: block;
    width: 20px;
    height: 20px;
    flex: none;
  }
  code {
    font-family: ui-monospace, "DejaVu Sans Mono", monospace;
    font-size: 13px;
    background: var(--ground);
    border: 1px solid var(--line);
    border-radius: 6px;
    padding: 8px 12px;
    display: block;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    user-select: all;
  }
  h1,
  h2,
  h3 {
    margin: 0;
    font-weight: 600;
    line-height: 1.3;
  }
  h1 {
    font-size: 20px;
  }
  h2 {
    font-size: 16px;
  }
  p {
    margin: 0;
    line-height: 1.55;
    text-wrap: pretty;
  }
  .muted {
    color: var(--muted);
  }
  .hidden-text {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;

export const skeleton = css`
  .skeleton {
    background: var(--raised);
    border-radius: var(--radius);
  }
`;
